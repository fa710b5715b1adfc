"""A run's judgement as flat tables: the rows of the lake's views `permissions` and `findings`."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailfit.views import Table


def tables(told: Mapping[str, Any]) -> dict[Table, list[tuple[Any, ...]]]:
    """Give the rows of each table from what `recommendations.json` tells, in the order of `views.COLUMNS`.

    As there, what a broad grant leaves unused is one row a service (``svc:*``), with the number of its actions.
    """
    span = tuple(date.fromisoformat(told["window"][end]) for end in ("from", "to"))
    findings = [
        (
            each["id"], each["kind"], each["principal"], each["severity"], each["confidence"], each.get("resource"),
            json.dumps(each["evidence"], ensure_ascii=False, sort_keys=True), *span,
        )
        for each in told["findings"]
    ]  # fmt: skip
    return {"permissions": [(*row, *span) for row in _permissions(told)], "findings": findings}


def _permissions(told: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for each in told["principals"]:
        for row in each["permissions"]:
            yield (
                each["principal"], each["account"], row["action"], row["class"], row["reason"], row.get("count", 1),
                row.get("calls", 0), _time(row.get("first_used")), _time(row.get("last_used")),
            )  # fmt: skip


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
