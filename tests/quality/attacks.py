"""Kinship by plink2, attacks by scikit-learn and scipy."""
import pathlib
import subprocess
import tempfile

import cohorts
import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import mode
from sklearn.metrics import accuracy_score, roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

SAMPLES = 40
VARIANTS = 300


def king(diploid):
    """samples x samples of kinship, by plink2 from a VCF."""
    with tempfile.TemporaryDirectory() as folder:
        vcf = pathlib.Path(folder) / "all.vcf"
        names = [f"s{i}" for i in range(len(diploid))]
        with vcf.open("w") as out:
            out.write("##fileformat=VCFv4.2\n##contig=<ID=1>\n")
            out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n')
            out.write("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"] + names) + "\n")
            for v in range(diploid.shape[1]):
                calls = [("0/0", "0/1", "1/1")[g] for g in diploid[:, v]]
                out.write("\t".join(["1", str(1000 * (v + 1)), f"rs{v}", "A", "C", ".", ".", ".", "GT"] + calls) + "\n")
        subprocess.run(["plink2", "--vcf", vcf, "--make-king-table", "cols=id,kinship", "--out", f"{folder}/out"],
                       check=True, stdout=subprocess.DEVNULL)
        kinship = np.full((len(diploid), len(diploid)), 0.5)
        for line in (pathlib.Path(folder) / "out.kin0").read_text().splitlines()[1:]:
            first, second, value = line.split("\t")
            i, j = int(first[1:]), int(second[1:])
            kinship[i, j] = kinship[j, i] = float(value)
        return kinship


def sets():
    """Haplotypes of the cohorts: as in AttacksTest."""
    training = cohorts.haplotypes(101, 4 * SAMPLES, VARIANTS)
    rows = 2 * SAMPLES
    members, floor, reference = training[:rows], training[rows:2 * rows], training[2 * rows:3 * rows]
    own = cohorts.haplotypes(103, SAMPLES, VARIANTS)
    copied = 24
    return {
        "training": training,
        "members": members,
        "holdout": cohorts.haplotypes(102, SAMPLES, VARIANTS),
        "reference": reference,
        "synthetic": np.concatenate([members[:copied], own[copied:]]),
        "floor": floor,
        "naive": cohorts.haplotypes(104, SAMPLES, VARIANTS, founders_seed=9),
    }


def kinship_figures(of):
    order = ["training", "holdout", "synthetic", "naive"]
    people = {name: (of[name][0::2] + of[name][1::2]) for name in order}
    starts = np.cumsum([0] + [len(people[name]) for name in order])
    frequency = people["training"].mean(axis=0) / 2
    frequent = np.minimum(frequency, 1 - frequency) >= 0.05
    kinship = king(np.concatenate([people[name] for name in order])[:, frequent])
    at = {name: np.arange(starts[i], starts[i + 1]) for i, name in enumerate(order)}
    at["members"] = at["training"][:SAMPLES]
    at["floor"] = at["training"][SAMPLES:2 * SAMPLES]

    def share(samples, others, above, up_to):
        largest = kinship[np.ix_(at[samples], at[others])].max(axis=1)
        return float(((largest > above) & (largest <= up_to)).mean())

    figures = {}
    for name, above, up_to in (("duplicates", 0.354, 1), ("first_degree", 0.177, 0.354), ("second_degree", 0.0884, 0.177)):
        figures[f"kinship.{name}"] = [share(c, "members", above, up_to) for c in ("synthetic", "floor", "naive")]
    for name, above in (("duplicates_excess", 0.354), ("relatives_excess", 0.177)):
        figures[f"kinship.{name}"] = [share(c, "members", above, 1) - share(c, "holdout", above, 1)
                                      for c in ("synthetic", "floor", "naive")]
    figures["kinship.duplicates_training"] = [share(c, "training", 0.354, 1) for c in ("synthetic", "holdout", "naive")]
    return figures


def closest(rows, cohort):
    return NearestNeighbors(n_neighbors=1, algorithm="brute", metric="manhattan").fit(cohort).kneighbors(rows)[0][:, 0]


def read_off(members, holdout):
    """AUC, TPR at 1 % FPR and advantage of scores."""
    truth = np.concatenate([np.ones(len(members)), np.zeros(len(holdout))])
    scores = np.concatenate([members, holdout])
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    # Along the polygon, a point each 1e-7 of its length in fpr + tpr, which never falls.
    at = np.interp(np.linspace(0, 2, 2 * 10**6 + 1), fpr + tpr, tpr - fpr)
    few = np.linspace(0, 2, len(at))
    return {
        "auc": float(roc_auc_score(truth, scores)),
        "tpr_at_1_fpr": float(((few + at) / 2)[(few - at) / 2 <= 0.01 + 1e-12].max()),
        "advantage": float(at[len(at) // 2]),
    }


def membership_figures(of, alleles):
    figures = {}
    frequency = {name: of[name].mean(axis=0) / alleles for name in ("synthetic", "floor", "naive", "reference")}
    for name in ("synthetic", "floor", "naive"):
        scores = {"distance": [], "density ratio": [], "homer": []}
        for people in ("members", "holdout"):
            rows = of[people]
            to_cohort, to_reference = closest(rows, of[name]), closest(rows, of["reference"])
            scores["distance"].append(-to_cohort)
            scores["density ratio"].append(np.round(np.log((1 + to_reference) / (1 + to_cohort)), 12))
            x = rows / alleles
            apart = np.abs(x - frequency["reference"]) - np.abs(x - frequency[name])
            scores["homer"].append(np.round(apart.sum(axis=1), 9))
        for attack, both in scores.items():
            for figure, value in read_off(*both).items():
                figures.setdefault(f"mia.{figure}/{attack}", []).append(value)
    return figures


def attribute(of):
    """Balanced accuracy of members and hold-out against the synthetic cohort; every tenth variant, from 3, is hidden."""
    hidden = np.arange(VARIANTS) % 10 == 3
    most_frequent = mode(of["floor"], axis=0).mode[hidden]
    cohort = of["synthetic"]
    found = {}
    for people in ("members", "holdout"):
        rows = of[people]
        distances = cdist(rows[:, ~hidden], cohort[:, ~hidden], "cityblock")
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :5]
        guesses = np.rint(cohort[nearest][:, :, hidden].mean(axis=1)).astype(int)
        truth = rows[:, hidden]
        usual = truth == most_frequent
        found[people] = (accuracy_score(truth[usual], guesses[usual]) + accuracy_score(truth[~usual], guesses[~usual])) / 2
    return found


def expected():
    haplotypes = sets()
    people = {name: rows[0::2] + rows[1::2] for name, rows in haplotypes.items()}
    some = cohorts.diploid(7, 24, 200)
    some[20] = some[3]
    return {
        "king": [float(king(some)[i, j]) for i in range(len(some)) for j in range(i)],
        "figures": kinship_figures(haplotypes),
        "haplotypes": {"figures": membership_figures(haplotypes, 1), "attribute": attribute(haplotypes)},
        "diploid": {"figures": membership_figures(people, 2), "attribute": attribute(people)},
    }
