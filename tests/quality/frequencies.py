"""Figures of frequencies and Fst by scikit-allel, SciPy and PLINK 2.

The hold-out and three candidates, which are not drawn as real ones are: of the same population twice, and of another.
"""
import pathlib
import subprocess
import tempfile

import allel
import cohorts
import numpy as np
import scipy.stats

SAMPLES = 60
VARIANTS = 400
LABELS = 3
CANDIDATES = {"synthetic": (103, 1), "floor": (101, 1), "naive": (104, 2)}


def genotype_array(seed, founders):
    """A scikit-allel array, variants x samples x 2."""
    rows = cohorts.haplotypes(seed, SAMPLES, VARIANTS, LABELS, founders)
    return allel.GenotypeArray(np.stack([rows[0::2].T, rows[1::2].T], axis=2))


def frequencies(genotypes):
    return genotypes.count_alleles(max_allele=1).to_frequencies()[:, 1]


def agreement(x, y):
    return {
        "pearson": float(scipy.stats.pearsonr(x, y).statistic),
        "rmse": float(np.sqrt(np.square(x - y).mean())),
        "max_difference": float(np.linalg.norm(x - y, ord=np.inf)),
        "n": len(x),
    }


def allele_frequencies(real, candidate):
    p, q = frequencies(real), frequencies(candidate)
    rare = np.minimum(p, 1 - p) < 0.05 - 1e-12
    # Whichever allele is the rarer one among the real samples.
    minor = np.where(p > 0.5, 1 - p, p), np.where(p > 0.5, 1 - q, q)
    return {"af": agreement(p, q), "af.rare": agreement(minor[0][rare], minor[1][rare])}


def divergence(real, candidate):
    counts = np.asarray(candidate.count_alleles(max_allele=1))
    p = real.count_alleles(max_allele=1).to_frequencies()
    q = (counts + 0.5) / (counts.sum(axis=1) + 1)[:, None]
    varies = real.count_alleles().is_segregating()
    return float(scipy.stats.entropy(p[varies], q[varies], base=2, axis=1).mean())


def genotype_rates(genotypes):
    return np.concatenate([genotypes.count_het(axis=1), genotypes.count_hom_alt(axis=1),
                           genotypes.count_hom_ref(axis=1)]) / SAMPLES


def hardy_weinberg(real, candidate):
    with np.errstate(all="ignore"):
        f = [allel.inbreeding_coefficient(g) for g in (real, candidate)]
    both = np.isfinite(f[0]) & np.isfinite(f[1])
    return agreement(f[0][both], f[1][both]) | {"left_out": float(1 - both.mean())}


def retention(real, candidate):
    counts = real.count_alleles(max_allele=1)
    others = candidate.count_alleles(max_allele=1)
    kept = others.is_segregating()
    rare = (counts.min(axis=1) > 0) & (counts.to_frequencies().min(axis=1) < 0.05 - 1e-12)
    # Variants that an allele of two copies is at, and whether the candidate has that allele.
    doubletons = [(variant, allele) for variant, allele in np.argwhere(np.asarray(counts) == 2)]
    return {
        "rare.retention": float(kept[rare].mean()),
        "rare.doubleton_retention": sum(int(others[v, a] > 0) for v, a in doubletons) / len(doubletons),
        "doubletons": len(doubletons),
        "monomorphic.share": float((~kept)[counts.is_segregating()].mean()),
    }


def heterozygosity(real, candidate):
    a, b = real.count_het(axis=0) / VARIANTS, candidate.count_het(axis=0) / VARIANTS
    # The mean over samples is the mean over variants of observed heterozygosity.
    ratio = allel.heterozygosity_observed(candidate).mean() / allel.heterozygosity_observed(real).mean()
    return {"het.observed_ratio": float(ratio), "het.wasserstein": float(scipy.stats.wasserstein_distance(a, b))}


def hudson(a, b):
    numerator, denominator = allel.hudson_fst(a.count_alleles(max_allele=1), b.count_alleles(max_allele=1))
    return float(np.nansum(numerator) / np.nansum(denominator))


def weir_cockerham(a, b):
    both = allel.GenotypeArray(np.concatenate([a, b], axis=1))
    samples = list(range(2 * SAMPLES))
    between, individuals, within = allel.weir_cockerham_fst(both, [samples[:SAMPLES], samples[SAMPLES:]])
    return float(np.nansum(between) / (np.nansum(between) + np.nansum(individuals) + np.nansum(within)))


def plink(a, b, method):
    """The same two estimators of PLINK 2, which prints six digits."""
    with tempfile.TemporaryDirectory() as folder:
        stem = pathlib.Path(folder) / "both"
        both = np.concatenate([a, b], axis=1)
        names = [f"s{i}" for i in range(2 * SAMPLES)]
        lines = ["##fileformat=VCFv4.2", "##contig=<ID=1>",
                 "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"] + names)]
        for v, calls in enumerate(both):
            lines.append("\t".join(["1", str(v + 1), f"rs{v}", "A", "C", ".", ".", ".", "GT"] +
                                   [f"{x}/{y}" for x, y in calls]))
        stem.with_suffix(".vcf").write_text("\n".join(lines) + "\n")
        sides = ["#IID\tSIDE"] + [f"{name}\t{'ab'[i // SAMPLES]}" for i, name in enumerate(names)]
        stem.with_suffix(".txt").write_text("\n".join(sides) + "\n")
        subprocess.run(["plink2", "--vcf", stem.with_suffix(".vcf"), "--pheno", stem.with_suffix(".txt"), "--fst",
                        "SIDE", f"method={method}", "--out", stem], check=True, stdout=subprocess.DEVNULL)
        return float(stem.with_suffix(".fst.summary").read_text().split()[-1])


def label_matrix(genotypes):
    parts = [genotypes[:, cohorts.labels_of(SAMPLES, LABELS) == label] for label in range(LABELS)]
    return np.array([hudson(parts[i], parts[j]) for i in range(LABELS) for j in range(i + 1, LABELS)])


def expected():
    real = genotype_array(102, 1)
    result = {"real": {"matrix": label_matrix(real).tolist()}}
    for name, (seed, founders) in CANDIDATES.items():
        candidate = genotype_array(seed, founders)
        genotypes = agreement(genotype_rates(real), genotype_rates(candidate))
        result[name] = {
            "all": allele_frequencies(real, candidate),
            "af.kl_bits": divergence(real, candidate),
            "gf": genotypes,
            "hwe": hardy_weinberg(real, candidate),
            "fst.hudson": hudson(real, candidate),
            "fst.weir_cockerham": weir_cockerham(real, candidate),
            "plink2": {method: plink(real, candidate, method) for method in ("hudson", "wc")},
            "matrix": label_matrix(candidate).tolist(),
            "fst.matrix_rmse": float(np.linalg.norm(label_matrix(candidate) - label_matrix(real)) /
                                     np.sqrt(LABELS * (LABELS - 1) / 2)),
        } | retention(real, candidate) | heterozygosity(real, candidate)
        for label in range(LABELS):
            with_label = cohorts.labels_of(SAMPLES, LABELS) == label
            result[name][f"label {label}"] = allele_frequencies(real[:, with_label], candidate[:, with_label]) | {
                "fst.hudson": hudson(real[:, with_label], candidate[:, with_label])}
    return result
