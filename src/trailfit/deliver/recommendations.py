"""Read ``recommendations.json``: the one interface between `recommend` and `deliver`.

The file may come from another machine, another version or an editor, so its form is checked against the shipped
JSON Schema before anything is rendered from it. The checker knows the part of JSON Schema 2020-12 that the schema
uses, and no more; tests hold it against the `jsonschema` package.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from trailfit.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE_NAME = "recommendations.json"

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_KNOWN = frozenset({
    "$ref", "type", "const", "enum", "anyOf", "required", "additionalProperties", "properties", "items", "pattern",
    "minLength", "minimum",
    "$schema", "$id", "$defs", "title", "description",
})  # fmt: skip


@cache
def schema() -> dict[str, Any]:
    """Return the shipped JSON Schema of ``recommendations.json``."""
    text = resources.files("trailfit.deliver").joinpath("recommendations.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def load(folder: Path) -> dict[str, Any]:
    """Read and check ``recommendations.json`` in `folder`, the ``--out`` of ``trailfit recommend``.

    Raises `UsageError` where there is none, `SourceError` where it is not of the promised form.
    """
    path = folder / FILE_NAME
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(
            "no recommendations here", where=str(path), hint="run trailfit recommend with the same --out first"
        ) from None
    except (OSError, ValueError) as problem:
        raise SourceError(f"cannot be read: {problem}", where=str(path)) from None
    check(data, str(path))
    return data  # type: ignore[no-any-return]  # an object: `check` has just said so


def check(data: object, where: str = FILE_NAME) -> None:
    """Raise `SourceError` with the first place where `data` departs from the schema."""
    for problem in problems(data):
        raise SourceError(problem, where=where, hint="made by another version? run trailfit recommend again")


def problems(data: object) -> Iterator[str]:
    """Yield every departure of `data` from the schema as ``/json/pointer: what is wrong``."""
    yield from _problems(data, schema(), "")


def _problems(data: object, rule: Mapping[str, Any], at: str) -> Iterator[str]:
    assert rule.keys() <= _KNOWN, f"the schema uses {sorted(rule.keys() - _KNOWN)}, which this checker does not know"
    if "$ref" in rule:
        yield from _problems(data, schema()["$defs"][rule["$ref"].rsplit("/", 1)[1]], at)
        return
    if "anyOf" in rule and not any(next(_problems(data, option, at), None) is None for option in rule["anyOf"]):
        yield f"{at or '/'}: has none of the forms allowed"
        return
    if "const" in rule and data != rule["const"]:
        yield f"{at or '/'}: is not {rule['const']!r}"
    if "enum" in rule and data not in rule["enum"]:
        yield f"{at or '/'}: is none of {', '.join(map(str, rule['enum']))}"
    types = rule.get("type")
    if types is not None and not any(_is(data, name) for name in ([types] if isinstance(types, str) else types)):
        yield f"{at or '/'}: is not {types if isinstance(types, str) else ' or '.join(types)}"
        return
    if isinstance(data, str):
        if len(data) < rule.get("minLength", 0):
            yield f"{at}: is empty"
        if "pattern" in rule and not re.search(rule["pattern"], data):
            yield f"{at}: does not match {rule['pattern']}"
    elif isinstance(data, int | float) and "minimum" in rule and data < rule["minimum"]:
        yield f"{at}: is below {rule['minimum']}"
    elif isinstance(data, dict):
        for name in rule.get("required", ()):
            if name not in data:
                yield f"{at}/{name}: is missing"
        known = rule.get("properties", {})
        for name, value in data.items():
            inner = known.get(name, rule.get("additionalProperties"))
            if inner is not None:
                yield from _problems(value, inner, f"{at}/{name}")
    elif isinstance(data, list | tuple) and "items" in rule:
        for number, item in enumerate(data):
            yield from _problems(item, rule["items"], f"{at}/{number}")


def _is(data: object, name: str) -> bool:
    """Tell whether `data` is of JSON's type `name`; in JSON ``true`` is no integer."""
    if name in ("integer", "number") and isinstance(data, bool):
        return False
    return isinstance(data, _TYPES[name])
