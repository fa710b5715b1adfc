"""Policy documents as a team would write them in Terraform: `jsonencode` of an HCL object, or a policy document."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailfit.demo.cast import Json


def value(item: object, indent: int = 0) -> str:
    """Write a JSON value as HCL, as `terraform fmt` would lay it out ."""
    pad = "  " * (indent + 1)
    if isinstance(item, dict):
        rows = [
            (key if key.isidentifier() else json.dumps(key), value(inner, indent + 1)) for key, inner in item.items()
        ]
        return "{\n" + "\n".join(aligned(rows, pad)) + "\n" + "  " * indent + "}"
    if isinstance(item, list):
        if all(isinstance(inner, str) for inner in item) and len(json.dumps(item)) < 70:
            return "[" + ", ".join(text(str(inner)) for inner in item) + "]"
        return "[\n" + "".join(f"{pad}{value(inner, indent + 1)},\n" for inner in item) + "  " * indent + "]"
    return text(item) if isinstance(item, str) else json.dumps(item)


def aligned(rows: list[tuple[str, str]], pad: str) -> list[str]:
    """Write assignments; each run of one-line values is aligned, as `terraform fmt` does."""
    lines: list[str] = []
    for long, run in groupby(rows, key=lambda row: "\n" in row[1]):
        listed = list(run)
        width = 0 if long else max(len(name) for name, _ in listed)
        lines += [f"{pad}{name.ljust(width)} = {written}" for name, written in listed]
    return lines


def text(item: str) -> str:
    """Write a string in HCL quotes; ``${`` would be an interpolation, so it is doubled."""
    return json.dumps(item).replace("${", "$${").replace("%{", "%%{")


def statement_blocks(document: Json) -> str:
    """Write a document's statements as the blocks of an ``aws_iam_policy_document`` data source."""
    return "\n\n".join(_block(statement) for statement in document["Statement"])


def _block(statement: Json) -> str:
    rows: list[tuple[str, str]] = []
    if "Sid" in statement:
        rows.append(("sid", text(statement["Sid"])))
    if statement["Effect"] != "Allow":
        rows.append(("effect", text(statement["Effect"])))
    names = {"Action": "actions", "NotAction": "not_actions", "Resource": "resources", "NotResource": "not_resources"}
    for element, name in names.items():
        if element in statement:
            listed = statement[element]
            rows.append((name, value(listed if isinstance(listed, list) else [listed], 2)))
    lines = aligned(rows, "    ")
    for test, keys in statement.get("Condition", {}).items():
        for variable, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            lines += ["", "    condition {", f"      test     = {text(test)}", f"      variable = {text(variable)}"]
            lines += [f"      values   = {value(listed, 3)}", "    }"]
    return "  statement {\n" + "\n".join(lines) + "\n  }"
