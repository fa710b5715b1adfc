"""Read the `resource` of a rule: how the table says where an action's ARNs come from.

``type`` or ``type(Variable=path|transform, …)`` fills the type's template · ``@path|transform`` is an ARN itself ·
``*(reason)`` is any resource, and why · joined by ``;`` · a leading ``!`` puts the request before ``resources[]``, a
leading ``?`` says that the types are alternatives (one that the request does not name is not needed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_TYPE = re.compile(r"(?P<type>arn:[^(]+|[^(@*]+?)\s*(?:\((?P<given>.*)\))?", re.DOTALL)
_FIXED = re.compile(r"\*\((?P<reason>.+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ResourceText:
    """A rule's `resource`, read."""

    types: tuple[tuple[str, dict[str, str]], ...] = ()
    paths: tuple[tuple[str, str], ...] = ()
    fixed: tuple[str, str] | None = None
    own_first: bool = False
    alternatives: bool = False


@cache
def parse(text: str) -> ResourceText:
    """Read a `resource` cell. Raises ValueError for one that is not of the language."""
    text = text.strip()
    own_first = text.startswith("!")
    text = text.removeprefix("!")
    alternatives = text.startswith("?")
    text = text.removeprefix("?")
    if not text:
        return ResourceText(own_first=own_first)
    if fixed := _FIXED.fullmatch(text):
        return ResourceText(fixed=("*", fixed["reason"]))
    types: list[tuple[str, dict[str, str]]] = []
    paths: list[tuple[str, str]] = []
    for part in (part.strip() for part in text.split(";")):
        if part.startswith("@"):
            path, _, change = part[1:].partition("|")
            paths.append((path, change))
            continue
        found = _TYPE.fullmatch(part)
        if not found:
            raise ValueError(f"not a resource: `{part}`")
        given = dict(pair.strip().split("=", 1) for pair in (found["given"] or "").split(",") if pair.strip())
        types.append((found["type"], given))
    return ResourceText(tuple(types), tuple(paths), None, own_first, alternatives)
