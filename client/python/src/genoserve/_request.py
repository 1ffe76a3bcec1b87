"""What a user asks for as a request of the wire contract."""

from __future__ import annotations

import csv
import math
import os
import pathlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy.typing as npt
from typing_extensions import TypedDict

from genoserve._connection import Path
from genoserve.errors import IncompleteError, NotFoundError, UsageError
from genoserve.v1 import cohort_pb2, manifest_pb2, types_pb2
from genoserve.variants import Region, parse_regions

if TYPE_CHECKING:
    import pandas as pd

_DIGEST_BLOCK = 1024  # samples, of the stream digest


class Normal(NamedTuple):
    """Drawn for each sample, in the unit of the phenotype; draws outside the training range are moved to its ends."""

    mean: float
    standard_deviation: float


class Uniform(NamedTuple):
    """Drawn for each sample, in the unit of the phenotype."""

    low: float
    high: float


#: Samples of each population label (whole numbers), or proportions (with a float among them).
Populations = Mapping[str, Union[int, float]]
#: Of a continuous phenotype a number, Normal or Uniform; of a categorical one a level, or shares by level. Text is read
#: as the command line's --pheno reads it, such as "normal(24,4)" or "black:1,albino:3".
PhenotypeValue = Union[float, str, Normal, Uniform, Mapping[str, float]]
#: Columns by name with one value for each sample: phenotypes, and the population label.
SampleColumns = Union[Mapping[str, Union[Sequence[Any], npt.NDArray[Any]]], "pd.DataFrame"]


class CohortArguments(TypedDict, total=False):
    """Which cohort is wanted, beside the model and the number n of its samples."""

    #: 0 to 2^64 - 1: the same request with the same seed gives the same bytes. None: one is drawn; the header tells it.
    seed: Optional[int]
    #: {"EUR": 500, "AFR": 500}, in blocks in this order, or {"EUR": 0.25, "AFR": 0.75} of n samples.
    pop: Optional[Populations]
    #: {"body_weight": 24.5}, {"body_weight": Normal(24, 4)}, {"coat_colour": "black"} for every sample.
    pheno: Optional[Mapping[str, PhenotypeValue]]
    #: Whether phenotypes may lie outside their training range, by at most its width.
    extrapolate: bool
    #: Values for each sample: a table of IID, then phenotypes and the population label.
    pheno_file: Optional[Path]
    #: The same from memory: a mapping of columns, or a DataFrame.
    per_sample: Optional[SampleColumns]
    #: Only the variants in these; the genotypes are those of the whole rows.
    regions: Union[Region, Sequence[Region], None]
    #: (i, n): part i of n, from 1, to be fetched anywhere. Needs a seed.
    shard: Optional[tuple[int, int]]
    #: Of one batch in memory, 4,096 to 1,048,576; 0 = 262,144.
    max_batch_bytes: int


class CohortRequest:
    """What was asked for, checked as far as that goes without the model's schema."""

    def __init__(
        self,
        model: str,
        n: Optional[int] = None,
        *,
        seed: Optional[int] = None,
        pop: Optional[Populations] = None,
        pheno: Optional[Mapping[str, PhenotypeValue]] = None,
        extrapolate: bool = False,
        pheno_file: Optional[Path] = None,
        per_sample: Optional[SampleColumns] = None,
        regions: Union[Region, Sequence[Region], None] = None,
        shard: Optional[tuple[int, int]] = None,
        max_batch_bytes: int = 0,
    ) -> None:
        self.model, self.version = parse_model_name(model)
        if n is not None and n < 1:
            raise UsageError(f"n: {n} samples; at least 1 must be asked for")
        given = [name for name, value in (("pheno_file", pheno_file), ("per_sample", per_sample)) if value is not None]
        if len(given) > 1 or (given and (pop or pheno)):
            raise UsageError(f"{given[0]} tells all of each sample: it excludes pop, pheno and other tables")
        if shard is not None and seed is None:
            raise UsageError("shard needs seed, since all parts of a cohort must have the same one")
        if seed is not None and not 0 <= seed < 2**64:
            raise UsageError(f"seed {seed} is not a whole number from 0 to 2^64 - 1")
        self.seed = secrets.randbits(64) if seed is None else seed
        self._pheno = pheno or {}
        self._columns = None
        size = n
        condition = cohort_pb2.Condition(extrapolate=extrapolate)
        if pop:
            size = _cohort_size(n, _populations(pop, condition), "pop")
        if given:
            self._columns = _read_columns(pheno_file) if pheno_file is not None else _columns(per_sample)
            size = _cohort_size(n, _length(self._columns, given[0]), given[0])
        if size is None:
            raise UsageError("how many samples? Give n, or counts with pop={label: count}")
        self._condition = condition
        self._request = cohort_pb2.StreamCohortRequest(
            model=self.model,
            seed=self.seed,
            cohort_size=size,
            regions=parse_regions(regions),
            max_batch_bytes=max_batch_bytes,
        )
        self._range = None if shard is None else shard_range(shard, size)

    def complete(self, model: cohort_pb2.Model) -> cohort_pb2.StreamCohortRequest:
        """The request for the version that the model resolved to, with what depends on its schema."""
        if not model.HasField("manifest"):
            raise IncompleteError(f"version {model.version} of model {model.name} does not serve: {model.reason}")
        manifest = model.manifest
        request = cohort_pb2.StreamCohortRequest()
        request.CopyFrom(self._request)
        request.version = model.version
        request.artifact_digest = model.artifact_digest
        condition = request.condition
        condition.CopyFrom(self._condition)
        _check_labels(condition, manifest)
        condition.phenotypes.extend(_term(name, value, manifest) for name, value in self._pheno.items())
        first, count = self._range or (0, request.cohort_size)
        if self._columns is not None:
            columns = {name: values[first : first + count] for name, values in self._columns.items()}
            condition.per_sample.CopyFrom(_sample_conditions(columns, manifest))
        if self._range is not None:
            request.first_sample = first
            request.sample_count = count
        return request


def parse_model_name(text: str) -> tuple[str, str]:
    """NAME or NAME@VERSION; the version is empty where there is none."""
    match = re.fullmatch(r"([^@]+)(?:@([^@]+))?", text)
    if not match:
        raise UsageError(f'model "{text}" is not of the form NAME or NAME@VERSION')
    return match[1], match[2] or ""


def shard_range(shard: tuple[int, int], cohort_size: int) -> tuple[int, int]:
    """First sample and count of part i of n of a cohort, 1 <= i <= n. The parts join to the whole; their bounds lie on
    the blocks of the stream digest where there are as many blocks as parts, as the command line's --shard has them."""
    part, parts = shard
    if not 1 <= part <= parts:
        raise UsageError(f"shard: ({part}, {parts}) is not (i, n) with 1 <= i <= n")
    if parts > cohort_size:
        raise UsageError(f"shard: a cohort of {cohort_size} samples cannot be cut into {parts} parts")
    blocks = -(-cohort_size // _DIGEST_BLOCK)
    unit, units = (_DIGEST_BLOCK, blocks) if blocks >= parts else (1, cohort_size)

    def bound(i: int) -> int:
        return min(cohort_size, unit * (i * (units // parts) + min(i, units % parts)))

    return bound(part - 1), bound(part) - bound(part - 1)


def _cohort_size(n: Optional[int], told: int, by: str) -> Optional[int]:
    """The size of the whole cohort: n, or what the counts or the table tell; they must agree."""
    if told and n is not None and n != told:
        raise UsageError(f"n asks for {n} samples, but {by} for {told}")
    return told or n


def _populations(pop: Populations, condition: cohort_pb2.Condition) -> int:
    """The sum of the counts, or 0 for proportions."""
    proportions = any(isinstance(value, float) for value in pop.values())
    for label, value in pop.items():
        if proportions:
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"pop: proportion {value} of {label} is not a number of more than 0")
            condition.label_proportions.proportions.add(label=label, proportion=value)
        else:
            count = int(value)
            if count < 1:
                raise UsageError(f"pop: count {count} of {label} is not a whole number of at least 1")
            condition.label_counts.counts.add(label=label, count=count)
    return sum(count.count for count in condition.label_counts.counts)


def _check_labels(condition: cohort_pb2.Condition, manifest: manifest_pb2.Manifest) -> None:
    known = [label.name for label in manifest.labels]
    asked = [count.label for count in condition.label_counts.counts]
    asked += [share.label for share in condition.label_proportions.proportions]
    for label in asked:
        if label not in known:
            raise NotFoundError(f'the model has no population label "{label}"; it has {", ".join(known) or "none"}')


def _schema(name: str, manifest: manifest_pb2.Manifest) -> types_pb2.PhenotypeSchema:
    for schema in manifest.phenotypes:
        if schema.name == name:
            return schema
    names = ", ".join(schema.name for schema in manifest.phenotypes)
    raise NotFoundError(f'the model has no phenotype "{name}"; it has {names or "none"}')


def _term(name: str, value: PhenotypeValue, manifest: manifest_pb2.Manifest) -> cohort_pb2.PhenotypeTerm:
    schema = _schema(name, manifest)
    term = cohort_pb2.PhenotypeTerm(name=name)
    if schema.HasField("categorical"):
        _set_levels(term, value, list(schema.categorical.levels))
    else:
        _set_number(term, value)
    return term


def _set_number(term: cohort_pb2.PhenotypeTerm, value: PhenotypeValue) -> None:
    told = value
    if isinstance(value, str):
        call = re.fullmatch(r"(normal|uniform)\(([^,()]+),([^,()]+)\)", value)
        try:
            if call:
                value = (Normal if call[1] == "normal" else Uniform)(float(call[2]), float(call[3]))
            else:
                value = float(value)
        except ValueError:
            pass
    numbers = value if isinstance(value, tuple) else (value,)
    if all(not isinstance(number, (str, Mapping)) and math.isfinite(number) for number in numbers):
        if isinstance(value, Normal) and value.standard_deviation >= 0:
            term.normal.CopyFrom(cohort_pb2.NormalDistribution(mean=value[0], standard_deviation=value[1]))
            return
        if isinstance(value, Uniform) and value.low <= value.high:
            term.uniform.CopyFrom(cohort_pb2.UniformDistribution(low=value[0], high=value[1]))
            return
        if isinstance(value, (int, float)):
            term.number = float(value)
            return
    raise UsageError(
        f"phenotype {term.name}: {told!r} is not a number, Normal(MEAN, SD) with SD >= 0, or Uniform(LOW, HIGH) with "
        "LOW <= HIGH"
    )


def _set_levels(term: cohort_pb2.PhenotypeTerm, value: PhenotypeValue, known: list[str]) -> None:
    if isinstance(value, str) and value in known:
        term.level = value
        return
    shares: Iterable[tuple[str, Any]]
    if isinstance(value, Mapping):
        shares = value.items()
    else:
        shares = [(part.rpartition(":")[0] or part, part.rpartition(":")[2]) for part in str(value).split(",")]
    for level, share in shares:
        if level not in known:
            raise NotFoundError(f'phenotype {term.name} has no level "{level}"; it has {", ".join(known)}')
        try:
            proportion = float(share)
        except ValueError:
            proportion = math.nan
        if not (math.isfinite(proportion) and proportion > 0):
            raise UsageError(f"phenotype {term.name}: the share {share!r} of {level} is not a number of more than 0")
        term.levels.proportions.add(level=level, proportion=proportion)


def _columns(table: Any) -> dict[str, list[Any]]:
    return {str(name): list(table[name]) for name in table.keys()}


def _length(columns: dict[str, list[Any]], origin: str) -> int:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise UsageError(
            f"{origin}: needs one value of each column for each sample, and at least one column and sample"
        )
    return lengths.pop()


def _read_columns(path: Path) -> dict[str, list[Any]]:
    """A header line, then one line a sample; tabs, or runs of spaces where the header has no tab. The first column is
    IID or #IID, or the first two FID and IID."""
    origin = os.fspath(path)
    lines = [line for line in pathlib.Path(path).read_text().splitlines() if line.strip()]
    tabs = bool(lines) and "\t" in lines[0]
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)) if tabs else [line.split() for line in lines]
    if len(rows) < 2:
        raise UsageError(f"{origin}: holds no samples")
    names = [rows[0][0].lstrip("#"), *rows[0][1:]]
    skip = 2 if names[:2] == ["FID", "IID"] else 1
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise UsageError(f"{origin}:{number}: has {len(row)} columns, not {len(names)}")
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(names) if i >= skip}


def _sample_conditions(columns: dict[str, list[Any]], manifest: manifest_pb2.Manifest) -> cohort_pb2.SampleConditions:
    conditions = cohort_pb2.SampleConditions()
    for name, values in columns.items():
        missing = [i for i, value in enumerate(values) if value is None or value != value or value in ("", "NA")]
        if missing:
            raise UsageError(f"sample {missing[0] + 1} has no {name}")
        if name == manifest.label_column:
            conditions.labels.extend(str(value) for value in values)
            continue
        known = [manifest.label_column] if manifest.label_column else []
        known += [schema.name for schema in manifest.phenotypes]
        if name not in known:
            raise UsageError(f"column {name} is not one that the model is conditioned on: {', '.join(known) or 'none'}")
        phenotype = conditions.phenotypes.add(name=name)
        if _schema(name, manifest).HasField("categorical"):
            phenotype.levels.extend(str(value) for value in values)
            continue
        try:
            phenotype.numbers.extend(float(value) for value in values)
        except ValueError:
            raise UsageError(f"column {name} holds text where numbers are due") from None
    return conditions
