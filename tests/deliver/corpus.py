"""Real templates that nobody here wrote, and what their policies may have come out as in an account."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

from trailfit.catalog import tables
from trailfit.deliver.tree import Node, is_function

ROOT = Path(os.environ.get("TRAILFIT_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")) / "iac"
ACCOUNT = "012345678901"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT, "AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com", "AWS::StackId": "arn:aws:cloudformation:eu-west-1:012345678901:stack/s/1",
}  # fmt: skip


def deployed(value: Any, resources: Node) -> Any:
    """Return a value of a template as CloudFormation might have put it out; raises LookupError where it may not."""
    if is_function(value):
        [(name, argument)] = value.items()
        if name == "Ref":
            return _variable(argument, resources)
        if name == "Fn::GetAtt":
            return _variable(".".join(argument), resources)
        if name == "Fn::Join":
            return argument[0].join(deployed(part, resources) for part in argument[1])
        if name == "Fn::Sub" and isinstance(argument, str):
            out, rest = "", argument
            while "${" in rest:
                before, _, rest = rest.partition("${")
                inner, _, rest = rest.partition("}")
                out += before + _variable(inner, resources)
            return out + rest
        raise LookupError(name)
    if isinstance(value, dict):
        return {key: deployed(inner, resources) for key, inner in value.items()}
    if isinstance(value, list):
        return [deployed(item, resources) for item in value]
    return value


def _variable(name: str, resources: Node) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    logical, _, attribute = name.partition(".")
    kind = resources.get(logical, "Type")
    if kind is None:
        return f"value-of-{logical}"
    facts = next((row for row in tables.rows("cloudformation_names") if row["type"] == kind.value), None)
    if facts is None:
        if attribute:
            raise LookupError(name)
        return f"stack-{logical}-ABCDEFGH1234"
    named = resources.get(logical, "Properties", facts["name_property"])
    physical = deployed(named.value, resources) if named else f"stack-{logical}-ABCDEFGH1234"
    if (attribute == facts["name_attribute"] and attribute) or (not attribute and facts["ref"] == "name"):
        return str(physical)
    if attribute == facts["arn_attribute"] or facts["ref"] == "arn":
        arn = facts["arn"].format(partition="aws", region="eu-west-1", account=ACCOUNT, name=physical)
        return arn.replace("??????", "a1B2c3")
    raise LookupError(name)


def lines_outside(old: str, new: str, spans: list[tuple[int, int]]) -> int:
    """Count the lines with text in them that were changed or added outside certain places of the old text."""
    inside: set[int] = set()
    for start, end in spans:
        inside |= set(range(old.count("\n", 0, start), old.count("\n", 0, end) + 2))
    olds, news = old.split("\n"), new.split("\n")
    found = 0
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            found += sum(number not in inside and bool(olds[number].strip()) for number in range(i1, i2))
        elif tag == "insert" and i1 not in inside:
            found += sum(bool(line.strip()) for line in news[j1:j2])
    return found
