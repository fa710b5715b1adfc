"""Keep beside a run's report which file and line define each role, as the last look into the repository found them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trailfit.deliver.plan import Plan

FILE_NAME = "owners.json"


def as_text(data: Mapping[str, Any], planned: Plan) -> str:
    """Return who defines what as JSON: for each role the blocks that may, how sure that is, and what it rests on.

    A role without blocks is one that no file of the repository was found to define.
    """
    principals = {
        arn: [
            {"path": one.path, "line": one.block.line, "where": one.where, "sure": one.sure, "because": one.because}
            for one in found
        ]
        for arn, found in sorted(planned.owners.items())
    }
    told = {"window": data["window"], "principals": principals}
    return json.dumps(told, indent=2, ensure_ascii=True) + "\n"


def read(out: Path, data: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Return the file and line of each role that one block defines; none where the file is of another run."""
    try:
        told = json.loads((out / FILE_NAME).read_bytes())
        if told["window"] != data["window"]:
            return {}
        found = {arn: rows[0] for arn, rows in told["principals"].items() if len(rows) == 1}
        return {arn: (str(row["path"]), int(row["line"])) for arn, row in found.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}  # it only adds to the report
