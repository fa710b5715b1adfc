"""How AWS itself names resources: which part of an ARN it draws at random, and which parts name a door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from trailfit.catalog.tables import rows

_HOLE = re.compile(r"{(\w+)}")
#: What a hole may be: ``open``: new with every resource · ``churn``: likewise, where resources come and go ·
#: ``closed``: never widened · ``suffix``: six random characters · ``name``: the user's own, judged by the evidence.
_MATCHES = {"suffix": "[A-Za-z0-9]{6}", "name": ".+?"}


@dataclass(frozen=True, slots=True)
class Naming:
    """One type's way of naming: a regular expression of an ARN's resource part, its holes in order, and the reason."""

    form: re.Pattern[str]
    holes: tuple[str, ...]
    reason: str


@cache
def namings(service: str) -> tuple[Naming, ...]:
    """List what is known of a service's types, in the table's order."""
    return tuple(
        Naming(_form(row["template"]), tuple(_HOLE.findall(row["template"])), row["reason"])
        for row in rows("open_types")
        if row["service"] == service
    )


def _form(template: str) -> re.Pattern[str]:
    pieces = _HOLE.split(template)
    text = "".join(f"({_MATCHES.get(piece, '.+')})" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return re.compile(rf"(?s:{text})\Z")
