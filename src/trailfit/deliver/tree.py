"""A file's nested values with the place of each in its text: what YAML, JSON and HCL have in common.

An edit splices bytes at these places, so that everything else in the file stays as it was.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import yaml

from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["map", "seq", "scalar"]

_JSON_SPACE = re.compile(r"[ \t\r\n]*")
_JSON_ATOM = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(slots=True, eq=False)
class Node:
    """One value: where it stands (`start`, `end` as character offsets), what it is.

    `value` is the value as JSON, CloudFormation's short tags in their long form. `flow` tells ``[a, b]`` from
    ``- a``. `shared` marks what an anchor or alias makes stand in two places: never edited.
    """

    kind: Kind
    start: int
    end: int
    value: Any
    flow: bool = False
    tag: str | None = None
    quote: str = ""
    shared: bool = False
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Node, Node]] = field(default_factory=list)

    def get(self, *path: str) -> Node | None:
        """Return the value at a path of keys, None where there is none."""
        node: Node | None = self
        for key in path:
            if node is None or node.kind != "map":
                return None
            node = next((value for name, value in node.entries if name.value == key), None)
        return node

    def walk(self) -> Iterator[Node]:
        """Yield the node and all below it."""
        yield self
        for name, value in self.entries:
            yield from name.walk()
            yield from value.walk()
        for item in self.items:
            yield from item.walk()


def is_function(value: Any) -> bool:
    """Tell whether a value is a CloudFormation function in its long form."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    [(name, argument)] = value.items()
    return name == "Ref" or str(name).startswith("Fn::") or (name == "Condition" and isinstance(argument, str))


def parse_yaml(text: str) -> Node:
    """Parse one YAML document with CloudFormation's tags; raises `EditError` where it is not one."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise EditError(f"not YAML: {str(problem).splitlines()[0]}") from None
    if root is None:
        raise EditError("an empty file")
    seen: dict[int, int] = {}
    _count(root, seen, 0)
    return _from_yaml(root, seen)


def _count(node: Any, seen: dict[int, int], depth: int) -> None:
    """Count how often each node stands in the tree: an alias gives the same node again."""
    if depth > 200:
        raise EditError("nested too deeply")
    seen[id(node)] = seen.get(id(node), 0) + 1
    if seen[id(node)] > 1:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _count(key, seen, depth + 1)
            _count(value, seen, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _count(item, seen, depth + 1)


def _from_yaml(node: Any, seen: dict[int, int], inside: tuple[int, ...] = ()) -> Node:
    if id(node) in inside:
        raise EditError("an alias that holds itself")
    within = (*inside, id(node))
    start, end = node.start_mark.index, node.end_mark.index
    tag = node.tag if node.tag.startswith("!") else None
    made = Node("scalar", start, end, None, tag=tag, shared=seen[id(node)] > 1)
    if isinstance(node, yaml.MappingNode):
        made.kind, made.flow = "map", bool(node.flow_style)
        made.entries = [(_from_yaml(k, seen, within), _from_yaml(v, seen, within)) for k, v in node.value]
        made.value = {str(k.value): v.value for k, v in made.entries}
        # Merge keys and keys that stand twice mean more than their text says: such a map is never edited.
        made.shared |= "<<" in made.value or len(made.value) != len(made.entries)
    elif isinstance(node, yaml.SequenceNode):
        made.kind, made.flow = "seq", bool(node.flow_style)
        made.items = [_from_yaml(item, seen, within) for item in node.value]
        made.value = [item.value for item in made.items]
    else:
        made.quote = node.style or ""
        made.value = _scalar(node)
    if not made.flow and made.kind != "scalar":
        # A block's own end mark runs on over blank lines and comments: it ends where its last child does.
        children = made.items or [value for _, value in made.entries]
        made.end = max((child.end for child in children if child.start >= start), default=end)
    if tag:
        made.value = _long_form(tag, made.value)
    return made


def _scalar(node: Any) -> Any:
    """Return a scalar as IAM would read it: a date (``Version: 2012-10-17``) is text; true, 1 and null are not."""
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in ("true", "yes", "on")
    if node.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"-?(0|[1-9][0-9]*)", node.value):
        return int(node.value)
    return node.value


def _long_form(tag: str, value: Any) -> Any:
    """Return a short tag in its long form (``!GetAtt A.Arn`` is ``{"Fn::GetAtt": ["A", "Arn"]}``)."""
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def parse_json(text: str, at: int = 0, end: int | None = None) -> Node:
    """Parse JSON text (or the part of `text` from `at` to `end`); raises `EditError` where it is not JSON."""
    stop = len(text) if end is None else end
    node, after = _from_json(text, _skip(text, at), stop, 0)
    if _skip(text, after) < stop:
        raise EditError(f"not JSON: more text at character {after}")
    return node


def _skip(text: str, at: int) -> int:
    match = _JSON_SPACE.match(text, at)
    return match.end() if match else at


def _from_json(text: str, at: int, stop: int, depth: int) -> tuple[Node, int]:
    if depth > 200:
        raise EditError("nested too deeply")
    first = text[at : at + 1] if at < stop else ""
    if first == "{":
        return _json_object(text, at, stop, depth)
    if first == "[":
        return _json_array(text, at, stop, depth)
    if first == '"':
        try:
            value, after = json.decoder.scanstring(text, at + 1)  # type: ignore[attr-defined]  # no stub has it
        except json.JSONDecodeError as problem:
            raise EditError(f"not JSON: {problem.msg}") from None
        return Node("scalar", at, after, value, flow=True, quote='"'), after
    atom = _JSON_ATOM.match(text, at)
    if atom is None or atom.end() > stop:
        raise EditError(f"not JSON at character {at}")
    return Node("scalar", at, atom.end(), json.loads(atom.group()), flow=True), atom.end()


def _json_array(text: str, at: int, stop: int, depth: int) -> tuple[Node, int]:
    node = Node("seq", at, at, [], flow=True)
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        item, at = _from_json(text, at, stop, depth + 1)
        node.items.append(item)
        at = _comma(text, at, "]")
    node.end = at + 1
    node.value = [item.value for item in node.items]
    return node, node.end


def _json_object(text: str, at: int, stop: int, depth: int) -> tuple[Node, int]:
    node = Node("map", at, at, {}, flow=True)
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _from_json(text, at, stop, depth + 1)
        if not isinstance(key.value, str):
            raise EditError(f"not JSON: a key that is no text at character {key.start}")
        if key.value in node.value:
            raise EditError(f"the key {key.value!r} stands there twice")
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise EditError(f"not JSON: no colon at character {at}")
        value, at = _from_json(text, _skip(text, at + 1), stop, depth + 1)
        node.entries.append((key, value))
        node.value[key.value] = value.value
        at = _comma(text, at, "}")
    node.end = at + 1
    return node, node.end


def _comma(text: str, at: int, close: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        after = _skip(text, at + 1)
        if text[after : after + 1] == close:
            raise EditError(f"not JSON: a comma before {close} at character {at}")
        return after
    if text[at : at + 1] != close:
        raise EditError(f"not JSON at character {at}")
    return at
