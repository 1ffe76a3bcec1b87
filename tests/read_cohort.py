"""Reads one cohort in several formats with the libraries of their makers and checks that all of them are the same.

read_cohort.py PREFIX ...: PREFIX.vcf, .npy, .pgen and .zarr; PREFIX.vcf is read by scikit-allel.
"""
import csv
import json
import pathlib
import sys

import allel
import numpy
import pgenlib
import zarr


def main(prefix):
    vcf = allel.read_vcf(prefix + ".vcf", fields=["samples", "variants/*", "calldata/GT"],
                         chunk_length=64)  # its buffer has so many variants
    calls = vcf["calldata/GT"].astype(numpy.int8)  # variants x samples x 2; -1 where there is no allele
    haploid = (calls[..., 0] >= 0) & (calls[..., 1] < 0)
    phased = b"|" in pathlib.Path(prefix + ".vcf").read_bytes()

    group = zarr.open_group(prefix + ".zarr", mode="r")
    genotype = group["call_genotype"][:]
    assert (haploid == ((genotype[..., 0] >= 0) & (genotype[..., 1] == -2))).all()
    assert (numpy.where(genotype == -2, -1, genotype) == calls).all()
    assert (group["call_genotype_phased"][:] == phased).all() and group["variant_filter"][:].all()
    assert list(group["sample_id"][:]) == list(vcf["samples"])
    assert list(group["variant_id"][:]) == list(vcf["variants/ID"])
    assert (group["variant_position"][:] == vcf["variants/POS"]).all()
    assert list(group["contig_id"][:][group["variant_contig"][:]]) == list(vcf["variants/CHROM"])
    alleles = numpy.array(group["variant_allele"][:].tolist())
    assert list(alleles[:, 0]) == list(vcf["variants/REF"]) and list(alleles[:, 1]) == list(vcf["variants/ALT"][:, 0])
    assert group["variant_quality"][:].view(numpy.uint32).tolist() == [0x7F800001] * len(calls)
    assert group.attrs["vcf_zarr_version"] == "0.4"
    # xarray takes a fill value for that of missing calls, and makes floats of everything.
    for name, array in group.arrays():
        about = json.loads((pathlib.Path(prefix + ".zarr") / name / ".zarray").read_text())
        assert about["fill_value"] is None and array.shape[0] == about["shape"][0], name

    # Haploid calls count twice where there are two bits for each.
    diploid = calls.copy()
    diploid[..., 1][haploid] = diploid[..., 0][haploid]
    counts = numpy.where((diploid < 0).any(axis=2), -1, diploid.sum(axis=2)).astype(numpy.int8)

    array = numpy.load(prefix + ".npy")
    assert array.dtype == numpy.int8
    if phased:
        assert (array[0::2].T == diploid[..., 0]).all() and (array[1::2].T == diploid[..., 1]).all()
    else:
        assert (array.T == counts).all()
    with open(prefix + ".samples.tsv", newline="") as file:
        assert [row["sample"] for row in csv.DictReader(file, delimiter="\t")] == list(vcf["samples"])
    with open(prefix + ".variants.tsv", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file, delimiter="\t")] == list(vcf["variants/ID"])

    pgen = pgenlib.PgenReader((prefix + ".pgen").encode())
    assert (pgen.get_variant_ct(), pgen.get_raw_sample_ct()) == counts.shape
    read = numpy.empty(counts.shape, numpy.int8)
    pgen.read_range(0, len(read), read)
    assert (numpy.where(read < 0, -1, read) == counts).all()
    if phased:
        haplotypes = numpy.empty((len(read), 2 * counts.shape[1]), numpy.int32)
        pgen.read_alleles_range(0, len(read), haplotypes)
        assert pgen.hardcall_phase_present()
        assert (haplotypes == diploid.reshape(haplotypes.shape)).all()


if __name__ == "__main__":
    for each in sys.argv[1:]:
        main(each)
