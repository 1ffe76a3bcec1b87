"""Cohorts as pandas and xarray have them."""

from __future__ import annotations

import pathlib

import numpy as np
import xarray as xr

from genoserve import Client


def test_pandas(client: Client) -> None:
    cohort = client.fetch("mice", 30, seed=1)
    frame = cohort.to_pandas()
    assert list(frame.columns) == ["weight", "coat"]
    assert list(frame.index) == list(cohort.samples)
    np.testing.assert_array_equal(frame["weight"], cohort.phenotypes["weight"])
    whole = client.fetch("tiny", 30, seed=1).to_pandas(genotypes=True)
    assert list(whole.columns[:3]) == ["pop", "tiny1", "tiny2"]
    assert whole["tiny1"].dtype == np.int8
    assert list(whole["pop"]) == list(client.fetch("tiny", 30, seed=1).labels)


def test_xarray_has_the_names_of_vcf_zarr(client: Client, tmp_path: pathlib.Path) -> None:
    for model in ("tiny", "mice"):
        cohort = client.fetch(model, 30, seed=1)
        data = cohort.to_xarray()
        variants = len(cohort.variants)
        assert dict(data.sizes) == {"variants": variants, "samples": 30, "ploidy": 2, "alleles": 2, "contigs": 1}
        np.testing.assert_array_equal(data["call_genotype"].sum("ploidy").T, cohort.genotypes)
        assert bool(data["call_genotype_phased"].all()) == cohort.phased
        np.testing.assert_array_equal(data["variant_position"], cohort.variants["position"])
        np.testing.assert_array_equal(data["contig_id"][data["variant_contig"]], cohort.variants["contig"])
        assert list(data["variant_allele"].values[0]) == ["A", "C"]
        assert data.attrs["ManifestSha256"] == cohort.header.artifact_digest
        data.to_zarr(tmp_path / model, zarr_format=2, consolidated=True)
        with xr.open_zarr(tmp_path / model) as again:
            xr.testing.assert_equal(again.load(), data)
