"""Import what every worker needs, once, in the process that workers are forked from."""

import os
import sys

# The system's allocator gives memory back; Arrow's own keeps several times what is in use. Read when pyarrow loads.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
# Nothing here multiplies matrices: threads that wait for it only spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pyarrow.compute
import pyarrow.parquet

import trailfit.ingest.unit
import trailfit.ingest.work  # noqa: F401 - imported for the workers


class _NoPandas:
    """Hides pandas from who looks for it."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


# When it makes its first array, pyarrow looks for pandas, once. No worker has a use for it, and it costs each of them
# a fifth of a second and 40 MB.
sys.meta_path.insert(0, _NoPandas)
pyarrow.array([0])
sys.meta_path.remove(_NoPandas)
