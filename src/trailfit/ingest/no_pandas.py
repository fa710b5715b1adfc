"""Spare a process pandas, which pyarrow looks for when it makes its first array and ingest has no use for.

Loading it costs a fifth of a second and 40 MB. pyarrow looks once: in a process that was spared it, tables cannot be
made data frames later, so only processes that end with the ingest are.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Hidden:
    """Hides pandas from who looks for it."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


@contextlib.contextmanager
def no_pandas() -> Iterator[None]:
    """Hide pandas for a while, where it is not loaded yet."""
    sys.meta_path.insert(0, _Hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(_Hidden)
