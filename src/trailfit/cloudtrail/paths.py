"""Find values in request parameters, whatever the casing or wrapping a service's records have.

A path is keys joined by dots (``transactItems.put.tableName``). A list on the way is walked item by item, as is EC2's
``{"items": […]}``; keys match regardless of case, for CloudTrail lower-cases the first letter of most; ``@keys`` and
``@values`` give those of an object. Values come back as text, in the order of the record.
"""

from __future__ import annotations

from typing import Any

_MAX_DEPTH = 12
_MAX_VALUES = 1000


def values(parameters: object, path: tuple[str, ...]) -> list[str]:
    """List the texts at `path`: strings and numbers, never objects."""
    return [text for node in nodes(parameters, path) if (text := _text(node)) is not None]


def nodes(node: object, path: tuple[str, ...]) -> list[Any]:
    """List the nodes at `path`, lists opened. A null is absent."""
    found = [node]
    for key in path:
        opened = _opened(found)
        found = _step(opened[0], key) if len(opened) == 1 else [below for one in opened for below in _step(one, key)]
        if not found:
            return found
    return _opened(found)


def _step(node: object, key: str) -> list[Any]:
    if not isinstance(node, dict):
        return []
    if key == "@keys":
        return list(node)
    if key == "@values":
        return list(node.values())
    value = node.get(key)
    if value is None:
        lower = key.lower()
        for name, found in node.items():
            if found is not None and name.lower() == lower:
                return [found]
    return [] if value is None else [value]


def _opened(found: list[Any]) -> list[Any]:
    """Replace lists, and EC2's ``{"items": […]}``, by their items."""
    if len(found) == 1 and isinstance(found[0], str):
        return found
    out: list[Any] = []
    for node in found:
        if isinstance(node, list):
            out.extend(_opened(node))
        elif isinstance(node, dict) and isinstance(node.get("items"), list):
            out.extend(_opened(node["items"]))
        elif node is not None:
            out.append(node)
    return out[:_MAX_VALUES]


def _text(node: object) -> str | None:
    if isinstance(node, str):
        return node
    if isinstance(node, bool) or not isinstance(node, int | float):
        return None
    return str(node)


def leaves(parameters: object) -> dict[str, list[str]]:
    """Index the texts by lower-case key: those of the shallowest depth at which the key holds any.

    A key's text is that of its value, or of the items of its list.
    """
    index: dict[str, list[str]] = {}
    level: list[dict[str, Any]] = [node for node in _opened([parameters]) if isinstance(node, dict)]
    for _ in range(_MAX_DEPTH):
        here: dict[str, list[str]] = {}
        below: list[dict[str, Any]] = []
        for node in level:
            for key, value in node.items():
                for item in _opened([value]):
                    if isinstance(item, dict):
                        below.append(item)
                    elif (text := _text(item)) is not None:
                        here.setdefault(key.lower(), []).append(text)
        for key, texts in here.items():
            index.setdefault(key, texts)
        if not below:
            break
        level = below[:_MAX_VALUES]
    return index


def unwrapped(parameters: object) -> object:
    """Take newer EC2 calls out of their ``{"XxxRequest": {…}}``."""
    if isinstance(parameters, dict) and len(parameters) == 1:
        (key, value), *_ = parameters.items()
        if key.endswith("Request") and isinstance(value, dict):
            return value
    return parameters
