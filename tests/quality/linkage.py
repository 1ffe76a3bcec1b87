"""Linkage figures by scikit-allel (Rogers-Huff r of genotypes), numpy.corrcoef (haplotypes) and plink1.9 --r2."""
import pathlib
import subprocess
import tempfile

import allel
import numpy as np

import cohorts

SAMPLES, VARIANTS, FIRST_CONTIG = 60, 320, 260
WINDOW = 200


def positions():
    """Of each variant: its contig and its place there, unevenly spaced."""
    at = np.arange(VARIANTS)
    place = np.where(at < FIRST_CONTIG, at, at - FIRST_CONTIG)
    return np.where(at < FIRST_CONTIG, 0, 1), 500 + 137 * place + place * place % 97


def unlinked(rows):
    """Each column turned by another multiple of four rows: frequencies and labels stay, linkage goes."""
    return np.stack([np.roll(rows[:, v], 4 * (v * v + 7 * v)) for v in range(rows.shape[1])], axis=1)


def cohort(seed, phased):
    return (cohorts.haplotypes if phased else cohorts.diploid)(seed, SAMPLES, VARIANTS)


def correlations(rows, phased):
    """The square matrix of r; NaN where a variant does not vary."""
    if phased:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.corrcoef(rows.T.astype(float))
    r = np.full((VARIANTS, VARIANTS), np.nan)
    above = np.triu_indices(VARIANTS, 1)
    r[above] = allel.rogers_huff_r(rows.T)
    r.T[above] = r[above]
    return r


def edges():
    return np.array([0] + [round(10 ** (k / 5)) for k in range(60)])


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def near_figures(members, real, compared, near):
    both = near & ~np.isnan(real) & ~np.isnan(compared)
    x, y = real[both], compared[both]
    strong = members[both] ** 2 >= 0.2 - 1e-6  # exact ones too, in single precision; not where it is NaN
    _, position = positions()
    distance = (position[None, :] - position[:, None])[both]
    bins = np.digitize(distance, edges())
    kept = [k for k in np.unique(bins) if np.sum(bins == k) >= 50]
    curve = np.array([[np.mean(r[bins == k] ** 2) for k in kept] for r in (x, y)])
    return {
        "ld.r2_rmse": rmse(x**2, y**2),
        "ld.r2_rmse n": int(both.sum()),
        "ld.corr_score": float(np.corrcoef(x, y)[0, 1]),
        "ld.strong_r2_kept": float(np.sum(y[strong] ** 2) / np.sum(x[strong] ** 2)),
        "ld.strong_r2_kept n": int(strong.sum()),
        "ld.decay_rmse": rmse(curve[0], curve[1]),
        "ld.decay_rmse n": len(kept),
    }


def all_figures(members, real, compared):
    contig, _ = positions()
    lag = np.arange(VARIANTS)[None, :] - np.arange(VARIANTS)[:, None]
    one_contig = contig[None, :] == contig[:, None]
    near = (lag > 0) & (lag <= WINDOW) & one_contig
    figures = near_figures(members, real, compared, near)
    varies = ~np.isnan(real) & ~np.isnan(compared)
    next_to = near & (lag == 1) & varies
    far = (lag > 0) & ~near & varies
    figures["ld.neighbour_r2"] = float(np.mean(compared[next_to] ** 2))
    figures["ld.neighbour_r2 n"] = int(next_to.sum())
    figures["ld.neighbour_r2_difference"] = figures["ld.neighbour_r2"] - float(np.mean(real[next_to] ** 2))
    figures["ld.far_r2_rmse"] = rmse(real[far] ** 2, compared[far] ** 2)
    figures["ld.far_r2_rmse n"] = int(far.sum())
    figures["ld.far_r2"] = float(np.mean(compared[far] ** 2))
    figures["ld.dropped_pairs"] = 1 - float(figures["ld.r2_rmse n"] / near.sum())
    figures["ld.dropped_pairs n"] = int(near.sum())
    return figures


def label_figures(all_rows, phased, label):
    samples = np.flatnonzero(cohorts.labels_of(SAMPLES) == label)
    rows = np.sort(np.concatenate([2 * samples, 2 * samples + 1])) if phased else samples
    contig, _ = positions()
    lag = np.arange(VARIANTS)[None, :] - np.arange(VARIANTS)[:, None]
    near = (lag > 0) & (lag <= WINDOW) & (contig[None, :] == contig[:, None])
    return near_figures(*(correlations(one[rows], phased) for one in all_rows), near)


def plink_mean_r2(rows, lags):
    """Mean r2 of the pairs so many variants apart, as plink1.9 finds it from the unphased genotypes."""
    contig, position = positions()
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder) / "g"
        with open(f"{prefix}.fam", "w") as fam:
            for i in range(len(rows)):
                fam.write(f"s{i} s{i} 0 0 0 -9\n")
        with open(f"{prefix}.bim", "w") as bim:
            for v in range(VARIANTS):
                bim.write(f"{contig[v] + 1} {v} 0 {position[v]} C A\n")
        # BED: two bits a genotype, 0 = two of the first allele of the bim file, 2 = one, 3 = none; sample 0 lowest.
        codes = np.array([3, 2, 0])[rows.T]
        codes = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 4))).reshape(VARIANTS, -1, 4)
        packed = (codes << np.array([0, 2, 4, 6])).sum(axis=2).astype(np.uint8)
        pathlib.Path(f"{prefix}.bed").write_bytes(b"\x6c\x1b\x01" + packed.tobytes())
        subprocess.run(
            ["plink1.9", "--bfile", prefix, "--r2", "--ld-window", "99999", "--ld-window-kb", "99999",
             "--ld-window-r2", "0", "--keep-allele-order", "--threads", "1", "--out", f"{prefix}"],
            check=True, stdout=subprocess.DEVNULL)
        lines = pathlib.Path(f"{prefix}.ld").read_text().split("\n")[1:]
    found = {lag: [] for lag in lags}
    for line in filter(None, lines):
        _, _, first, _, _, second, r2 = line.split()
        if int(second) - int(first) in found and r2 != "nan":
            found[int(second) - int(first)].append(float(r2))
    return {str(lag): float(np.mean(values)) for lag, values in found.items()}


def expected():
    figures = {}
    for phased in (True, False):
        real = cohort(102, phased)
        candidates = {"synthetic": cohort(103, phased), "floor": cohort(104, phased), "naive": unlinked(cohort(105, phased))}
        members = cohort(101, phased)
        of_kind = figures["phased" if phased else "unphased"] = {}
        for name, rows in candidates.items():
            of_kind[name] = {"": all_figures(*(correlations(one, phased) for one in (members, real, rows)))}
            for label, label_name in enumerate("AB"):
                of_kind[name][label_name] = label_figures((members, real, rows), phased, label)
    figures["plink"] = plink_mean_r2(cohort(102, False), (1, 7, 50))
    return figures
