"""Packed genotypes as they travel, and what they are unpacked to."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from genoserve.errors import UsageError
from genoserve.v1 import cohort_pb2, types_pb2

Int8Array = npt.NDArray[np.int8]
PackedArray = npt.NDArray[np.uint8]

_ALT_COUNTS = np.array([0, 1, 2, -1], np.int8)
# The four genotypes of each byte, so that a byte is unpacked by one look-up.
_UNPACKED = np.ascontiguousarray(_ALT_COUNTS[(np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3])


def sample_name(index: int, cohort_size: int) -> str:
    """The name of the sample with this index in a cohort of this size, on every client and in every file."""
    return f"SYN{index + 1:0{max(6, len(str(cohort_size)))}d}"


def unpack(packed: PackedArray, variants: int, phased: bool) -> Int8Array:
    """Rows of packed genotypes as one signed byte each: ALT counts with -1 = missing, samples x variants; of haplotypes
    alleles, 2 samples x variants."""
    if phased:
        return np.unpackbits(packed, axis=1, count=variants, bitorder="little").view(np.int8)
    return np.take(_UNPACKED, packed, axis=0).reshape(len(packed), -1)[:, :variants]


def pack(genotypes: Int8Array) -> PackedArray:
    """The reverse of unpack for ALT counts."""
    padded = np.zeros((len(genotypes), -(-genotypes.shape[1] // 4) * 4), np.uint8)
    padded[:, : genotypes.shape[1]] = genotypes & 3
    packed: PackedArray = padded[:, 0::4] | padded[:, 1::4] << 2 | padded[:, 2::4] << 4 | padded[:, 3::4] << 6
    return packed


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class GenotypeRows:
    """Samples of a cohort, in order."""

    header: cohort_pb2.CohortHeader
    #: Index in the cohort of the first of them.
    first_sample: int
    #: The rows as they came, without a copy and read-only: bytes, first variant in the low bits. 2 bits a genotype
    #: (3 = missing), one row a sample; of a haplotype model 1 bit an allele, rows 2i and 2i + 1 of sample i.
    packed: PackedArray
    #: Population label of each sample, as an index into label_names; empty where the model has none.
    label_codes: npt.NDArray[np.int32]
    #: Values by name, one a sample: numbers in the unit of the schema, or indices of levels.
    phenotype_codes: dict[str, npt.NDArray[np.float64]]

    @property
    def phased(self) -> bool:
        """Whether rows are haplotypes."""
        return self.header.encoding == types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT

    def __repr__(self) -> str:
        name = type(self).__name__
        header = self.header
        return (
            f"<{name} of {header.model}@{header.version}, seed {header.seed}: samples {self.first_sample} to "
            f"{self.first_sample + len(self) - 1} of {header.cohort_size}, {header.variant_count} variants>"
        )

    def __len__(self) -> int:
        return len(self.packed) // (2 if self.phased else 1)

    @property
    def samples(self) -> npt.NDArray[Any]:
        """Names of the samples: SYN000001 and so on."""
        size = self.header.cohort_size
        return np.array([sample_name(self.first_sample + i, size) for i in range(len(self))])

    @property
    def label_names(self) -> list[str]:
        return list(self.header.labels)

    @property
    def labels(self) -> npt.NDArray[Any]:
        """Population label of each sample; empty where the model has none."""
        return np.array(self.label_names, dtype=np.str_)[self.label_codes]

    @property
    def phenotypes(self) -> dict[str, npt.NDArray[Any]]:
        """Values by name, one a sample: numbers in the unit of the schema, or levels."""
        result: dict[str, npt.NDArray[Any]] = {}
        for schema in self.header.phenotypes:
            values: npt.NDArray[Any] = self.phenotype_codes[schema.name]
            if schema.HasField("categorical"):
                values = np.array(schema.categorical.levels, dtype=np.str_)[values.astype(np.intp)]
            result[schema.name] = values
        return result

    def unpack(self) -> Int8Array:
        """The rows as one signed byte a genotype or allele; see genoserve.genotypes.unpack."""
        return unpack(self.packed, self.header.variant_count, self.phased)

    @property
    def genotypes(self) -> Int8Array:
        """ALT counts, samples x variants; -1 = missing."""
        rows = self.unpack()
        return rows[0::2] + rows[1::2] if self.phased else rows

    @property
    def haplotypes(self) -> Int8Array:
        """Alleles, samples x variants x 2; 1 = ALT. Of haplotype models only."""
        if not self.phased:
            raise UsageError(f"model {self.header.model} has diploid genotypes without phase, no haplotypes")
        rows = self.unpack()
        return np.stack([rows[0::2], rows[1::2]], axis=2)


class Batch(GenotypeRows):
    """The samples of one message of a stream."""
