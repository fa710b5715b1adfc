"""Edit a tree's text so that it holds another value, changing no byte that need not change.

What is equal stays where and as it is, with its order, quoting and comments. Lists are compared as sets (IAM gives
their order no meaning) and a list of one as its item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.deliver.tree import is_function
from trailfit.deliver.write import Yaml
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.deliver.tree import Node
    from trailfit.deliver.write import Flow

#: Keys that name a map among its siblings: two maps with the same name are the same thing, changed.
_NAMES = ("Sid", "PolicyName", "sid", "name")


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def edit(text: str, node: Node, target: Any, writer: Flow) -> str:
    """Return `text` with the value at `node` made equal to `target`. Raises `EditError` where that is not safe."""
    return apply(text, Splicer(text, writer).change(node, target))


def apply(text: str, splices: Sequence[Splice]) -> str:
    """Return `text` with all the splices made; they must not overlap."""
    parts, at = [], 0
    for splice in sorted(splices):
        if splice.start < at:
            raise EditError("two of its changes fall on the same lines: edit it by hand")
        parts += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, text[at:]])


def equal(one: Any, other: Any) -> bool:
    """Tell whether two values mean the same to IAM: lists as sets, a list of one as its item."""
    if isinstance(one, list) and not isinstance(other, list):
        other = [other]
    elif isinstance(other, list) and not isinstance(one, list):
        one = [one]
    if isinstance(one, list):
        return all(any(equal(a, b) for b in other) for a in one) and all(any(equal(a, b) for a in one) for b in other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other) and type(one) is type(other)


class Splicer:
    """Works out the splices of one text."""

    def __init__(self, text: str, writer: Flow) -> None:
        self._text = text
        self._writer = writer

    def change(self, node: Node, target: Any) -> list[Splice]:
        """Return the splices that make the value at `node` equal to `target`."""
        if equal(node.value, target):
            return []
        if any(inner.shared for inner in node.walk()):
            raise EditError("the policy is written with an anchor, an alias, a merge or a key that stands twice")
        if node.tag is None:
            if node.kind == "seq":
                return self._list(node, target if isinstance(target, list) else [target])
            if isinstance(target, list) and len(target) == 1:
                target = target[0]
            if node.kind == "map" and isinstance(target, dict):
                return self._map(node, target)
        return [Splice(node.start, node.end, self._writer.replacement(self._text, node, target))]

    # --- maps ---------------------------------------------------------------------------------------------

    def _map(self, node: Node, target: dict[str, Any]) -> list[Splice]:
        if not any(key.value in target for key, _ in node.entries):
            return [Splice(node.start, node.end, self._writer.replacement(self._text, node, target))]
        splices: list[Splice] = []
        kept = [number for number, (key, _) in enumerate(node.entries) if key.value in target]
        for number, (key, value) in enumerate(node.entries):
            if number in kept:
                splices += self._value(key, value, target[key.value], within_flow=node.flow)
        present = [key.value for key, _ in node.entries]
        new = {name: value for name, value in target.items() if name not in present}
        if node.flow:
            spans = [(key.start, value.end) for key, value in node.entries]
            texts = [self._writer.entry(self._text, node, name, value) for name, value in new.items()]
            return splices + self._flow(node, spans, kept, texts)
        gone = [number for number in range(len(node.entries)) if number not in kept]
        splices += [self._block_entry_gone(node, number) for number in gone]
        if new:
            lines = self._block.block_entries(self._text, node, new)
            own_lines = [g for g in gone if not self._before_in_line(node.entries[g][0].start).strip(" ")]
            at = (
                self._line_start(node.entries[own_lines[0]][0].start)  # in the place of the first one that goes
                if own_lines
                else self._line_end(node.entries[kept[-1]][1].end)
            )
            splices.append(self._lines_at(at, lines))
        return splices

    def _value(self, key: Node, value: Node, target: Any, *, within_flow: bool) -> list[Splice]:
        """Change the value of a map's entry; a value of another shape is written anew from the colon on."""
        if equal(value.value, target):
            return []
        if isinstance(target, list) and len(target) == 1 and value.kind != "seq":
            target = target[0]
        if within_flow or value.flow or value.kind in ("seq", target_kind(target)):
            return self.change(value, target)
        if any(inner.shared for inner in value.walk()):
            raise EditError("the policy is written with an anchor, an alias, a merge or a key that stands twice")
        colon = self._text.index(":", key.end)
        written = self._block.block_value(self._text, key, target)
        return [Splice(colon + 1, value.end, written)]

    def _block_entry_gone(self, node: Node, number: int) -> Splice:
        key, value = node.entries[number]
        if not self._before_in_line(key.start).strip(" "):
            return Splice(self._line_start(key.start), self._line_end(value.end), "")
        if number + 1 < len(node.entries):  # behind a dash: the next key takes its place there
            return Splice(key.start, node.entries[number + 1][0].start, "")
        raise EditError("the only key behind a dash would go")

    # --- lists --------------------------------------------------------------------------------------------

    def _list(self, node: Node, target: list[Any]) -> list[Splice]:
        if not target:
            return [Splice(node.start, node.end, "[]")]
        pairs, new = pair(node.items, target)
        if node.flow and (text := self._writer.rewrapped(self._text, node, target)) is not None:
            return [Splice(node.start, node.end, text)]
        splices: list[Splice] = []
        for number, value in pairs.items():
            splices += self.change(node.items[number], value)
        kept = sorted(pairs)
        if node.flow:
            texts = [self._writer.item(self._text, node, value) for value in new]
            return splices + self._flow(node, [(item.start, item.end) for item in node.items], kept, texts)
        if not node.items:
            raise EditError("an empty list in block style")
        places = [self._dash(item) for item in node.items]
        for number, item in enumerate(node.items):
            if number not in pairs:
                splices.append(Splice(self._line_start(places[number]), self._line_end(item.end), ""))
        if new:
            at = self._line_end(node.items[kept[-1]].end) if kept else self._line_start(places[0])
            column = places[0] - self._line_start(places[0])
            lines = [line for value in new for line in self._block.block_item(value, column)]
            splices.append(self._lines_at(at, lines))
        return splices

    def _dash(self, item: Node) -> int:
        """Return the place of the dash before a block item, which must be the first thing in its line."""
        at = item.start
        while at > 0 and self._text[at - 1] in " \t\r\n":
            at -= 1
        if at == 0 or self._text[at - 1] != "-" or self._text[self._line_start(at - 1) : at - 1].strip(" "):
            raise EditError("a list within a list, or a comment behind a dash")
        return at - 1

    # --- flow style: JSON, [a, b], {a: b}, and HCL --------------------------------------------------------

    def _flow(self, node: Node, spans: list[tuple[int, int]], kept: list[int], new: list[str]) -> list[Splice]:
        """Take items out of, and add items to, a bracketed list; separators and line breaks stay as they are."""
        if not kept:
            return [Splice(node.start, node.end, self._writer.bracketed(self._text, node, spans, new))]
        splices = [
            Splice(spans[number][0], spans[number + 1][0], "") for number in range(kept[-1]) if number not in kept
        ]
        last_end = spans[kept[-1]][1]
        if kept[-1] < len(spans) - 1:
            splices.append(Splice(last_end, spans[-1][1], ""))
        if new:
            separator = self._writer.separator(self._text, node, spans)
            splices = [s for s in splices if s.start != last_end]
            text = "".join(separator + item for item in new)
            splices.append(Splice(last_end, spans[-1][1], text))
        return splices

    # --- lines --------------------------------------------------------------------------------------------

    def _lines_at(self, at: int, lines: Sequence[str]) -> Splice:
        """Insert whole lines at the start of a line, or at the end of a text that has no line end there."""
        eol = self._writer.eol
        if at > 0 and self._text[at - 1] != "\n":
            return Splice(at, at, "".join(eol + line for line in lines))
        return Splice(at, at, "".join(line + eol for line in lines))

    @property
    def _block(self) -> Yaml:
        """Return the writer of a text in block style, which only YAML has."""
        assert isinstance(self._writer, Yaml)
        return self._writer

    def _before_in_line(self, at: int) -> str:
        return self._text[self._line_start(at) : at]

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Return the start of the line after the one that a value ends in."""
        if at > 0 and self._text[at - 1] == "\n":
            return at  # a block scalar ends with its line
        end = self._text.find("\n", at)
        rest = self._text[at : end if end >= 0 else len(self._text)].strip()
        if rest and not rest.startswith("#"):
            raise EditError("more than one value in a line")
        return end + 1 if end >= 0 else len(self._text)


def target_kind(target: Any) -> str:
    """Return what kind of node a value would be; CloudFormation's functions are written as tagged scalars."""
    if isinstance(target, list):
        return "seq"
    if isinstance(target, dict):
        return "scalar" if is_function(target) else "map"
    return "scalar"


def pair(items: Sequence[Node], target: Sequence[Any]) -> tuple[dict[int, Any], list[Any]]:
    """Pair a list's items with what they become: equals first, then maps of one name or split from it, then alike."""
    left = list(target)
    pairs: dict[int, Any] = {}

    def take(number: int, index: int) -> None:
        pairs[number] = left.pop(index)

    for number, item in enumerate(items):
        index = next((i for i, value in enumerate(left) if equal(item.value, value)), None)
        if index is not None:
            take(number, index)
    maps = [n for n, item in enumerate(items) if n not in pairs and item.kind == "map" and item.tag is None]
    for number in maps:
        index = next((i for i, value in enumerate(left) if _same_name(items[number].value, value)), None)
        if index is not None:
            take(number, index)
    for number in maps:
        index = next((i for i, value in enumerate(left) if _is_first_part(items[number].value, value)), None)
        if number not in pairs and index is not None:
            take(number, index)
    for number in maps:
        if number in pairs:
            continue
        likeness = [(_likeness(items[number].value, value), -i) for i, value in enumerate(left)]
        best, place = max(likeness, default=(0, 0))
        if best > 0:
            take(number, -place)
    return pairs, left


def has_literal_actions(document: Any) -> bool:
    """Tell whether a document's actions are all written out; those that a variable gives are decided elsewhere."""
    if not isinstance(document, dict):
        return False
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in ("Action", "NotAction", "Effect", "Sid"):
            value = statement.get(element, []) if isinstance(statement, dict) else None
            if not all(isinstance(one, str) for one in (value if isinstance(value, list) else [value])):
                return False
    return True


def _same_name(one: Any, other: Any) -> bool:
    if not isinstance(other, dict) or is_function(other):
        return False
    return any(name in one and one.get(name) == other.get(name) for name in _NAMES)


def _is_first_part(one: dict[str, Any], other: Any) -> bool:
    """Tell whether a statement is one of those that another was split into: `Media` into `Media1` and `Media2`."""
    if not isinstance(other, dict) or is_function(other) or not isinstance(one.get("Sid"), str):
        return False
    return str(other.get("Sid", "")) == f"{one['Sid']}1"


def _likeness(one: dict[str, Any], other: Any) -> int:
    """Count the actions or nested values that two maps share; maps that are named differently are not alike."""
    if not isinstance(other, dict) or is_function(other) or is_function(one):
        return 0
    if any(name in one and name in other for name in _NAMES):
        return 0
    return sum(
        2 if key in ("Resource", "PolicyDocument") else 1
        for key in one
        if key in other and _touch(one[key], other[key])
    )


def _touch(one: Any, other: Any) -> bool:
    """Tell whether two values are equal or have an item in common."""
    ones, others = (value if isinstance(value, list) else [value] for value in (one, other))
    return any(equal(a, b) for a in ones for b in others)
