"""Write new values in the manner of the text around them: YAML blocks, YAML flow or JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from trailfit.deliver.tree import is_function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.deliver.tree import Node

#: Text that needs no quotes in YAML, in block and in flow style, and that no reader takes for another type.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.*?+=@-]*(:[A-Za-z0-9_/.*?+=@:-]+)*")
#: The same in block style, where a variable's braces need no quotes either.
_PLAIN_BLOCK = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.*?+=@${}-]*(:[A-Za-z0-9_/.*?+=@:${}-]+)*")


def column_of(text: str, at: int) -> int:
    """Return how far from the start of its line a place is."""
    return at - (text.rfind("\n", 0, at) + 1)


def indent_at(text: str, at: int) -> str:
    """Return the white space that the line of a place starts with."""
    start = text.rfind("\n", 0, at) + 1
    line = text[start:at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def line_end_of(text: str) -> str:
    r"""Return ``\r\n`` where the text's first line ends so, else ``\n``."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


class Flow:
    """Bracketed values: JSON, and what YAML and HCL take over from it."""

    def __init__(self, text: str) -> None:
        self.eol = line_end_of(text)
        self.unit = _json_unit(text)

    def scalar(self, value: Any) -> str:
        """Write one scalar."""
        return json.dumps(value, ensure_ascii=False)

    def dump(self, value: Any, indent: str, *, wide: bool) -> str:
        """Write a value; over several lines where `wide`, the lines after the first set in by `indent`."""
        if not wide:
            return json.dumps(value, ensure_ascii=False)
        lines = json.dumps(value, ensure_ascii=False, indent=self.unit).split("\n")
        return (self.eol + indent).join(lines)

    def replacement(self, text: str, node: Node, target: Any) -> str:
        """Write `target` in the place of `node`, over several lines where the map around it is."""
        return self.dump(target, indent_at(text, node.start), wide="\n" in text)

    def item(self, text: str, node: Node, value: Any) -> str:
        """Write an item in the breadth of its siblings."""
        return self.dump(value, self._inner(text, node), wide=self._is_wide(text, node))

    def entry(self, text: str, node: Node, name: str, value: Any) -> str:
        """Write ``"name": value``."""
        written = self.dump(value, self._inner(text, node), wide=self._is_wide(text, node))
        return f"{self.scalar(name)}: {written}"

    def separator(self, text: str, node: Node, spans: Sequence[tuple[int, int]]) -> str:
        """Return a comma and the break that the first item stands behind."""
        return "," + self._break(text, node, spans)

    def bracketed(self, text: str, node: Node, spans: Sequence[tuple[int, int]], items: Sequence[str]) -> str:
        """Write the items between the brackets that stand there."""
        opening, closing = text[node.start], text[node.end - 1]
        gap = text[node.start + 1 : spans[0][0]] if spans else ""
        after = text[spans[-1][1] : node.end - 1].lstrip(",") if spans else ""
        gap = "" if gap.strip() else gap
        after = "" if after.strip() else after
        return opening + gap + ("," + (gap or " ")).join(items) + self.last(text, node, spans) + after + closing

    def last(self, text: str, node: Node, spans: Sequence[tuple[int, int]]) -> str:  # noqa: ARG002 - HCL needs them
        """Return what stands behind a list's last item: nothing in JSON and YAML."""
        return ""

    def rewrapped(self, text: str, node: Node, target: Sequence[Any]) -> str | None:  # noqa: ARG002 - HCL needs them
        """Write a list anew where its one line would become too long; None where the writer does not mind."""
        return None

    def _is_wide(self, text: str, node: Node) -> bool:
        return "\n" in text[node.start : node.end]

    def _inner(self, text: str, node: Node) -> str:
        first = node.entries[0][0] if node.entries else node.items[0] if node.items else None
        return indent_at(text, first.start) if first else indent_at(text, node.start)

    def _break(self, text: str, node: Node, spans: Sequence[tuple[int, int]]) -> str:
        gap = text[node.start + 1 : spans[0][0]]
        return self.eol + indent_at(text, spans[0][0]) if "\n" in gap else " "


class Yaml(Flow):
    """YAML, in the manner of one file: its quotes, how far lists and maps are set in."""

    def __init__(self, text: str, root: Node) -> None:
        super().__init__(text)
        nodes = list(root.walk())
        self._quote, self._when_needed = _usual_quotes(text, nodes)
        self._quotes = {tag: _usual_quotes(text, nodes, tag)[0] for tag in {node.tag for node in nodes if node.tag}}
        flows = (node for node in nodes if node.flow and node.kind != "scalar")
        self._in_flow = {inner.start for node in flows for inner in node.walk()}
        self._list_step, self._map_step = _steps(text, root)

    def scalar(self, value: Any) -> str:
        """Write a scalar of block style, quoted only where it must be or where the file does."""
        return self._scalar(value, _PLAIN_BLOCK)

    def _scalar(self, value: Any, plain: re.Pattern[str], quote: str | None = None) -> str:
        if is_function(value):
            [(name, argument)] = value.items()
            if name == "Fn::GetAtt" and isinstance(argument, list):
                argument = ".".join(map(str, argument))
            if not isinstance(argument, str):
                return json.dumps(value, ensure_ascii=False)  # flow YAML, in the long form
            tag = f"!{name.removeprefix('Fn::')}"
            usual = self._quotes.get(tag, self._quote) if quote is None else quote
            return f"{tag} {self._text(argument, plain, usual)}"
        if isinstance(value, str):
            return self._text(value, plain, quote)
        return json.dumps(value, ensure_ascii=False)

    def dump(self, value: Any, indent: str, *, wide: bool) -> str:  # noqa: ARG002 - HCL needs them - a line has no breadth
        """Write flow style on one line, however long: a break would have to be set in."""
        if isinstance(value, list):
            return "[" + ", ".join(self.dump(item, indent, wide=False) for item in value) + "]"
        if isinstance(value, dict) and not is_function(value):
            entries = (f"{self._text(key)}: {self.dump(inner, indent, wide=False)}" for key, inner in value.items())
            return "{" + ", ".join(entries) + "}"
        return self._scalar(value, _PLAIN)

    def replacement(self, text: str, node: Node, target: Any) -> str:
        """Write `target` in the place of `node`: a scalar by a scalar, anything by flow style, a block by a block."""
        if node.kind != "scalar" and not node.flow and isinstance(target, dict) and not is_function(target):
            column = column_of(text, node.start)
            return (self.eol + " " * column).join(line[column:] for line in self._block(target, column))
        if node.quote in ("'", '"') and isinstance(target, str):
            return _quoted(target, node.quote)
        plain = _PLAIN if node.start in self._in_flow else _PLAIN_BLOCK
        if node.kind == "scalar" and not isinstance(target, dict | list):
            return self._scalar(target, plain)
        if node.kind == "scalar" and is_function(target):
            return self._scalar(target, plain, node.quote if node.tag else None)
        return self.dump(target, "", wide=False)

    def block_item(self, value: Any, column: int) -> list[str]:
        """Write ``- value`` with the dash in `column`."""
        lines = self._block(value, column + 2)
        return [" " * column + "- " + lines[0][column + 2 :], *lines[1:]]

    def block_entries(self, text: str, node: Node, new: Mapping[str, Any]) -> list[str]:
        """Write ``name: value`` where the keys of `node` stand."""
        return self._block(dict(new), column_of(text, node.entries[0][0].start))

    def block_value(self, text: str, key: Node, target: Any) -> str:
        """Write what follows the colon, on the same line or set in below it."""
        if not _is_collection(target):
            return " " + self.scalar(target)
        column = column_of(text, key.start)
        step = self._list_step if isinstance(target, list) else self._map_step
        return "".join(self.eol + line for line in self._block(target, column + step))

    def _block(self, value: Any, column: int) -> list[str]:
        """Write a value as lines set in by `column`."""
        margin = " " * column
        if isinstance(value, list) and value:
            return [line for item in value for line in self.block_item(item, column)]
        if not _is_collection(value):
            return [margin + self.scalar(value)]
        lines: list[str] = []
        for key, inner in value.items():
            if _is_collection(inner):
                step = self._list_step if isinstance(inner, list) else self._map_step
                lines += [f"{margin}{self._text(str(key))}:", *self._block(inner, column + step)]
            else:
                lines.append(f"{margin}{self._text(str(key))}: {self.scalar(inner)}")
        return lines

    def _text(self, text: str, plain: re.Pattern[str] = _PLAIN, quote: str | None = None) -> str:
        usual = self._quote if quote is None else quote
        if plain.fullmatch(text) and _stays_text(text) and (not usual or ":" not in text):
            return text
        return _quoted(text, self._when_needed)


def _quoted(text: str, quote: str) -> str:
    """Write a text in quotes, in double ones where it has something to escape."""
    if quote == '"' or any(not char.isprintable() for char in text):
        return json.dumps(text, ensure_ascii=not text.isprintable())  # YAML's double quotes take JSON's escapes
    return "'" + text.replace("'", "''") + "'"


def _is_collection(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value) and not is_function(value)


def _stays_text(text: str) -> bool:
    """Tell whether YAML reads an unquoted text as text, not as a date, a number or true."""
    return isinstance(yaml.safe_load(text), str)


def _usual_quotes(text: str, nodes: Sequence[Node], tag: str | None = None) -> tuple[str, str]:
    """Return how the file writes most scalars of a tag that hold a colon, and which quote it takes for the others."""
    counted = Counter(
        node.quote if node.quote in ("'", '"') else ""
        for node in nodes
        if node.kind == "scalar" and node.tag == tag and (":" in text[node.start : node.end] or node.quote)
    )
    usual = max(sorted(counted), key=lambda quote: counted[quote], default="")
    return usual, '"' if counted['"'] > counted["'"] else "'"


def _steps(text: str, root: Node) -> tuple[int, int]:
    """Return how far the file sets lists in below their key, and maps."""
    lists: Counter[int] = Counter()
    maps: Counter[int] = Counter()
    for node in root.walk():
        for key, value in node.entries:
            if value.flow or value.shared or value.start < key.start:
                continue
            if value.kind == "map" and value.entries and value.tag is None:
                maps[column_of(text, value.start) - column_of(text, key.start)] += 1
            elif value.kind == "seq" and value.items and value.tag is None:
                lists[column_of(text, value.start) - column_of(text, key.start)] += 1
    return _commonest(lists, least=0), _commonest(maps, least=1)


def _commonest(counted: Counter[int], least: int) -> int:
    usual = [step for step in counted if least <= step <= 8]
    return max(sorted(usual), key=lambda step: counted[step], default=2)


def _json_unit(text: str) -> int | str:
    """Return the indentation of the first line that has one: JSON's own manner."""
    match = re.search(r"\n([ \t]+)\S", text)
    if match is None:
        return 2
    return "\t" if match.group(1).startswith("\t") else len(match.group(1))
