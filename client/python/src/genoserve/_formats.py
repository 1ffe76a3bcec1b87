"""The bytes of each format of genotypes, as the command line writes them (but for the compression of BGZF)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from importlib import metadata
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from genoserve.genotypes import pack, unpack
from genoserve.v1 import cohort_pb2

if TYPE_CHECKING:
    from genoserve.cohort import Cohort

_CHUNK = 16 << 20  # bytes of text or genotypes that are made at a time

# By the code of a genotype: ALT count, 3 = missing; or of the alleles of both haplotypes, first + 2 * second.
_DIPLOID_CALLS = [b"\t0/0", b"\t0/1", b"\t1/1", b"\t./."]
_PHASED_CALLS = [b"\t0|0", b"\t1|0", b"\t0|1", b"\t1|1"]
# (allele + 1) << 1 for each, 0 = missing; the second with 1 where it is phased.
_DIPLOID_BINARY_CALLS = [b"\2\2", b"\2\4", b"\4\4", b"\0\0"]
_PHASED_BINARY_CALLS = [b"\2\3", b"\4\3", b"\2\5", b"\4\5"]
# 00 two A1, 01 missing, 10 one of each, 11 two A2; A1 is ALT.
_DIPLOID_BED = np.array([3, 2, 0, 1], np.int8)
_PHASED_BED = np.array([3, 2, 2, 0], np.int8)
_PHASED_COUNTS = np.array([0, 1, 1, 2], np.int8)
_PGEN_TRUE_REF = 0x40  # the REF alleles are the true ones
_PGEN_BLOCK = 1 << 16  # variants of which the index has one offset


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


def _contig_lines(cohort: Cohort) -> list[str]:
    contigs = cohort.variant_table.contigs
    return [f"##contig=<ID={name},length={length}>" if length else f"##contig=<ID={name}>" for name, length in contigs]


def _synthetic_line(cohort: Cohort) -> str:
    told = "".join(f",{key}={_header_value(value)}" for key, value in provenance(cohort.header))
    return f"##synthetic=<ID=genoserve{told}>"


def _vcf_header(cohort: Cohort) -> str:
    lines = [
        "##fileformat=VCFv4.3",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        f"##source={source()}",
        *_contig_lines(cohort),
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        _synthetic_line(cohort),
    ]
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


def write_vcf(cohort: Cohort, file: IO[bytes]) -> None:
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


def write_vcf_gz(cohort: Cohort, file: IO[bytes]) -> None:
    bgzf = _Bgzf(file)
    write_vcf(cohort, bgzf)  # type: ignore[arg-type]
    bgzf.finish()


def _typed_text(text: str) -> bytes:
    data = text.encode()
    if len(data) < 15:
        return bytes([len(data) << 4 | 7]) + data
    return b"\xf7\x13" + struct.pack("<I", len(data)) + data


def write_bcf(cohort: Cohort, file: IO[bytes]) -> None:
    bgzf = _Bgzf(file)
    header = _vcf_header(cohort).encode() + b"\0"
    bgzf.write(b"BCF\2\2" + struct.pack("<I", len(header)) + header)
    contigs = {name: i for i, (name, _) in enumerate(cohort.variant_table.contigs)}
    samples = len(cohort)
    calls = np.frombuffer(b"".join(_PHASED_BINARY_CALLS if cohort.phased else _DIPLOID_BINARY_CALLS), "<u2")
    for first, codes in _codes(cohort, 2):
        for variant, row in zip(cohort.variants[first:], codes):
            contig, position, name, ref, alt = variant
            # QUAL is missing, there are two alleles, no INFO and one FORMAT; FILTER is PASS.
            fixed = (contigs[contig], position - 1, len(ref.encode()), 0x7F800001, 2 << 16, 1 << 24 | samples)
            shared = struct.pack("<6I", *fixed)
            shared += _typed_text(name) + _typed_text(ref) + _typed_text(alt) + b"\x11\0"
            bgzf.write(struct.pack("<2I", len(shared), 3 + 2 * samples) + shared + b"\x11\1\x21")
            bgzf.write(calls[row].tobytes())
    bgzf.finish()


def write_bed(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(b"\x6c\x1b\x01")
    table = _PHASED_BED if cohort.phased else _DIPLOID_BED
    for _, codes in _codes(cohort, 1):
        file.write(pack(table[codes]).tobytes())


def write_bim(cohort: Cohort, file: IO[bytes]) -> None:
    for contig, position, name, ref, alt in cohort.variants:
        file.write(f"{contig}\t{name}\t0\t{position}\t{alt}\t{ref}\n".encode())


def write_fam(cohort: Cohort, file: IO[bytes]) -> None:
    for name in cohort.samples:
        file.write(f"0\t{name}\t0\t0\t0\t-9\n".encode())


def write_npy(cohort: Cohort, file: IO[bytes]) -> None:
    """NumPy's format 1.0, int8: a row for each sample, of ALT counts, or for each haplotype."""
    variants = len(cohort.variants)
    head = f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({len(cohort.packed)}, {variants}), }}"
    head = head.ljust(-(-(len(head) + 11) // 64) * 64 - 11) + "\n"
    file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode())
    step = max(1, _CHUNK // variants)
    for first in range(0, len(cohort.packed), step):
        file.write(unpack(cohort.packed[first : first + step], variants, cohort.phased).tobytes())


def write_variants(cohort: Cohort, file: IO[bytes]) -> None:
    file.write(b"contig\tposition\tid\tref\talt\n")
    _write_variant_lines(cohort, file)


def _write_variant_lines(cohort: Cohort, file: IO[bytes]) -> None:
    for contig, position, name, ref, alt in cohort.variants:
        file.write(f"{contig}\t{position}\t{name}\t{ref}\t{alt}\n".encode())


def _pgen_head(cohort: Cohort, mode: int, flags: int) -> bytes:
    return b"\x6c\x1b" + struct.pack("<BIIB", mode, len(cohort.variants), len(cohort), _PGEN_TRUE_REF | flags)


def write_pgen(cohort: Cohort, file: IO[bytes]) -> None:
    """Hard calls in records of one size; or, where there is phase, records of several sizes, with an index."""
    if not cohort.phased:
        file.write(_pgen_head(cohort, 0x02, 0))
        for _, codes in _codes(cohort, 1):
            file.write(pack(codes).tobytes())
        return
    variants = len(cohort.variants)
    longest = -(-len(cohort) // 4) + -(-(len(cohort) + 1) // 8)
    length_bytes = -(-longest.bit_length() // 8)
    blocks = range(0, variants, _PGEN_BLOCK)
    file.seek(12 + 8 * len(blocks) + variants * (1 + length_bytes))
    types, lengths = bytearray(), []
    for _, codes in _codes(cohort, 1):
        counts = pack(_PHASED_COUNTS[codes])
        for row, packed in zip(codes, counts):
            # A 0: all heterozygous calls are phased; then for each whether ALT comes first.
            phases = row[(row == 1) | (row == 2)] == 1
            track = np.packbits(np.concatenate(([False], phases)), bitorder="little") if len(phases) else b""
            record = packed.tobytes() + bytes(track)
            types.append(0x10 if len(phases) else 0x00)
            lengths.append(len(record))
            file.write(record)
    offset = 12 + 8 * len(blocks) + variants * (1 + length_bytes)
    index = bytearray(_pgen_head(cohort, 0x10, 4 | (length_bytes - 1)))
    for first in blocks:
        index += struct.pack("<Q", offset + sum(lengths[:first]))
    for first in blocks:
        index += types[first : first + _PGEN_BLOCK]
        index += b"".join(length.to_bytes(length_bytes, "little") for length in lengths[first : first + _PGEN_BLOCK])
    file.seek(0)
    file.write(index)


def write_pvar(cohort: Cohort, file: IO[bytes]) -> None:
    lines = [*_contig_lines(cohort), _synthetic_line(cohort), "#CHROM\tPOS\tID\tREF\tALT\n"]
    file.write("\n".join(lines).encode())
    _write_variant_lines(cohort, file)
