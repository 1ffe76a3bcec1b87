"""Files of cohorts, with the bytes that the command line writes (but for the compression of .vcf.gz)."""

from __future__ import annotations

import contextlib
import decimal
import os
import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from importlib import metadata
from typing import IO, TYPE_CHECKING, Callable

import numpy as np
import numpy.typing as npt

from genoserve._connection import Path
from genoserve.errors import UsageError
from genoserve.genotypes import pack, unpack
from genoserve.v1 import cohort_pb2

if TYPE_CHECKING:
    from genoserve.cohort import Cohort

_CHUNK = 16 << 20  # bytes of text or genotypes that are made at a time
_ELSEWHERE = (".bcf", ".pgen", ".zarr")  # formats of this project that are not this package's

# By the code of a genotype: ALT count, 3 = missing; or of the alleles of both haplotypes, first + 2 * second.
_DIPLOID_CALLS = [b"\t0/0", b"\t0/1", b"\t1/1", b"\t./."]
_PHASED_CALLS = [b"\t0|0", b"\t1|0", b"\t0|1", b"\t1|1"]
# 00 two A1, 01 missing, 10 one of each, 11 two A2; A1 is ALT.
_DIPLOID_BED = np.array([3, 2, 0, 1], np.int8)
_PHASED_BED = np.array([3, 2, 2, 0], np.int8)


def write(cohort: Cohort, path: Path, force: bool) -> list[str]:
    name = os.fspath(path)
    suffix = next((s for s in (".vcf.gz", ".vcf", ".bed", ".npy") if name.endswith(s)), "")
    prefix = name[: len(name) - len(suffix)]
    if not prefix or prefix.endswith("/"):
        raise UsageError(f'"{name}" names no file')
    if not suffix and name.endswith(_ELSEWHERE):
        raise UsageError(f"{name}: the formats are .vcf, .vcf.gz, .bed and .npy; genoserve fetch writes others")
    writers: dict[str, Callable[[Cohort, IO[bytes]], None]]
    if suffix == ".vcf":
        writers = {name: _write_vcf}
    elif suffix == ".vcf.gz":
        writers = {name: _write_vcf_gz}
    elif suffix == ".npy":
        writers = {name: lambda cohort, file: np.save(file, cohort.genotypes)}
    else:
        writers = {f"{prefix}.bed": _write_bed, f"{prefix}.bim": _write_bim, f"{prefix}.fam": _write_fam}
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
        for file, temporary in staged.items():
            os.replace(temporary, file)
    return list(writers)


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


def source() -> str:
    """What wrote a file."""
    return f"genoserve/{metadata.version('genoserve')}"


def provenance(header: cohort_pb2.CohortHeader) -> list[tuple[str, str]]:
    """What a cohort was drawn from, for the head of a file."""
    return [
        ("Model", header.model),
        ("ModelVersion", header.version),
        ("Seed", str(header.seed)),
        ("ManifestSha256", header.artifact_digest),
    ]


def _header_value(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.:+/@-]+", value):
        return value
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\r\n]", " ", value) + '"'


def _vcf_header(cohort: Cohort) -> str:
    lines = [
        "##fileformat=VCFv4.3",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        f"##source={source()}",
    ]
    for name, length in cohort.variant_table.contigs:
        lines.append(f"##contig=<ID={name},length={length}>" if length else f"##contig=<ID={name}>")
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    told = "".join(f",{key}={_header_value(value)}" for key, value in provenance(cohort.header))
    lines.append(f"##synthetic=<ID=genoserve{told}>")
    names = "\t".join(cohort.samples)
    lines.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
    return "\n".join(lines)


def _codes(cohort: Cohort, bytes_a_sample: int) -> Iterator[tuple[int, npt.NDArray[np.int8]]]:
    """The codes of all samples, variants x samples, for so many variants at a time, with the index of the first."""
    variants = len(cohort.variants)
    # Whole bytes of the packed rows, so that a part can be unpacked by itself.
    step = max(8, _CHUNK // (bytes_a_sample * len(cohort)) // 8 * 8)
    bits = 1 if cohort.phased else 2
    for first in range(0, variants, step):
        count = min(step, variants - first)
        begin = first * bits // 8
        rows = unpack(cohort.packed[:, begin : begin + -(-count * bits // 8)], count, cohort.phased)
        yield first, (rows[0::2] + 2 * rows[1::2] if cohort.phased else rows & 3).T


def _write_vcf(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(_vcf_header(cohort).encode())
    calls = np.frombuffer(b"".join(_PHASED_CALLS if cohort.phased else _DIPLOID_CALLS), "<u4")
    for first, codes in _codes(cohort, 4):
        for variant, row in zip(cohort.variants[first:], codes):
            contig, position, name, ref, alt = variant
            file.write(f"{contig}\t{position}\t{name}\t{ref}\t{alt}\t.\tPASS\t.\tGT".encode())
            file.write(calls[row].tobytes())
            file.write(b"\n")


class _Bgzf:
    """A gzip file in blocks of at most 64 KiB, as bcftools and tabix want it (SAM specification, section 4.1)."""

    _PAYLOAD = 0xFF00
    _END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = bytearray()

    def write(self, data: bytes) -> None:
        self._left += data
        whole = len(self._left) // self._PAYLOAD * self._PAYLOAD
        for first in range(0, whole, self._PAYLOAD):
            self._block(bytes(self._left[first : first + self._PAYLOAD]))
        del self._left[:whole]

    def finish(self) -> None:
        if self._left:
            self._block(bytes(self._left))
        self._file.write(self._END)

    def _block(self, data: bytes) -> None:
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = deflate.compress(data) + deflate.flush()
        head = bytes.fromhex("1f8b08040000000000ff060042430200")
        self._file.write(head + struct.pack("<H", len(packed) + 25) + packed)
        self._file.write(struct.pack("<II", zlib.crc32(data), len(data)))


def _write_vcf_gz(cohort: Cohort, file: IO[bytes]) -> None:
    bgzf = _Bgzf(file)
    _write_vcf(cohort, bgzf)  # type: ignore[arg-type]
    bgzf.finish()


def _write_bed(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(b"\x6c\x1b\x01")
    table = _PHASED_BED if cohort.phased else _DIPLOID_BED
    for _, codes in _codes(cohort, 1):
        file.write(pack(table[codes]).tobytes())


def _write_bim(cohort: Cohort, file: IO[bytes]) -> None:
    for contig, position, name, ref, alt in cohort.variants:
        file.write(f"{contig}\t{name}\t0\t{position}\t{alt}\t{ref}\n".encode())


def _write_fam(cohort: Cohort, file: IO[bytes]) -> None:
    for name in cohort.samples:
        file.write(f"0\t{name}\t0\t0\t0\t-9\n".encode())


def _write_panel(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(f"sample\t{cohort.header.label_column}\n".encode())
    for name, label in zip(cohort.samples, cohort.labels):
        file.write(f"{name}\t{label}\n".encode())


def _write_pheno(cohort: Cohort, file: IO[bytes]) -> None:
    columns = []
    for schema in cohort.header.phenotypes:
        values = cohort.phenotypes[schema.name]
        columns.append(list(values) if schema.HasField("categorical") else [number_text(float(v)) for v in values])
    file.write(("\t".join(["#IID", *(schema.name for schema in cohort.header.phenotypes)]) + "\n").encode())
    for row in zip(cohort.samples, *columns):
        file.write(("\t".join(row) + "\n").encode())


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
