"""Client of genoserve: synthetic genotype cohorts as NumPy, pandas, xarray and files.

with genoserve.Client("localhost:50051") as client:
    cohort = client.fetch("five-populations", 1000, seed=7)
"""

from importlib import metadata

from genoserve._request import CohortArguments, Normal, Uniform
from genoserve.client import Client, CohortStream
from genoserve.cohort import Cohort
from genoserve.errors import (
    AuthError,
    ExhaustedError,
    GenoserveError,
    IncompleteError,
    MismatchError,
    NotFoundError,
    StoppedError,
    UsageError,
)
from genoserve.genotypes import Batch
from genoserve.variants import VariantTable

__version__ = metadata.version("genoserve")

__all__ = [
    "AuthError",
    "Batch",
    "Client",
    "Cohort",
    "CohortArguments",
    "CohortStream",
    "ExhaustedError",
    "GenoserveError",
    "IncompleteError",
    "MismatchError",
    "Normal",
    "NotFoundError",
    "StoppedError",
    "Uniform",
    "UsageError",
    "VariantTable",
]
