"""Import what every worker needs, once, in the process that workers are forked from."""

import os

# The system's allocator gives memory back; Arrow's own keeps several times what is in use. Read when pyarrow loads.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
# Nothing here multiplies matrices: threads that wait for it only spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pyarrow.compute
import pyarrow.parquet

import trailfit.ingest.unit
import trailfit.ingest.work  # noqa: F401 - imported for the workers
from trailfit.ingest.no_pandas import no_pandas

with no_pandas():
    pyarrow.array([0])
