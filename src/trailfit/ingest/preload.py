"""Import what every worker needs, once, in the process that workers are forked from."""

import os

# The system's allocator gives memory back; Arrow's own keeps several times what is in use. Read when pyarrow loads.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import pyarrow.compute
import pyarrow.parquet  # noqa: F401 - imported for the workers

import trailfit.ingest.unit
import trailfit.ingest.work  # noqa: F401 - imported for the workers
