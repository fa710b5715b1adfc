"""Terraform's `aws_iam_policy_document`: its statements as a policy's, and edits of its blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailfit.deliver.hcl import Block, Hcl
from trailfit.deliver.splice import Splice, Splicer, equal, pair
from trailfit.deliver.tree import Node
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ARGUMENTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}


def document(block: Block) -> dict[str, Any] | None:
    """Return a policy document's data source as a document, None where it is more than plain statements."""
    if set(block.attributes) - {"version", "policy_id", "count"} or any(b.type != "statement" for b in block.blocks):
        return None
    statements = [_statement(one) for one in block.blocks]
    if None in statements:
        return None
    return {"Version": block.text("version") or "2012-10-17", "Statement": statements}


def why_not(block: Block) -> str:
    """Say why a policy document's data source is more than plain statements."""
    if any(one.type == "dynamic" for one in block.blocks):
        return "dynamic blocks make its statements"
    if set(block.attributes) & {"source_policy_documents", "override_policy_documents", "source_json", "override_json"}:
        return "its document takes in others"
    return "its statements are more than plain ones"


def _statement(block: Block) -> dict[str, Any] | None:
    if set(block.attributes) - {"sid", "effect", *_ARGUMENTS} or any(b.type != "condition" for b in block.blocks):
        return None
    made: dict[str, Any] = {"Sid": block.text("sid")} if block.text("sid") else {}
    made["Effect"] = block.text("effect") or "Allow"
    for name, element in _ARGUMENTS.items():
        if name in block.attributes:
            made[element] = block.attributes[name].value
    for condition in block.blocks:
        test, variable, values = (condition.attributes.get(name) for name in ("test", "variable", "values"))
        if test is None or variable is None or values is None or not isinstance(variable.value, str):
            return None
        made.setdefault("Condition", {}).setdefault(str(test.value), {})[variable.value] = values.value
    return made


def statement_splices(text: str, block: Block, target: Sequence[dict[str, Any]]) -> list[Splice]:
    """Work out how the statements of a policy document become `target`."""
    writer = Hcl(text)
    splicer = Splicer(text, writer)
    nodes = [Node("map", one.start, one.end, _statement(one), flow=True) for one in block.blocks]
    pairs, new = pair(nodes, target)
    if not pairs and new:  # nothing stays: the new ones stand where the first one stood
        pairs = {0: new.pop(0)}
    splices: list[Splice] = []
    for number, one in enumerate(block.blocks):
        if number not in pairs:
            splices.append(block_gone(text, one))
            continue
        old, fresh = nodes[number].value, pairs[number]
        if equal(old, fresh):
            continue
        apart = ("Sid", "Action", "Resource")
        rests = [{key: value for key, value in each.items() if key not in apart} for each in (old, fresh)]
        names = [name for name in ("sid", "actions", "resources") if name in one.attributes]
        elements = {"sid": "Sid", **_ARGUMENTS}
        if equal(*rests) and {elements[name] for name in names} == {key for key in apart if key in fresh}:
            for name in names:
                splices += splicer.change(one.attributes[name], fresh[elements[name]])
        else:
            splices.append(Splice(one.start, one.end, _written(fresh, writer)))
    if new:
        at = block.blocks[max(pairs, default=-1)].end
        blank = writer.eol * 2
        splices.append(Splice(at, at, "".join(f"{blank}  {_written(one, writer)}" for one in new)))
    return splices


def _written(statement: Mapping[str, Any], writer: Hcl) -> str:
    """Write a statement as a block of a policy document, its first line not set in."""
    arguments: dict[str, Any] = {}
    if "Sid" in statement:
        arguments["sid"] = statement["Sid"]
    if statement["Effect"] != "Allow":
        arguments["effect"] = statement["Effect"]
    for name, element in _ARGUMENTS.items():
        if element in statement:
            value = statement[element]
            arguments[name] = value if isinstance(value, list) else [value]
    if set(statement) - {"Sid", "Effect", "Condition", *_ARGUMENTS.values()}:
        raise EditError("a statement holds an element that a policy document's block cannot")
    lines = ["statement {", writer.rows(arguments, "    ")]
    for test, keys in statement.get("Condition", {}).items():
        for variable, values in keys.items():
            condition = {"test": test, "variable": variable, "values": values if isinstance(values, list) else [values]}
            lines += ["", "    condition {", writer.rows(condition, "      "), "    }"]
    return writer.eol.join([*lines, "  }"])


def block_gone(text: str, block: Block) -> Splice:
    """Take a block out with its line end, and one of the blank lines around it."""
    start = text.rfind("\n", 0, block.start) + 1
    end = text.find("\n", block.end)
    end = len(text) if end < 0 else end + 1
    before = text[:start]
    blank = re.search(r"(?:^|\n)(\r?\n)$", before)
    if blank:
        start -= len(blank.group(1))
    elif text[end:].startswith(("\n", "\r\n")):
        end += 2 if text[end] == "\r" else 1
    return Splice(start, end, "")
