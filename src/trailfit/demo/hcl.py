"""Policy documents as a team would write them in Terraform: `jsonencode` of an HCL object, or a policy document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailfit.demo.cast import Json


def value(item: object, indent: int = 0) -> str:
    """Write a JSON value as HCL, as `terraform fmt` would lay it out (object keys aligned)."""
    pad = "  " * (indent + 1)
    if isinstance(item, dict):
        names = [key if key.isidentifier() else json.dumps(key) for key in item]
        width = max(map(len, names), default=0)
        lines = [
            f"{pad}{name.ljust(width) if _plain(inner) else name} = {value(inner, indent + 1)}"
            for name, inner in zip(names, item.values(), strict=True)
        ]
        return "{\n" + "\n".join(lines) + "\n" + "  " * indent + "}"
    if isinstance(item, list):
        if all(isinstance(inner, str) for inner in item) and len(item) < 3:
            return "[" + ", ".join(text(str(inner)) for inner in item) + "]"
        return "[\n" + "".join(f"{pad}{value(inner, indent + 1)},\n" for inner in item) + "  " * indent + "]"
    return text(item) if isinstance(item, str) else json.dumps(item)


def _plain(item: object) -> bool:
    return not isinstance(item, dict)


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
    width = max(len(name) for name, _ in rows)
    lines = [f"    {name.ljust(width)} = {written}" for name, written in rows]
    for test, keys in statement.get("Condition", {}).items():
        for variable, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            lines += ["", "    condition {", f"      test     = {text(test)}", f"      variable = {text(variable)}"]
            lines += [f"      values   = {value(listed, 3)}", "    }"]
    return "  statement {\n" + "\n".join(lines) + "\n  }"
