"""The variants of a model: what the columns of genotypes are."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from genoserve.errors import UsageError
from genoserve.v1 import cohort_pb2, types_pb2

#: A region as text ("1", "1:1000-2000", "1:1000-", "1:1000") or (contig, first, last), 1-based, both ends included.
Region = Union[str, tuple[str, int, int]]

#: The names are those of the VCF columns; ALT is the allele that genotypes count.
DTYPE = np.dtype([("contig", "O"), ("position", "<i8"), ("id", "O"), ("ref", "O"), ("alt", "O")])


@dataclasses.dataclass(frozen=True)
class VariantTable:
    """Variants in file order."""

    #: Structured, with the fields contig, position, id, ref and alt.
    records: npt.NDArray[Any]
    #: Names and lengths (base pairs, 0 = unknown) as a VCF header tells them; all contigs of the model.
    contigs: tuple[tuple[str, int], ...]

    @classmethod
    def from_messages(cls, messages: Iterable[cohort_pb2.ListVariantsResponse]) -> VariantTable:
        contigs: dict[str, int] = {}
        rows: list[tuple[str, int, str, str, str]] = []
        for message in messages:
            contigs.update((contig.name, contig.length) for contig in message.contigs)
            rows.extend(_row(variant) for variant in message.variants)
        for row in rows:
            contigs.setdefault(row[0], 0)
        return cls(np.array(rows, dtype=DTYPE), tuple(contigs.items()))

    def __len__(self) -> int:
        return len(self.records)

    def digest(self) -> str:
        """SHA-256 over "contig TAB position TAB id TAB ref TAB alt NEWLINE" of each variant; 64 hexadecimal digits."""
        text = "".join(
            f"{contig}\t{position}\t{id_}\t{ref}\t{alt}\n" for contig, position, id_, ref, alt in self.records
        )
        return hashlib.sha256(text.encode()).hexdigest()


def _row(variant: types_pb2.Variant) -> tuple[str, int, str, str, str]:
    return variant.contig, variant.position, variant.id, variant.ref, variant.alt


def parse_regions(regions: Union[Region, Sequence[Region], None]) -> list[cohort_pb2.Region]:
    """None = all variants. Text may hold several regions between commas; commas inside numbers are for tuples."""
    if regions is None:
        return []
    if isinstance(regions, str):
        regions = regions.split(",")
    elif isinstance(regions, tuple) and len(regions) == 3 and not isinstance(regions[1], (str, tuple)):
        regions = [regions]
    return [_parse_region(region) for region in regions]


def _parse_region(region: Region) -> cohort_pb2.Region:
    if not isinstance(region, str):
        contig, first, last = region
        return cohort_pb2.Region(contig=contig, start=first, end=last)
    match = re.fullmatch(r"(?P<contig>.+):(?P<first>[\d,]+)(?P<open>-(?P<last>[\d,]*))?", region)
    if match:
        first = int(match["first"].replace(",", "") or 0)
        last = int((match["last"] or "").replace(",", "") or 0) if match["open"] else first
        if first >= 1 and (last >= first or (last == 0 and not match["last"])):
            return cohort_pb2.Region(contig=match["contig"], start=first, end=last)
    elif region and ":" not in region:
        return cohort_pb2.Region(contig=region)
    raise UsageError(
        f'region "{region}": expected CONTIG, CONTIG:START-END, CONTIG:START- or CONTIG:POSITION, positions from 1'
    )
