"""Cohorts from a real server: which samples they are, and what is refused."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genoserve
from genoserve import Client, Normal, Uniform


def test_a_cohort_has_what_was_asked_for(client: Client) -> None:
    cohort = client.fetch("tiny", 300, seed=7)
    assert cohort.genotypes.dtype == np.int8
    assert cohort.genotypes.shape == (300, 50)
    assert cohort.haplotypes.shape == (300, 50, 2)
    np.testing.assert_array_equal(cohort.haplotypes.sum(axis=2), cohort.genotypes)
    assert set(np.unique(cohort.genotypes)) == {0, 1, 2}
    assert list(cohort.samples[:2]) == ["SYN000001", "SYN000002"]
    assert cohort.samples[-1] == "SYN000300"
    assert set(cohort.labels) == {"north", "south"}
    assert (cohort.header.model, cohort.header.version, cohort.header.seed) == ("tiny", "1", 7)
    first = cohort.variants[0]
    assert (first["contig"], first["position"], first["id"], first["ref"], first["alt"]) == (
        "1",
        1000,
        "tiny1",
        "A",
        "C",
    )
    assert not cohort.packed.flags.writeable


def test_the_seed_decides(client: Client) -> None:
    one, same, other = (client.fetch("tiny@1", 50, seed=seed).genotypes for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    drawn = [client.fetch("tiny", 1).header.seed for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_shards_join(client: Client) -> None:
    whole = client.fetch("tiny", 5000, seed=3)
    parts = [client.fetch("tiny", 5000, seed=3, shard=(i, 3)) for i in (1, 2, 3)]
    np.testing.assert_array_equal(np.concatenate([part.packed for part in parts]), whole.packed)
    np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), whole.samples)
    assert [part.first_sample % 1024 for part in parts] == [0, 0, 0]


def test_regions_are_columns_of_the_whole(client: Client) -> None:
    whole = client.fetch("tiny", 40, seed=3)
    for regions in (
        "1:5000-12000,1:30000",
        ["1:5,000-12,000", "1:30000-30000"],
        [("1", 5000, 12000), ("1", 30000, 30000)],
    ):
        part = client.fetch("tiny", 40, seed=3, regions=regions)
        kept = np.isin(whole.variants["id"], part.variants["id"])
        assert kept.sum() == 9
        np.testing.assert_array_equal(part.genotypes, whole.genotypes[:, kept])
    np.testing.assert_array_equal(client.variants("tiny", ("1", 0, 2000)).records, whole.variants[:2])
    assert client.variants("tiny").contigs == (("1", 51000),)


def test_populations_come_in_blocks(client: Client) -> None:
    cohort = client.fetch("tiny", pop={"south": 3, "north": 2})
    assert list(cohort.labels) == ["south"] * 3 + ["north"] * 2
    cohort = client.fetch("tiny", 8, pop={"north": 0.25, "south": 0.75})
    assert list(cohort.labels) == ["north"] * 2 + ["south"] * 6


def test_phenotypes_are_what_was_asked_for(client: Client) -> None:
    cohort = client.fetch("mice", 200, seed=1, pheno={"weight": 2.5, "coat": "black"})
    assert set(cohort.phenotypes["weight"]) == {2.5}
    assert set(cohort.phenotypes["coat"]) == {"black"}
    drawn = client.fetch("mice", 200, seed=1, pheno={"weight": Normal(2, 0.5), "coat": {"black": 3, "albino": 1}})
    assert abs(drawn.phenotypes["weight"].mean() - 2) < 0.2
    assert set(drawn.phenotypes["coat"]) == {"black", "albino"}
    text = client.fetch("mice", 200, seed=1, pheno={"weight": "normal(2,0.5)", "coat": "black:3,albino:1"})
    np.testing.assert_array_equal(text.packed, drawn.packed)
    uniform = client.fetch("mice", 200, seed=1, pheno={"weight": Uniform(1, 2)}).phenotypes["weight"]
    assert uniform.min() >= 1 and uniform.max() <= 2


def test_phenotypes_outside_the_training_range(client: Client) -> None:
    training = client.model("mice").manifest.phenotypes[0].continuous
    heavy = training.maximum + (training.maximum - training.minimum)
    with pytest.raises(genoserve.UsageError, match="training range"):
        client.fetch("mice", 5, pheno={"weight": heavy})
    cohort = client.fetch("mice", 5, pheno={"weight": heavy}, extrapolate=True)
    assert set(cohort.phenotypes["weight"]) == {heavy}
    with pytest.raises(genoserve.UsageError, match="extrapolated"):
        client.fetch("mice", 5, pheno={"weight": heavy + 1}, extrapolate=True)


def test_conditions_of_single_samples(client: Client, tmp_path: pathlib.Path) -> None:
    table = pd.DataFrame({"weight": [1.0, 2.0, 3.0], "coat": ["black", "albino", "black"]})
    cohort = client.fetch("mice", seed=5, per_sample=table)
    assert list(cohort.phenotypes["weight"]) == [1, 2, 3]
    assert list(cohort.phenotypes["coat"]) == ["black", "albino", "black"]
    file = tmp_path / "pheno.tsv"
    file.write_text("#IID\tcoat\tweight\nA\tblack\t1\nB\talbino\t2\nC\tblack\t3\n")
    np.testing.assert_array_equal(client.fetch("mice", seed=5, pheno_file=file).packed, cohort.packed)
    part = client.fetch("mice", seed=5, per_sample=table, shard=(2, 3))
    np.testing.assert_array_equal(part.packed, cohort.packed[1:2])


def test_conditions_of_many_samples_take_several_calls(client: Client) -> None:
    weights = np.linspace(1, 3, 100_000)
    cohort = client.fetch("mice", seed=5, per_sample={"weight": weights})
    np.testing.assert_array_equal(cohort.phenotypes["weight"], weights)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "how many samples"),
        ({"n": 0}, "at least 1"),
        ({"n": 5, "pop": {"north": 4}}, "asks for 5 samples, but pop for 4"),
        ({"n": 5, "seed": -1}, "0 to 2^64"),
        ({"n": 5, "shard": (1, 2)}, "needs seed"),
        ({"n": 5, "seed": 1, "shard": (3, 2)}, "1 <= i <= n"),
        ({"n": 5, "regions": "1:9-3"}, "expected CONTIG"),
        ({"n": 5, "regions": "1:0-3"}, "expected CONTIG"),
        ({"n": 5, "pop": {"north": 0}}, "at least 1"),
        ({"n": 5, "pop": {"north": float("nan")}}, "more than 0"),
        ({"per_sample": {"weight": [1, 2], "coat": ["black"]}}, "one value of each column"),
    ],
)
def test_arguments_that_cannot_be_used(client: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(genoserve.UsageError, match=words.replace("^", r"\^")) as caught:
        client.fetch("tiny", **arguments)
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("model", "arguments", "error", "words"),
    [
        ("nobody", {}, genoserve.NotFoundError, "tiny"),
        ("tiny@9", {}, genoserve.NotFoundError, "9"),
        ("tiny@", {}, genoserve.UsageError, "NAME@VERSION"),
        ("tiny", {"pop": {"west": 5}}, genoserve.NotFoundError, "north, south"),
        ("tiny", {"regions": "7"}, genoserve.NotFoundError, "7"),
        ("tiny", {"pheno": {"weight": 1}}, genoserve.NotFoundError, "it has none"),
        ("mice", {"pheno": {"weight": 1e9}}, genoserve.UsageError, "weight"),
        ("mice", {"pheno": {"weight": "heavy"}}, genoserve.UsageError, "is not a number"),
        ("mice", {"pheno": {"weight": Uniform(2, 1)}}, genoserve.UsageError, "LOW <= HIGH"),
        ("mice", {"pheno": {"coat": "pink"}}, genoserve.NotFoundError, "black"),
        ("mice", {"pheno": {"coat": {"black": 0}}}, genoserve.UsageError, "more than 0"),
        ("mice", {"per_sample": {"weight": [1, 2, None, 4, 5]}}, genoserve.UsageError, "sample 3 has no weight"),
        ("mice", {"per_sample": {"height": [1] * 5}}, genoserve.UsageError, "weight, coat"),
    ],
)
def test_requests_that_cannot_be_met(
    client: Client, model: str, arguments: dict[str, Any], error: type[genoserve.GenoserveError], words: str
) -> None:
    with pytest.raises(error, match=words):
        client.fetch(model, 5, **arguments)


def test_models_are_listed(client: Client) -> None:
    assert [model.name for model in client.models()] == ["five-populations", "mice", "tiny"]
    manifest = client.model("mice").manifest
    assert [schema.name for schema in manifest.phenotypes] == ["weight", "coat"]


def test_diploid_models_have_no_haplotypes(client: Client) -> None:
    cohort = client.fetch("mice", 30, seed=1)
    assert cohort.genotypes.shape == (30, 37)
    with pytest.raises(genoserve.UsageError, match="without phase"):
        cohort.haplotypes  # noqa: B018
