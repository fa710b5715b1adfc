"""Make AWS IAM policies fit what CloudTrail saw.

>>> import trailfit
>>> sorted(trailfit.__all__)
['decode', 'open', 'read_logs', 'rightsize']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailfit.api import decode, open, read_logs, rightsize  # noqa: A004 - the name users expect, as in gzip.open

__all__ = ["decode", "open", "read_logs", "rightsize"]


def __getattr__(name: str) -> Any:
    """Load the Python API when it is first used: `import trailfit.policy` stays light."""
    if name in __all__:
        from trailfit import api

        return getattr(api, name)
    raise AttributeError(f"module `trailfit` has no attribute `{name}`")
