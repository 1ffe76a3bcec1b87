"""Files of cohorts, with the bytes that the command line writes (but for the compression of .vcf.gz and .bcf)."""

from __future__ import annotations

import contextlib
import decimal
import os
import re
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Callable

from genoserve import _formats
from genoserve._connection import Path
from genoserve.errors import UsageError

if TYPE_CHECKING:
    from genoserve.cohort import Cohort

_SUFFIXES = (".vcf.gz", ".vcf", ".bcf", ".bed", ".pgen", ".npy")
_ELSEWHERE = (".hap", ".haps", ".hapt", ".zarr")  # formats of this project that are not this package's


def write(cohort: Cohort, path: Path, force: bool) -> list[str]:
    name = os.fspath(path)
    suffix = next((s for s in _SUFFIXES if name.endswith(s)), "")
    prefix = name[: len(name) - len(suffix)]
    if not prefix or prefix.endswith("/"):
        raise UsageError(f'"{name}" names no file')
    if not suffix and name.endswith(_ELSEWHERE):
        raise UsageError(f"{name}: the formats are {', '.join(_SUFFIXES)}; genoserve fetch writes others")
    writers: dict[str, Callable[[Cohort, IO[bytes]], None]]
    if suffix == ".vcf":
        writers = {name: _formats.write_vcf}
    elif suffix == ".vcf.gz":
        writers = {name: _formats.write_vcf_gz}
    elif suffix == ".bcf":
        writers = {name: _formats.write_bcf}
    elif suffix == ".npy":
        tables = {f"{prefix}.variants.tsv": _formats.write_variants, f"{prefix}.samples.tsv": _write_samples}
        writers = {name: _formats.write_npy, **tables}
    elif suffix == ".pgen":
        writers = {name: _formats.write_pgen, f"{prefix}.pvar": _formats.write_pvar, f"{prefix}.psam": _write_psam}
    else:
        beside = {f"{prefix}.bim": _formats.write_bim, f"{prefix}.fam": _formats.write_fam}
        writers = {f"{prefix}.bed": _formats.write_bed, **beside}
    if cohort.header.labels:
        writers[f"{prefix}.panel.tsv"] = _write_panel
    if cohort.header.phenotypes:
        writers[f"{prefix}.pheno.tsv"] = _write_pheno
    for file in writers:
        if not force and os.path.exists(file):
            raise FileExistsError(f"{file}: is there already; force=True replaces it")
    with contextlib.ExitStack() as stack:
        staged = {}
        for file, writer in writers.items():
            handle = stack.enter_context(_staged(file))
            staged[file] = handle.name
            writer(cohort, handle)
            handle.flush()
            os.fsync(handle.fileno())
        _commit(staged)
    return list(writers)


def _commit(staged: dict[str, str]) -> None:
    """Gives files, which are on the disk under temporary names, their own; the first one is the main one. Wherever that
    ends, a main file stands beside the companions that belong to it: it goes first and comes last."""
    main, *companions = staged
    if companions:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(main)
    for file in [*companions, main]:
        os.replace(staged[file], file)
    folder = os.open(os.path.dirname(main) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _staged(path: str) -> Iterator[IO[bytes]]:
    """A file beside the path that is removed unless it was renamed."""
    parent, base = os.path.split(path)
    with tempfile.NamedTemporaryFile(dir=parent or ".", prefix=f".{base}.", delete=False) as file:
        try:
            os.chmod(file.name, 0o666 & ~_umask())
            yield file
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_panel(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(f"sample\t{cohort.header.label_column}\n".encode())
    for name, label in zip(cohort.samples, cohort.labels):
        file.write(f"{name}\t{label}\n".encode())


def _phenotype_texts(cohort: Cohort) -> dict[str, list[str]]:
    """The values of each phenotype, as they are written."""
    texts = {}
    for schema in cohort.header.phenotypes:
        values = cohort.phenotypes[schema.name]
        texts[schema.name] = (
            [str(value) for value in values]
            if schema.HasField("categorical")
            else [number_text(float(value)) for value in values]
        )
    return texts


def _write_pheno(cohort: Cohort, file: IO[bytes]) -> None:
    columns = _phenotype_texts(cohort)
    file.write(("\t".join(["#IID", *columns]) + "\n").encode())
    for row in zip(cohort.samples, *columns.values()):
        file.write(("\t".join(row) + "\n").encode())


def _sample_texts(cohort: Cohort) -> dict[str, list[str]]:
    """Labels and phenotypes, as they are written."""
    columns = _phenotype_texts(cohort)
    if not cohort.header.labels:
        return columns
    return {cohort.header.label_column: [str(label) for label in cohort.labels], **columns}


def _write_samples(cohort: Cohort, file: IO[bytes]) -> None:
    columns = _sample_texts(cohort)
    file.write(("\t".join(["sample", "sex", *columns]) + "\n").encode())
    for name, *values in zip(cohort.samples, *columns.values()):
        file.write(("\t".join([name, "0", *values]) + "\n").encode())


def _write_psam(cohort: Cohort, file: IO[bytes]) -> None:
    columns = _sample_texts(cohort)
    own = ("FID", "IID", "SID", "PAT", "MAT", "SEX")
    names = [re.sub(r"\s", "_", name) + ("_" if name in own else "") for name in columns]
    file.write(("\t".join(["#IID", "SEX", *names]) + "\n").encode())
    for row in zip(cohort.samples, *(_psam_values(values) for values in columns.values())):
        file.write("\t".join([row[0], "NA", *row[1:]]).encode() + b"\n")


def _psam_values(values: list[str]) -> list[str]:
    """Numbers as they are; categories begin with a letter and hold no space, as plink2 wants them."""
    try:
        for value in values:
            float(value)
        return values
    except ValueError:
        return [("" if value[:1].isascii() and value[:1].isalpha() else "C") + re.sub(r"\s", "_", value) for value in values]


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number, as std::to_chars of C++ writes it."""
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0") or "0"
    exponent += len(text) - len(text.rstrip("0")) if text != "0" else 0
    text = text.rstrip("0") or "0"
    if text == "0":
        return "-0" if sign else "0"
    power = exponent + len(text) - 1
    scientific = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{'-' if power < 0 else '+'}{abs(power):02d}"
    if exponent >= 0:
        fixed = str(abs(int(value)))
    elif -exponent < len(text):
        fixed = text[:exponent] + "." + text[exponent:]
    else:
        fixed = "0." + "0" * (-exponent - len(text)) + text
    return ("-" if sign else "") + (fixed if len(fixed) <= len(scientific) else scientific)
