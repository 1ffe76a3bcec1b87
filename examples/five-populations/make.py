#!/usr/bin/env python3
"""Makes the example panel: 600 simulated people of five populations, 1,000 variants on three contigs, two phenotypes.

Writes panel.vcf.gz, panel.vcf.gz.csi, panel.tsv, pheno.tsv and effects.tsv into the folder given, and prints what the
panel looks like. Needs requirements.txt, and bgzip and bcftools on the PATH. Equal versions write equal content.
"""
import argparse
import itertools
import pathlib
import subprocess

import msprime
import numpy as np

SEED = 20250107
PEOPLE = {"COA": 120, "HIL": 120, "ISL": 120, "RIV": 120, "VAL": 120}
CONTIG_LENGTH = 250_000  # base pairs
VARIANTS = {"1": 334, "2": 333, "3": 333}
MINOR_ALLELE_FREQUENCY = 0.01
MUTATION_RATE = 1.25e-8  # a base pair and generation
BACKGROUND_RATE, HOTSPOT_RATE = 3e-9, 2e-7  # recombinations a base pair and generation
HOTSPOTS, HOTSPOT_LENGTH = 5, 2_000

STATURE_MEAN, STATURE_SD = 165.0, 6.5  # cm; the standard deviation is that within a sex
STATURE_SEX = 12.0  # cm that men are taller
STATURE_HERITABILITY, STATURE_CAUSAL = 0.6, 12
AFFECTED_SHARE = 0.3
AFFECTED_HERITABILITY, AFFECTED_CAUSAL = 0.6, 8
MAX_CAUSAL_R2 = 0.02


def history():
    """West (COA, RIV; ISL settled from COA by few) and east (HIL, VAL) parted 1,100 generations ago."""
    demography = msprime.Demography()
    for name, size in {"COA": 8000, "RIV": 6000, "ISL": 2000, "HIL": 5000, "VAL": 6000,
                       "WEST": 7000, "EAST": 6000, "ROOT": 11000}.items():
        demography.add_population(name=name, initial_size=size)
    demography.set_symmetric_migration_rate(["COA", "RIV"], 2e-5)
    demography.set_symmetric_migration_rate(["RIV", "VAL"], 2e-5)
    demography.add_mass_migration(time=200, source="ISL", dest="COA", proportion=1)
    demography.add_population_split(time=700, derived=["COA", "RIV"], ancestral="WEST")
    demography.add_population_split(time=700, derived=["HIL", "VAL"], ancestral="EAST")
    demography.add_population_split(time=1100, derived=["WEST", "EAST"], ancestral="ROOT")
    demography.sort_events()
    return demography


def recombination(rng):
    """A low rate with hotspots, so that LD comes in blocks as it does in people."""
    starts = np.sort(rng.choice(CONTIG_LENGTH // HOTSPOT_LENGTH - 2, HOTSPOTS, replace=False) + 1) * HOTSPOT_LENGTH
    edges = np.unique(np.concatenate([[0, CONTIG_LENGTH], starts, starts + HOTSPOT_LENGTH]))
    rates = [HOTSPOT_RATE if start in starts else BACKGROUND_RATE for start in edges[:-1]]
    return msprime.RateMap(position=edges, rate=rates)


def simulate_contig(contig, wanted, rng):
    """Returns [(contig, position, ref, alt)] and alleles [variant, haplotype], the haplotypes of a person adjacent."""
    samples = [msprime.SampleSet(n, population=name) for name, n in PEOPLE.items()]
    seed = SEED + 10 * int(contig)
    trees = msprime.sim_ancestry(samples, demography=history(), recombination_rate=recombination(rng),
                                 random_seed=seed)
    trees = msprime.sim_mutations(trees, rate=MUTATION_RATE, random_seed=seed + 1)
    variants, rows = [], []
    for variant in trees.variants():
        frequency = variant.genotypes.mean()
        biallelic = variant.num_alleles == 2 and variant.genotypes.max() == 1
        if biallelic and MINOR_ALLELE_FREQUENCY <= frequency <= 1 - MINOR_ALLELE_FREQUENCY:
            variants.append((contig, int(variant.site.position) + 1, *variant.alleles))
            rows.append(variant.genotypes)
    keep = np.sort(rng.choice(len(variants), wanted, replace=False))
    return [variants[i] for i in keep], np.array(rows, dtype=np.int8)[keep]


def name_of(variant):
    return ":".join(map(str, variant))


def write_vcf(path, samples, variants, alleles):
    with open(path, "w", encoding="ascii") as out:
        out.write("##fileformat=VCFv4.3\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n")
        out.write(f"##source=msprime-{msprime.__version__}\n")
        for contig in VARIANTS:
            out.write(f"##contig=<ID={contig},length={CONTIG_LENGTH}>\n")
        out.write("##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n")
        out.write("\t".join("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".split() + samples) + "\n")
        for variant, row in zip(variants, alleles):
            contig, position, ref, alt = variant
            calls = [f"{a}|{b}" for a, b in row.reshape(-1, 2)]
            fields = [contig, str(position), name_of(variant), ref, alt, ".", "PASS", ".", "GT"]
            out.write("\t".join(fields + calls) + "\n")
    subprocess.run(["bgzip", "--force", "--compress-level", "9", path], check=True)
    subprocess.run(["bcftools", "index", "--force", "--csi", f"{path}.gz"], check=True)


def genetic_value(genotypes, count, rng):
    """Picks causal variants, hardly correlated so that each can be found alone, and effects an ALT allele, larger the
    rarer the variant. The value has mean 0 and variance 1."""
    frequency = genotypes.mean(axis=1) / 2
    chosen = []
    for i in rng.permutation(np.flatnonzero((frequency >= 0.05) & (frequency <= 0.95))):
        if all(np.corrcoef(genotypes[i], genotypes[j])[0, 1] ** 2 < MAX_CAUSAL_R2 for j in chosen):
            chosen.append(i)
        if len(chosen) == count:
            break
    chosen = np.sort(chosen)
    p = frequency[chosen]
    effects = rng.choice([-1, 1], count) * rng.uniform(0.5, 1.5, count) / np.sqrt(2 * p * (1 - p))
    value = effects @ genotypes[chosen]
    return chosen, effects / value.std(), (value - value.mean()) / value.std()


def phenotypes(genotypes, men, rng):
    """Returns stature in cm, affected as a truth value, and the lines of effects.tsv."""
    chosen, effects, value = genetic_value(genotypes, STATURE_CAUSAL, rng)
    scale = STATURE_SD * np.sqrt(STATURE_HERITABILITY)
    noise = rng.normal(0, STATURE_SD * np.sqrt(1 - STATURE_HERITABILITY), len(men))
    stature = STATURE_MEAN + STATURE_SEX * (men - 0.5) + scale * value + noise
    truth = [("stature", i, effect * scale) for i, effect in zip(chosen, effects)]

    chosen, effects, value = genetic_value(genotypes, AFFECTED_CAUSAL, rng)
    scale = np.sqrt(AFFECTED_HERITABILITY)
    liability = scale * value + rng.normal(0, np.sqrt(1 - AFFECTED_HERITABILITY), len(men))
    affected = liability > np.quantile(liability, 1 - AFFECTED_SHARE)
    truth += [("affected", i, effect * scale) for i, effect in zip(chosen, effects)]
    return stature, affected, truth


def fst(genotypes, a, b):
    """Hudson's Fst, the ratio of averages (Bhatia et al. 2013, formula 10)."""
    pa, pb = genotypes[:, a].mean(axis=1) / 2, genotypes[:, b].mean(axis=1) / 2
    na, nb = 2 * a.sum(), 2 * b.sum()
    above = (pa - pb) ** 2 - pa * (1 - pa) / (na - 1) - pb * (1 - pb) / (nb - 1)
    return above.sum() / (pa * (1 - pb) + pb * (1 - pa)).sum()


def report(variants, alleles, genotypes, population):
    print(f"{len(population)} people, {len(variants)} variants")
    pairs = [fst(genotypes, population == a, population == b) for a, b in itertools.combinations(PEOPLE, 2)]
    print(f"Fst of two populations: {min(pairs):.3f} to {max(pairs):.3f}, mean {np.mean(pairs):.3f}")
    for a, b in itertools.combinations(PEOPLE, 2):
        print(f"  {a} {b} {fst(genotypes, population == a, population == b):.3f}")
    neighbours = [i for i in range(1, len(variants)) if variants[i][0] == variants[i - 1][0]]
    for name in PEOPLE:
        own = alleles[:, np.repeat(population == name, 2)]
        varied = [i for i in neighbours if own[i].std() > 0 and own[i - 1].std() > 0]
        r2 = [np.corrcoef(own[i], own[i - 1])[0, 1] ** 2 for i in varied]
        print(f"mean r2 of neighbouring variants in {name}: {np.mean(r2):.2f}; {(own.std(axis=1) > 0).mean():.0%} vary")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)

    parts = [simulate_contig(contig, wanted, rng) for contig, wanted in VARIANTS.items()]
    variants = [variant for part, _ in parts for variant in part]
    alleles = np.concatenate([rows for _, rows in parts])
    genotypes = alleles.reshape(len(variants), -1, 2).sum(axis=2)
    population = np.repeat(list(PEOPLE), list(PEOPLE.values()))
    samples = [f"FP{i + 1:04d}" for i in range(len(population))]
    men = rng.random(len(samples)) < 0.5
    stature, affected, truth = phenotypes(genotypes, men, rng)

    write_vcf(folder / "panel.vcf", samples, variants, alleles)
    with open(folder / "panel.tsv", "w", encoding="ascii") as out:
        out.write("sample\tpop\tsex\n")
        out.writelines(f"{s}\t{p}\t{'M' if m else 'F'}\n" for s, p, m in zip(samples, population, men))
    with open(folder / "pheno.tsv", "w", encoding="ascii") as out:
        out.write("#IID\tstature\taffected\n")
        out.writelines(f"{s}\t{h:.1f}\t{'case' if a else 'control'}\n" for s, h, a in zip(samples, stature, affected))
    with open(folder / "effects.tsv", "w", encoding="ascii") as out:
        out.write("phenotype\tid\talt\talt_frequency\teffect\n")
        for phenotype, i, effect in truth:
            frequency = genotypes[i].mean() / 2
            out.write(f"{phenotype}\t{name_of(variants[i])}\t{variants[i][3]}\t{frequency:.4f}\t{effect:.4f}\n")
    report(variants, alleles, genotypes, population)


if __name__ == "__main__":
    main()
