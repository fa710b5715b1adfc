"""Read Terraform files as trees with places, and write HCL values in the manner of `terraform fmt`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from trailfit.deliver.tree import Node, parse_json
from trailfit.deliver.write import Flow, indent_at
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: An HCL expression that is no literal, kept as its source.
SOURCE = "Fn::Hcl"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WIDE = 90


@dataclass(slots=True, eq=False)
class Block:
    """A block: ``resource "aws_iam_role" "name" { … }``, its attributes and inner blocks."""

    type: str
    labels: tuple[str, ...]
    start: int
    end: int
    attributes: dict[str, Node] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    calls: dict[str, tuple[str, Node]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return an attribute that is written out as text."""
        node = self.attributes.get(name)
        return node.value if node is not None and isinstance(node.value, str) else None

    def source(self, name: str) -> str | None:
        """Return an attribute's source where it is an expression and no literal."""
        node = self.attributes.get(name)
        return (
            node.value[SOURCE] if node is not None and isinstance(node.value, dict) and SOURCE in node.value else None
        )


@cache
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def parse(text: str) -> list[Block]:
    """Return the top blocks of a Terraform file; raises `EditError` where it is not one."""
    data = text.encode()
    tree = _parser().parse(data)
    if tree.root_node.has_error:
        raise EditError("not Terraform: a syntax error")
    return list(_Reader(text, data).blocks(tree.root_node))


class _Reader:
    """Turns the parser's tree, which counts bytes, into ours, which counts characters."""

    def __init__(self, text: str, data: bytes) -> None:
        self._text = text
        self._data = data
        self._ascii = len(text) == len(data)

    def _at(self, byte: int) -> int:
        return byte if self._ascii else len(self._data[:byte].decode())

    def _source(self, node: Any) -> str:
        return self._data[node.start_byte : node.end_byte].decode()

    def blocks(self, node: Any) -> Iterator[Block]:
        body = next((child for child in node.named_children if child.type == "body"), None)
        for child in body.named_children if body is not None else ():
            if child.type == "block":
                yield self._block(child)

    def _block(self, node: Any) -> Block:
        names = [c for c in node.named_children if c.type in ("identifier", "string_lit")]
        labels = tuple(self._source(name).strip('"') for name in names)
        made = Block(labels[0], labels[1:], self._at(node.start_byte), self._at(node.end_byte))
        made.blocks = list(self.blocks(node))
        body = next((child for child in node.named_children if child.type == "body"), None)
        for child in body.named_children if body is not None else ():
            if child.type == "attribute":
                key, value = child.named_children[0], child.named_children[-1]
                name = self._source(key)
                made.attributes[name] = self._value(value)
                call = self._call(value)
                if call is not None:
                    made.calls[name] = call
        return made

    def _call(self, node: Any) -> tuple[str, Node] | None:
        """Return a function's name and first argument where an expression is one call, or a heredoc's JSON."""
        inner = node.named_children[0] if node.named_child_count == 1 else None
        if inner is None:
            return None
        if (
            inner.type == "template_expr"
            and inner.named_child_count
            and inner.named_children[0].type == "heredoc_template"
        ):
            source = self._source(inner)
            first, last = source.find("\n") + 1, source.rfind("\n")
            start = self._at(inner.start_byte) + first
            try:
                return "heredoc", as_template(parse_json(self._text, start, start + last - first))
            except EditError:
                return None
        if inner.type != "function_call":
            return None
        arguments = [c for c in inner.named_children if c.type == "function_arguments"]
        values = arguments[0].named_children if arguments else []
        name = self._source(inner.named_children[0])
        known = len(values) == 1 or (name == "templatefile" and len(values) == 2)
        return (name, self._value(values[0])) if known else None

    def _value(self, node: Any) -> Node:
        start, end = self._at(node.start_byte), self._at(node.end_byte)
        inner = node
        while inner.type in ("expression", "collection_value", "literal_value") and inner.named_child_count == 1:
            inner = inner.named_children[0]
        made = Node("scalar", start, end, {SOURCE: self._source(node)}, flow=True, tag="hcl")
        if inner.type == "tuple":
            made.kind, made.tag = "seq", None
            made.items = [self._value(c) for c in inner.named_children if c.type == "expression"]
            made.value = [item.value for item in made.items]
            made.shared = any(c.type == "for_expr" for c in inner.named_children)
        elif inner.type == "object":
            made.kind, made.tag = "map", None
            for element in (c for c in inner.named_children if c.type == "object_elem"):
                key, value = element.named_children[0], element.named_children[-1]
                made.entries.append((self._key(key), self._value(value)))
            made.value = {str(key.value): value.value for key, value in made.entries}
            made.shared = len(made.value) != len(made.entries)
        elif inner.type == "string_lit":
            made.tag = None
            made.value = self._string(inner)
        elif node.type == "expression" and self._source(node) in ("true", "false", "null"):
            made.tag, made.value = None, json.loads(self._source(node))
        elif inner.type == "numeric_lit" and re.fullmatch(r"[0-9]+", self._source(node)):
            made.tag, made.value = None, int(self._source(node))
        return made

    def _key(self, node: Any) -> Node:
        source = self._source(node)
        value = json.loads(source) if source.startswith('"') and "${" not in source else source
        return Node("scalar", self._at(node.start_byte), self._at(node.end_byte), value, flow=True)

    def _string(self, node: Any) -> Any:
        source = self._source(node)[1:-1]
        if re.search(r"(?<![$%])[$%]\{", source):
            return {SOURCE: f'"{source}"'}
        text = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, source)
        return text.replace("$${", "${").replace("%%{", "%{")


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if code[0] == "u" and len(code) == 5 else _ESCAPES.get(code, code)


def as_template(node: Node) -> Node:
    """Mark the texts of a heredoc's JSON that hold an interpolation as expressions, as in HCL's own quotes."""
    if isinstance(node.value, str):
        if re.search(r"(?<![$%])[$%]\{", node.value):
            node.value, node.tag = {SOURCE: f'"{node.value}"'}, "hcl"
        else:
            node.value = node.value.replace("$${", "${").replace("%%{", "%{")
    node.items = [as_template(item) for item in node.items]
    node.entries = [(key, as_template(value)) for key, value in node.entries]
    if node.kind == "seq":
        node.value = [item.value for item in node.items]
    elif node.kind == "map":
        node.value = {key.value: value.value for key, value in node.entries}
    return node


def text_of(value: str) -> str:
    """Write a text in HCL's quotes; ``${`` and ``%{`` would begin an interpolation and are doubled."""
    return json.dumps(value, ensure_ascii=not value.isprintable()).replace("${", "$${").replace("%{", "%%{")


class Hcl(Flow):
    """HCL values: objects with ``=``, lists with commas."""

    unit = 2

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.unit = 2

    def scalar(self, value: Any) -> str:
        """Write a scalar, or an expression as its source."""
        if isinstance(value, dict) and SOURCE in value:
            return str(value[SOURCE])
        return text_of(value) if isinstance(value, str) else json.dumps(value)

    def dump(self, value: Any, indent: str, *, wide: bool) -> str:
        """Write a value; objects over several lines, lists where they would be too long for one."""
        if isinstance(value, dict) and SOURCE not in value:
            return "{" + self.eol + self.rows(value, indent + "  ") + self.eol + indent + "}"
        if isinstance(value, list):
            items = [self.dump(item, indent + "  ", wide=wide) for item in value]
            line = "[" + ", ".join(items) + "]"
            if "\n" not in line and len(line) <= _WIDE:
                return line
            inner = "".join(f"{indent}  {item},{self.eol}" for item in items)
            return "[" + self.eol + inner + indent + "]"
        return self.scalar(value)

    def rows(self, entries: Mapping[str, Any], indent: str) -> str:
        """Write assignments, the signs of neighbours on one line each beneath one another, as `terraform fmt` does."""
        written = [(self._name(name), self.dump(value, indent, wide=True)) for name, value in entries.items()]
        lines: list[str] = []
        for is_wide, group in groupby(written, key=lambda row: "\n" in row[1]):
            rows = list(group)
            width = 0 if is_wide else max(len(name) for name, _ in rows)
            lines += [f"{indent}{name.ljust(width)} = {text}" for name, text in rows]
        return self.eol.join(lines)

    def last(self, text: str, node: Node, spans: Sequence[tuple[int, int]]) -> str:
        """Return the comma behind a list's last item where it has one."""
        return "," if spans and text[spans[-1][1] : node.end].lstrip().startswith(",") else ""

    def rewrapped(self, text: str, node: Node, target: Sequence[Any]) -> str | None:
        """Write a list over several lines where the one line it stands on would become too long."""
        standing = _QUOTED.sub("", text[node.start : node.end])
        if "\n" in standing or "/*" in standing or any(isinstance(v, dict) and SOURCE not in v for v in target):
            return None
        indent = indent_at(text, node.start)
        written = self.dump(list(target), indent, wide=True)
        return written if "\n" in written else None

    def entry(self, text: str, node: Node, name: str, value: Any) -> str:
        """Write ``name = value``."""
        return f"{self._name(name)} = {self.dump(value, self._inner(text, node), wide=True)}"

    def separator(self, text: str, node: Node, spans: Any) -> str:
        """Return a comma between items; between entries a line break, where there is no comma already."""
        found = super().separator(text, node, spans)
        broken = "\n" in found and (len(spans) < 2 or "," not in text[spans[0][1] : spans[1][0]])
        return found[1:] if node.kind == "map" and broken else found

    def _name(self, name: str) -> str:
        return name if _IDENTIFIER.fullmatch(name) else text_of(name)


class HeredocJson(Flow):
    """JSON inside a heredoc: JSON, but for the interpolations, which are not escaped."""

    def dump(self, value: Any, indent: str, *, wide: bool) -> str:
        """Write JSON, doubling what would begin an interpolation."""
        return super().dump(_heredoc(value), indent, wide=wide)

    def scalar(self, value: Any) -> str:
        """Write one scalar."""
        return super().scalar(_heredoc(value))


def _heredoc(value: Any) -> Any:
    if isinstance(value, dict) and SOURCE in value:
        source = str(value[SOURCE])
        return source[1:-1] if source.startswith('"') else "${" + source + "}"
    if isinstance(value, dict):
        return {key: _heredoc(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_heredoc(item) for item in value]
    return value.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else value


def aligned(text: str) -> str:
    """Return a file with the ``=`` of neighbours beneath one another, as `terraform fmt` puts them."""
    spaces: list[tuple[int, int, str]] = []
    for run in _runs(_parser().parse(text.encode()).root_node):
        width = max(len(key.text.decode()) for key, _ in run)
        spaces += [(key.end_byte, sign.start_byte, " " * (width - len(key.text.decode()) + 1)) for key, sign in run]
    data, parts, at = text.encode(), [], 0
    for start, end, gap in sorted(spaces):
        parts += [data[at:start], gap.encode()]
        at = end
    return b"".join([*parts, data[at:]]).decode()


def _runs(node: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Yield the assignments of lines that follow one another, each on one line, with their signs."""
    run: list[tuple[Any, Any]] = []
    for child in node.children:
        if child.type in ("attribute", "object_elem") and (sign := _sign(child)) is not None:
            on_one_line = child.start_point[0] == child.end_point[0]
            if run and (not on_one_line or child.start_point[0] != run[-1][0].start_point[0] + 1):
                yield run
                run = []
            if on_one_line:
                run.append((child.children[0], sign))
            else:
                yield [(child.children[0], sign)]
        yield from _runs(child)
    if run:
        yield run


def _sign(node: Any) -> Any:
    return next((child for child in node.children if child.type == "="), None)
