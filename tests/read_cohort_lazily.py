"""Reads one cohort with the libraries that people analyse in memory-bounded pieces with, as BED by pandas-plink and as VCF
Zarr by sgkit, and checks that both are the same.

read_cohort_lazily.py PREFIX ...: PREFIX.bed with its .bim and .fam, and PREFIX.zarr.
"""
import sys
import warnings

import numpy

warnings.simplefilter("ignore")  # of the libraries, to each other
import pandas_plink
import sgkit


def main(prefix):
    cohort = sgkit.load_dataset(prefix + ".zarr")
    calls = cohort["call_genotype"].values.astype(numpy.int64)  # variants x samples x 2; -2 where there is no second
    missing = (calls == -1).any(axis=2)
    haploid = calls[..., 1] == -2
    alt = numpy.where(missing, -1, numpy.where(haploid, 2 * calls[..., 0], calls.sum(axis=2)))
    # It counts no haploid call as one.
    rate = sgkit.variant_stats(cohort)["variant_call_rate"].values
    assert numpy.allclose(rate, 1 - (missing | haploid).mean(axis=1))

    bed = pandas_plink.read_plink1_bin(prefix + ".bed", verbose=False)  # samples x variants, counts of the second allele
    ref = bed.values
    assert (numpy.where(numpy.isnan(ref), -1, 2 - ref).T == alt).all()
    alleles = numpy.array(cohort["variant_allele"].values.tolist())
    assert list(bed.a1.values) == list(alleles[:, 0]) and list(bed.a0.values) == list(alleles[:, 1])
    assert list(bed.iid.values) == list(cohort["sample_id"].values)
    assert list(bed.snp.values) == list(cohort["variant_id"].values)
    assert (bed.pos.values == cohort["variant_position"].values).all()


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(each)
