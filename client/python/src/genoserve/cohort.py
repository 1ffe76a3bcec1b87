"""A cohort in memory, and what it can be turned into."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genoserve import _formats, _write
from genoserve._connection import Path
from genoserve.genotypes import Batch, GenotypeRows, Int8Array
from genoserve.v1 import cohort_pb2, types_pb2
from genoserve.variants import VariantTable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Cohort(GenotypeRows):
    """Samples of a cohort with their variants; they stay packed, and each property unpacks them anew."""

    variant_table: VariantTable

    @property
    def variants(self) -> npt.NDArray[Any]:
        """What the columns of genotypes are: structured, with the fields contig, position, id, ref and alt."""
        return self.variant_table.records

    def to_numpy(self) -> Int8Array:
        """The genotypes: ALT counts, samples x variants; -1 = missing."""
        return self.genotypes

    def to_pandas(self, genotypes: bool = False) -> pd.DataFrame:
        """A row for each sample with its label and phenotypes, indexed by name. With `genotypes` a column of ALT counts
        for each variant follows, named by its id. Needs pandas."""
        import pandas as pd

        columns: dict[str, Any] = {}
        if self.header.labels:
            columns[self.header.label_column] = pd.Categorical.from_codes(
                self.label_codes, categories=pd.Index(self.label_names)
            )
        for schema in self.header.phenotypes:
            columns[schema.name] = self.phenotypes[schema.name]
        index = pd.Index(self.samples, name="sample")
        frame = pd.DataFrame(columns, index=index)
        if not genotypes:
            return frame
        counts = pd.DataFrame(self.genotypes, index=index, columns=list(self.variants["id"]))
        return pd.concat([frame, counts], axis=1)

    def to_xarray(self) -> xr.Dataset:
        """A dataset with the names and dimensions of VCF Zarr 0.4, as sgkit has them, and with sample_* variables for
        label and phenotypes. Needs xarray."""
        import xarray as xr

        records = self.variants
        contigs = [name for name, _ in self.variant_table.contigs]
        numbers = {name: i for i, name in enumerate(contigs)}
        phased = np.full((len(records), len(self)), self.phased)
        variables: dict[str, Any] = {
            "call_genotype": (("variants", "samples", "ploidy"), self._calls(), {"mixed_ploidy": False}),
            "call_genotype_phased": (("variants", "samples"), phased),
            "variant_contig": ("variants", np.array([numbers[name] for name in records["contig"]], np.int32)),
            "variant_position": ("variants", records["position"].astype(np.int32)),
            "variant_id": ("variants", records["id"].astype(np.str_)),
            "variant_allele": (("variants", "alleles"), np.stack([records["ref"], records["alt"]], 1).astype(np.str_)),
            "contig_id": ("contigs", np.array(contigs, dtype=np.str_)),
            "contig_length": ("contigs", np.array([length for _, length in self.variant_table.contigs], np.int64)),
            "sample_id": ("samples", self.samples),
        }
        if self.header.labels:
            variables[f"sample_{self.header.label_column}"] = ("samples", self.labels)
        for name, values in self.phenotypes.items():
            variables[f"sample_{name}"] = ("samples", values)
        provenance = {"synthetic": "true", **dict(_formats.provenance(self.header))}
        return xr.Dataset(variables, attrs={"vcf_zarr_version": "0.4", "source": _formats.source(), **provenance})

    def write(self, path: Path, *, force: bool = False) -> list[str]:
        """Writes the cohort as the command line does for the same request, and returns the names of the files: .vcf,
        .vcf.gz and .bcf; .bed with .bim and .fam, also where the path has no known suffix; .pgen with .pvar and .psam;
        .npy, the rows as unpack() gives them, with .variants.tsv and .samples.tsv. Beside them PREFIX.panel.tsv and
        PREFIX.pheno.tsv, where there are labels and phenotypes. Files appear when they are whole; FileExistsError where
        one is there already, unless `force` replaces it."""
        return _write.write(self, path, force)

    def _calls(self) -> Int8Array:
        """Alleles, variants x samples x 2; -1 = missing. Without phase the 1 of a heterozygote comes second."""
        if self.phased:
            return np.ascontiguousarray(self.haplotypes.transpose(1, 0, 2))
        alleles = np.array([[0, 0], [0, 1], [1, 1], [-1, -1]], np.int8)
        return alleles[self.genotypes.T]


class CohortBuilder:
    """Takes the batches of a stream in order."""

    def __init__(self, header: cohort_pb2.CohortHeader, variants: VariantTable) -> None:
        self._header = header
        self._variants = variants
        haplotypes = header.encoding == types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT
        self._rows = 2 if haplotypes else 1
        row_bytes = -(-header.variant_count * (1 if haplotypes else 2) // 8)
        self._packed = np.empty((header.sample_count * self._rows, row_bytes), np.uint8)
        self._labels = np.empty(header.sample_count if header.labels else 0, np.int32)
        self._phenotypes = {schema.name: np.empty(header.sample_count) for schema in header.phenotypes}

    def append(self, batch: Batch) -> None:
        first = batch.first_sample - self._header.first_sample
        last = first + len(batch)
        self._packed[first * self._rows : last * self._rows] = batch.packed
        if len(self._labels):
            self._labels[first:last] = batch.label_codes
        for name, values in batch.phenotype_codes.items():
            self._phenotypes[name][first:last] = values

    def build(self) -> Cohort:
        self._packed.flags.writeable = False
        return Cohort(
            self._header, self._header.first_sample, self._packed, self._labels, self._phenotypes, self._variants
        )
