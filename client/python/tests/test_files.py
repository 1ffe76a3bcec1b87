"""Files of cohorts: the bytes of the command line's, and what the tools of users read in them."""

from __future__ import annotations

import errno
import gzip
import os
import pathlib
import stat
import subprocess

import numpy as np
import pytest

import genoserve
from conftest import CommandLine
from genoserve import Client, testing
from genoserve._write import number_text


@pytest.mark.parametrize("model", ["tiny", "mice"])
@pytest.mark.parametrize("samples", [1, 333])
def test_files_are_those_of_the_command_line(
    client: Client, command_line: CommandLine, tmp_path: pathlib.Path, model: str, samples: int
) -> None:
    cohort = client.fetch(model, samples, seed=11)
    table = "panel.tsv" if model == "tiny" else "pheno.tsv"
    for output, suffixes in [
        (".vcf", ["vcf", table]),
        (".vcf.gz", ["vcf.gz", table]),
        (".bcf", ["bcf", table]),
        ("", ["bed", "bim", "fam", table]),
        (".pgen", ["pgen", "pvar", "psam", table]),
        (".npy", ["npy", "variants.tsv", "samples.tsv", table]),
    ]:
        names = cohort.write(tmp_path / f"py{output}", force=True)
        assert sorted(names) == sorted(str(tmp_path / f"py.{suffix}") for suffix in suffixes)
        command_line.fetch(model, "-n", str(samples), "--seed", "11", "-o", f"cli{output}", "--force")
        for suffix in suffixes:
            ours, theirs = (tmp_path / f"{name}.{suffix}" for name in ("py", "cli"))
            read = gzip.decompress if suffix in ("vcf.gz", "bcf") else bytes
            assert read(ours.read_bytes()) == read(theirs.read_bytes()), suffix
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_shard_has_its_own_samples(client: Client, command_line: CommandLine, tmp_path: pathlib.Path) -> None:
    client.fetch("tiny", 3000, seed=11, shard=(2, 3), regions="1:1-20000").write(tmp_path / "py.vcf")
    command_line.fetch("tiny", "-n", "3000", "--seed", "11", "--shard", "2/3", "-r", "1:1-20000", "-o", "cli.vcf")
    assert (tmp_path / "py.vcf").read_bytes() == (tmp_path / "cli.vcf").read_bytes()


def test_bcftools_reads_the_genotypes(client: Client, tmp_path: pathlib.Path) -> None:
    cohort = client.fetch("tiny", 200, seed=2)
    cohort.write(tmp_path / "c.vcf.gz")
    subprocess.run(["bcftools", "index", tmp_path / "c.vcf.gz"], check=True)
    query = ["bcftools", "query", "-f", "%ID[\\t%GT]\\n", str(tmp_path / "c.vcf.gz")]
    lines = subprocess.run(query, check=True, capture_output=True, text=True)
    assert lines.stderr == ""
    rows = [line.split("\t") for line in lines.stdout.splitlines()]
    assert [row[0] for row in rows] == list(cohort.variants["id"])
    calls = np.array([[[int(allele) for allele in call.split("|")] for call in row[1:]] for row in rows])
    np.testing.assert_array_equal(calls.transpose(1, 0, 2), cohort.haplotypes)


def test_plink2_reads_the_genotypes(client: Client, tmp_path: pathlib.Path) -> None:
    cohort = client.fetch("mice", 201, seed=2)
    cohort.write(tmp_path / "c.bed")
    command = ["plink2", "--bfile", "c", "--real-ref-alleles", "--export", "A", "--silent", "--out", "c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    table = [line.split() for line in (tmp_path / "c.raw").read_text().splitlines()]
    # plink2 counts REF here unless told otherwise.
    counts = 2 - np.array([row[6:] for row in table[1:]], dtype=np.int8)
    np.testing.assert_array_equal(counts, cohort.genotypes)


@pytest.mark.parametrize("model", ["tiny", "mice"])
def test_plink2_reads_pgen(client: Client, tmp_path: pathlib.Path, model: str) -> None:
    cohort = client.fetch(model, 333, seed=2)
    cohort.write(tmp_path / "c.pgen")
    cohort.write(tmp_path / "b.bcf")
    plink2 = ["plink2", "--silent", "--pfile", "c"]
    subprocess.run([*plink2, "--validate", "--out", "c"], cwd=tmp_path, check=True)
    subprocess.run([*plink2, "--export", "vcf", "--out", "exported"], cwd=tmp_path, check=True)
    query = ["bcftools", "query", "-f", "%CHROM %POS %ID %REF %ALT[ %GT]\\n"]
    read = [subprocess.run([*query, name], cwd=tmp_path, check=True, capture_output=True).stdout
            for name in ("exported.vcf", "b.bcf")]  # fmt: skip
    assert read[0] == read[1]
    assert read[0].count(b"\n") == len(cohort.variants)


@pytest.mark.parametrize("model", ["tiny", "mice"])
def test_numpy_reads_npy(client: Client, tmp_path: pathlib.Path, model: str) -> None:
    cohort = client.fetch(model, 20, seed=2)
    cohort.write(tmp_path / "c.npy")
    rows = np.load(tmp_path / "c.npy")
    np.testing.assert_array_equal(rows[0::2] + rows[1::2] if cohort.phased else rows, cohort.to_numpy())


def test_files_are_not_replaced_unasked(client: Client, tmp_path: pathlib.Path) -> None:
    cohort = client.fetch("tiny", 20, seed=2)
    (tmp_path / "c.fam").write_text("mine")
    with pytest.raises(FileExistsError, match="force=True"):
        cohort.write(tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["c.fam"]
    with pytest.raises(genoserve.UsageError, match="the formats are"):
        cohort.write(tmp_path / "c.zarr")
    with pytest.raises(FileNotFoundError):
        cohort.write(tmp_path / "nowhere" / "c.vcf")


@pytest.mark.parametrize("suffix", ["bed", "pgen", "npy", "vcf"])
def test_a_main_file_stands_beside_its_own_companions(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    old, new = testing.tiny(samples=20), testing.tiny(samples=30, variants=40, seed=2)
    expected = [pathlib.Path(name) for name in new.write(tmp_path / f"new.{suffix}")]
    replace, fsync = os.replace, os.fsync
    for ends_after in range(len(expected) + 1):
        folder = tmp_path / str(ends_after)
        folder.mkdir()
        old.write(folder / f"c.{suffix}")
        events: list[str] = []

        def counted(source: str, target: str) -> None:
            if len(events) == ends_after:
                raise KeyboardInterrupt
            replace(source, target)
            events.append(target)

        def recorded(file: int) -> None:
            fsync(file)
            if stat.S_ISDIR(os.fstat(file).st_mode):
                events.append("folder")

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", counted)
            patch.setattr(os, "fsync", recorded)
            if ends_after < len(expected):
                with pytest.raises(KeyboardInterrupt):
                    new.write(folder / f"c.{suffix}", force=True)
                assert not (folder / f"c.{suffix}").exists()
            else:
                new.write(folder / f"c.{suffix}", force=True)
                assert events[-2:] == [str(folder / f"c.{suffix}"), "folder"]
                for file in expected:
                    assert (folder / file.name.replace("new", "c", 1)).read_bytes() == file.read_bytes()


def test_a_failure_leaves_the_old_files(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = testing.tiny(samples=20).write(tmp_path / "c.bed")
    before = {name: pathlib.Path(name).read_bytes() for name in names}

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        testing.tiny(samples=30).write(tmp_path / "c.bed", force=True)
    assert {str(path): path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (24.5, "24.5"), (24.0, "24"), (0.1, "0.1"), (1e5, "1e+05"), (123456.0, "123456"), (1e-5, "1e-05"),
        (0.0001, "1e-04"), (0.00012, "0.00012"), (-3.25, "-3.25"), (0.0, "0"), (1e22, "1e+22"),
        (12345678901234567890.0, "12345678901234567168"), (2.5e-300, "2.5e-300"),
    ],
)  # fmt: skip
def test_numbers_as_the_command_line_writes_them(value: float, text: str) -> None:
    assert number_text(value) == text
