"""Whether a stream is what was asked for and what the server sent."""

from __future__ import annotations

import hashlib
import math
from typing import Optional

import numpy as np

from genoserve._crc32c import crc32c
from genoserve.errors import MismatchError
from genoserve.genotypes import Batch
from genoserve.v1 import cohort_pb2, types_pb2

_DIGEST_BLOCK = 1024  # samples: block k holds the samples 1024k to 1024k + 1023 of the cohort


class StreamDigest:
    """SHA-256 over the SHA-256s of blocks of samples, as CohortFooter.sha256 defines it."""

    def __init__(self, first_sample: int, sample_bytes: int) -> None:
        self._next = first_sample
        self._sample_bytes = sample_bytes
        self._blocks = hashlib.sha256()
        self._block = hashlib.sha256()

    def update(self, samples: bytes) -> None:
        """Adds whole samples."""
        left = memoryview(samples)
        while left:
            take = min(len(left) // self._sample_bytes, _DIGEST_BLOCK - self._next % _DIGEST_BLOCK)
            self._block.update(left[: take * self._sample_bytes])
            left = left[take * self._sample_bytes :]
            self._next += take
            if self._next % _DIGEST_BLOCK == 0:
                self._end_block()

    def finish(self) -> bytes:
        """Of all samples so far; once, last."""
        if self._next % _DIGEST_BLOCK != 0:
            self._end_block()
        return self._blocks.digest()

    def _end_block(self) -> None:
        self._blocks.update(self._block.digest())
        self._block = hashlib.sha256()


class StreamChecker:
    """Follows one cohort over all calls that it takes. What does not fit is a MismatchError."""

    def __init__(self, sample_count: int) -> None:
        """`sample_count`: of the whole stream where its calls ask for parts; 0 = as the first header tells."""
        self._sample_count = sample_count
        self.header: Optional[cohort_pb2.CohortHeader] = None
        self.next_sample = 0
        self.digest: Optional[bytes] = None  # of all samples, once their end has been found right

    @property
    def received(self) -> int:
        return 0 if self.header is None else self.next_sample - self.header.first_sample

    def check_header(self, request: cohort_pb2.StreamCohortRequest, header: cohort_pb2.CohortHeader) -> None:
        _check_answers(request, header)
        _check_self(header)
        if self.header is None:
            self.header = cohort_pb2.CohortHeader()
            self.header.CopyFrom(header)
            if self._sample_count > 0:
                self.header.sample_count = self._sample_count
            self.next_sample = header.first_sample
            haplotypes = header.encoding == types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT
            self._row_bits = header.variant_count * (1 if haplotypes else 2)
            self._row_bytes = -(-self._row_bits // 8)
            self._sample_bytes = self._row_bytes * (2 if haplotypes else 1)
            self._whole = StreamDigest(self.next_sample, self._sample_bytes)
        else:
            same = cohort_pb2.CohortHeader()
            same.CopyFrom(header)
            same.first_sample = self.header.first_sample
            same.sample_count = self.header.sample_count
            if same != self.header:
                raise MismatchError(
                    f"stream header: the call that went on at sample {header.first_sample} tells another cohort than "
                    "the one before"
                )
            _must_be("first sample", header.first_sample, self.next_sample)
        self._call_first = header.first_sample
        self._call_count = header.sample_count
        whole = self._call_first == self.header.first_sample and self._call_count == self.header.sample_count
        self._call = None if whole else StreamDigest(self._call_first, self._sample_bytes)

    def check_batch(self, batch: cohort_pb2.GenotypeBatch) -> Batch:
        header = self.header
        if header is None:
            raise MismatchError("a batch came before the stream's header")
        if batch.first_sample != self.next_sample:
            raise MismatchError(f"a batch begins at sample {batch.first_sample}, not at sample {self.next_sample}")
        where = f"batch at sample {self.next_sample}: "
        left = self._call_first + self._call_count - self.next_sample
        if not 1 <= batch.sample_count <= left:
            raise MismatchError(f"{where}holds {batch.sample_count} samples, {left} are left")
        genotypes = batch.genotypes
        if len(genotypes) != batch.sample_count * self._sample_bytes:
            due = batch.sample_count * self._sample_bytes
            raise MismatchError(f"{where}holds {len(genotypes)} bytes of genotypes, not {due}")
        checksum = crc32c(genotypes)
        if checksum != batch.crc32c:
            raise MismatchError(f"{where}checksum is {checksum:08x}, not {batch.crc32c:08x}")
        packed = np.frombuffer(genotypes, np.uint8).reshape(-1, self._row_bytes)
        if self._row_bits % 8 and (packed[:, -1] >> (self._row_bits % 8)).any():
            raise MismatchError(f"{where}bits that pad a row are not 0")
        labels = np.array(batch.label_indices, np.int32)
        if len(labels) != (batch.sample_count if header.labels else 0) or (labels >= len(header.labels)).any():
            raise MismatchError(f"{where}population labels are missing or unknown")
        if len(batch.phenotypes) != len(header.phenotypes):
            raise MismatchError(f"{where}holds {len(batch.phenotypes)} phenotypes, not {len(header.phenotypes)}")
        phenotypes = {}
        for schema, column in zip(header.phenotypes, batch.phenotypes):
            values = np.array(column.values, np.float64)
            levels = len(schema.categorical.levels) if schema.HasField("categorical") else math.inf
            good = np.isfinite(values)
            if schema.HasField("categorical"):
                good &= (values >= 0) & (values < levels) & (values == np.floor(values))
            if len(values) != batch.sample_count or not good.all():
                raise MismatchError(f"{where}phenotype {schema.name} has values that are missing or not allowed")
            phenotypes[schema.name] = values
        self._whole.update(genotypes)
        if self._call is not None:
            self._call.update(genotypes)
        self.next_sample += batch.sample_count
        return Batch(header, batch.first_sample, packed, labels, phenotypes)

    def check_footer(self, footer: cohort_pb2.CohortFooter) -> None:
        if self.header is None:
            raise MismatchError("a footer came before the stream's header")
        received = self.next_sample - self._call_first
        if footer.sample_count != self._call_count or received != self._call_count:
            raise MismatchError(
                f"the footer tells {footer.sample_count} samples, {received} came, {self._call_count} were due"
            )
        whole = self._whole.finish() if self.received == self.header.sample_count else None
        digest = whole if self._call is None else self._call.finish()
        if digest is None or footer.sha256 != digest:
            raise MismatchError(
                f"the digest of the genotypes is {(digest or b'').hex()}, which is not what the server's footer tells"
            )
        self.digest = whole


def _must_be(field: str, told: object, due: object) -> None:
    if told != due:
        raise MismatchError(f"stream header: {field} is {told}, not {due}")


def _check_answers(request: cohort_pb2.StreamCohortRequest, header: cohort_pb2.CohortHeader) -> None:
    """What a request fixes, the header must repeat."""
    _must_be("model", header.model, request.model)
    if request.version:
        _must_be("version", header.version, request.version)
    if request.artifact_digest:
        _must_be("artifact digest", header.artifact_digest, request.artifact_digest)
    if request.HasField("seed"):
        _must_be("seed", header.seed, request.seed)
    if request.HasField("engine"):
        _must_be("engine", header.engine, request.engine)
    if request.cohort_size > 0:
        _must_be("cohort size", header.cohort_size, request.cohort_size)
    _must_be("first sample", header.first_sample, request.first_sample)
    due = request.sample_count if request.HasField("sample_count") else header.cohort_size - header.first_sample
    _must_be("sample count", header.sample_count, due)


def _check_self(header: cohort_pb2.CohortHeader) -> None:
    for digest in (header.artifact_digest, header.variant_digest):
        if len(digest) != 64 or set(digest) - set("0123456789abcdefABCDEF"):
            raise MismatchError("stream header: a digest is not 64 hexadecimal digits")
    _must_be("ploidy", header.ploidy, 2)
    last = header.first_sample + header.sample_count
    if header.variant_count < 1 or header.sample_count < 1 or header.first_sample < 0 or last > header.cohort_size:
        raise MismatchError(
            f"stream header: {header.variant_count} variants and samples {header.first_sample} to {last - 1} of a "
            f"cohort of {header.cohort_size} do not fit together"
        )
    haplotypes = header.encoding == types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT
    diploid = header.encoding == types_pb2.GENOTYPE_ENCODING_DIPLOID_2BIT
    if not (diploid or haplotypes) or (haplotypes and not header.phased):
        name = types_pb2.GenotypeEncoding.Name(header.encoding)
        of = "haplotypes" if header.phased else "diploid genotypes"
        raise MismatchError(f"stream header: encoding {name} of {of} is not a packed form of them")
