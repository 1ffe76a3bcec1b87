"""Coverage and closest records by SciPy's and scikit-learn's distances."""
import itertools

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.neighbors import NearestNeighbors

import cohorts

SAMPLES = 60
VARIANTS = 330
K = 5


def make(phased):
    """Members, hold-out and candidates. Of the synthetic samples, 0 to 9 are members and 10 to 14 repeat number 15."""
    kind = cohorts.haplotypes if phased else cohorts.diploid
    made = {name: kind(seed, SAMPLES, VARIANTS) for name, seed in
            (("members", 201), ("holdout", 202), ("synthetic", 203), ("floor", 204))}
    made["naive"] = kind(205, SAMPLES, VARIANTS, founders_seed=2)
    per = 2 if phased else 1
    synthetic = made["synthetic"]
    synthetic[: 10 * per] = made["members"][: 10 * per]
    for sample in range(10, 15):
        synthetic[sample * per : (sample + 1) * per] = synthetic[15 * per : 16 * per]
    return made, per


def within(rows, per):
    """Distances of all pairs; infinite between rows of one sample."""
    distances = cdist(rows, rows, "cityblock")
    sample = np.arange(len(rows)) // per
    distances[sample[:, None] == sample[None, :]] = np.inf
    return distances


def closest(rows, among):
    finder = NearestNeighbors(n_neighbors=1, metric="manhattan", algorithm="brute").fit(among)
    return finder.kneighbors(rows)[0][:, 0]


def half_ties(a, b):
    return np.mean((np.sign(a - b) + 1) / 2)


def inside(rows, among, per):
    radius = np.sort(within(among, per), axis=1)[:, K - 1]
    return np.mean((cdist(rows, among, "cityblock") <= radius).any(axis=1))


def windows_found(rows, among):
    width = 40
    hits = []
    for start in range(0, VARIANTS - width + 1, width):
        known = {tuple(row[start : start + width]) for row in among}
        hits += [tuple(row[start : start + width]) in known for row in rows]
    return np.mean(hits)


def repeated(rows, per):
    found = [any((rows[i] == rows[j]).all() for j in range(len(rows)) if i // per != j // per) for i in range(len(rows))]
    return np.mean(found)


def figures(made, per, name):
    members, holdout, candidate = made["members"], made["holdout"], made[name]
    out = {}
    precision, recall = inside(candidate, holdout, per), inside(holdout, candidate, per)
    out["cover.precision"], out["cover.recall"] = precision, recall
    out["cover.f1"] = 0 if precision + recall == 0 else 2 / (1 / precision + 1 / recall) if precision * recall else 0
    pairs = {which: rows[np.isfinite(rows)] for which, rows in ((key, within(made[key], per)) for key in made)}
    out["cover.pairwise_mean_ratio"] = pairs[name].mean() / pairs["holdout"].mean()
    # Distances are counted in at most 240 bins over those of all cohorts but the members.
    compared = np.concatenate([pairs[key] for key in made if key != "members"])
    width = np.ceil((compared.max() - compared.min() + 1) / 240)
    binned = {key: (pairs[key] - compared.min()) // width * width for key in (name, "holdout")}
    out["cover.pairwise_w1"] = wasserstein_distance(binned[name], binned["holdout"]) / VARIANTS

    others = within(candidate, per).min(axis=1)
    to_members, to_holdout = closest(candidate, members), closest(candidate, holdout)

    def accuracy(real):
        truth = half_ties(closest(real, candidate), within(real, per).min(axis=1))
        return truth, half_ties(closest(candidate, real), others)

    out["privacy.aa_truth"], out["privacy.aa_syn"] = accuracy(members)
    out["privacy.aa"] = np.mean(accuracy(members))
    out["privacy.loss"] = np.mean(accuracy(holdout)) - np.mean(accuracy(members))
    ties = np.concatenate([closest(members, candidate) == within(members, per).min(axis=1), to_members == others])
    out["privacy.aa_tie_share"] = ties.mean()

    out["privacy.dcr_share"] = half_ties(to_holdout, to_members)
    out["privacy.dcr_p5"] = np.percentile(to_members, 5) / VARIANTS
    out["privacy.dcr_median"] = np.median(to_members) / VARIANTS
    out["privacy.dcr_p5_ratio"] = np.percentile(to_members, 5) / np.percentile(to_holdout, 5)
    out["privacy.dcr_median_ratio"] = np.median(to_members) / np.median(to_holdout)
    out["privacy.dcr_baseline"] = min(1, np.median(to_members) / np.median(closest(made["naive"], members)))

    def identical(rows, among):
        known = {row.tobytes() for row in among}
        return np.mean([row.tobytes() in known for row in rows])

    out["privacy.identical_members"] = identical(candidate, members)
    out["privacy.identical_holdout"] = identical(candidate, holdout)
    out["privacy.identical_excess"] = identical(candidate, members) - identical(candidate, holdout)
    out["privacy.identical_training"] = identical(holdout if name == "floor" else candidate, members)
    near = np.quantile(closest(holdout, members), 0.01)
    out["privacy.near_training"] = np.mean(closest(holdout if name == "floor" else candidate, members) < near)
    out["privacy.repeated"] = repeated(candidate, per)
    out["privacy.windows_members"] = windows_found(candidate, members)
    out["privacy.windows_holdout"] = windows_found(candidate, holdout)
    out["privacy.windows_excess"] = out["privacy.windows_members"] - out["privacy.windows_holdout"]
    return {key: float(value) for key, value in out.items()}


def expected():
    result = {}
    for phased, name in itertools.product((False, True), ("synthetic", "floor", "naive")):
        made, per = make(phased)
        result.setdefault("haplotypes" if phased else "diploid", {})[name] = figures(made, per, name)
    return result
