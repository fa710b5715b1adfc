"""Import what every worker needs, once, in the process that workers are forked from."""

import pyarrow.compute
import pyarrow.parquet  # noqa: F401 - imported for the workers

import trailfit.ingest.unit
import trailfit.ingest.work  # noqa: F401 - imported for the workers
