"""What the inventory asks AWS: the rows of ``calls.csv``, and how a row makes requests of earlier answers.

A row is one operation. `after` names the steps whose answers give its items (`over`, a JMESPath); an item and
the request it came from fill `params`, where ``"$item"`` and ``"$of.Name"`` stand for them. `until` says when an
answer is the final one, `recurse` which further items an answer adds, `none` which error means "has none".
A new thing to read is a new row.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from trailfit.inventory.paths import search

if TYPE_CHECKING:
    from collections.abc import Mapping

Scope = Literal["organization", "identity_center", "account", "region"]


@dataclass(frozen=True, slots=True)
class Call:
    """A row of calls.csv."""

    step: str
    service: str
    operation: str
    permission: str
    scope: Scope
    after: tuple[str, ...]
    over: str
    params: str
    until: str
    recurse: str
    none: str
    kind: str
    source: str

    def items(self, answer: Mapping[str, Any], region: str) -> list[Any]:
        """Return the items that an answer of an earlier step gives this one."""
        found = search(self.over.replace("{region}", region), answer) or []
        return [item for item in found if item is not None]

    def request(self, item: object, of: Mapping[str, Any]) -> dict[str, Any]:
        """Return the request's parameters for an item that the answer to `of` gave."""
        context = {"item": item, "of": dict(of)}
        written: dict[str, Any] = json.loads(self.params)
        return {
            name: search(value[1:], context) if isinstance(value, str) and value[:1] == "$" else value
            for name, value in written.items()
        }


@cache
def calls() -> tuple[Call, ...]:
    """Return the rows of calls.csv; a step stands after those that give its items."""
    with files("trailfit.inventory").joinpath("calls.csv").open(encoding="utf-8") as lines:
        return tuple(
            Call(**{**row, "after": tuple(row["after"].split())})  # type: ignore[arg-type]
            for row in csv.DictReader(lines)
        )
