"""Read the catalogue's own tables: CSV files beside this module, every row with its `source`.

The tables carry the facts, the code only the mechanism. ``trailfit.catalog.refresh`` rebuilds those that can
be rebuilt from what AWS publishes; the others are kept by hand.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Read ``NAME.csv``: one dict a row, every value text (empty where the cell is)."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def names() -> list[str]:
    """List the names of all tables, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))
