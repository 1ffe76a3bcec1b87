"""Small cohorts that core/quality/test_cohorts.h makes too, bit for bit, so that both sides measure the same data."""
import numpy as np

MASK = (1 << 64) - 1


class Random:
    """SplitMix64 (Steele, Lea and Flood 2014)."""

    def __init__(self, seed):
        self.state = seed & MASK

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return (self.bits() >> 33) % bound


def haplotypes(seed, samples, variants, labels=2, founders_seed=1):
    """2 x samples rows of 0 and 1, rows 2i and 2i + 1 of sample i, whose label is i % labels.

    Rows are mosaics of six founders of their label, with mutations: neighbours are linked, labels differ, and some
    variants are rare. Cohorts of one founders_seed are of one population.
    """
    random = Random(founders_seed)
    founders = []
    for _ in range(labels):
        pool = []
        for _ in range(6):
            pool.append([1 if random.below(100) < 5 + 10 * (v % 8) else 0 for v in range(variants)])
        founders.append(pool)
    random = Random(seed)
    rows = np.zeros((2 * samples, variants), dtype=np.int8)
    for row in range(2 * samples):
        pool = founders[row // 2 % labels]
        founder = random.below(6)
        for v in range(variants):
            if random.below(16) == 0:
                founder = random.below(6)
            allele = pool[founder][v]
            if random.below(64) == 0:
                allele = 1 - allele
            rows[row, v] = allele
    return rows


def diploid(seed, samples, variants, labels=2, founders_seed=1):
    """The same added up: samples x variants of 0, 1 and 2."""
    rows = haplotypes(seed, samples, variants, labels, founders_seed)
    return (rows[0::2] + rows[1::2]).astype(np.int8)


def labels_of(samples, labels=2):
    return np.arange(samples) % labels
