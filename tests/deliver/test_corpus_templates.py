"""Every template of the corpus: parse it, tighten each policy that may be, and let other readers judge the result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from trailfit.deliver import cloudformation
from trailfit.deliver.cloudformation import Proposal
from trailfit.errors import EditError

from .corpus import ACCOUNT, ROOT, deployed, lines_outside

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ROOT.is_dir(), reason="the corpus is not here (TRAILFIT_CORPUS)"),
]


class _Reader(yaml.SafeLoader):
    """Another way to read a template than by its marks: every tag becomes its content."""


def _any(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Reader.add_multi_constructor("!", _any)


def templates() -> list[tuple[str, str]]:
    found = []
    for path in sorted(ROOT.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json", ".template") and path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            if cloudformation.is_template(text):
                found.append((str(path.relative_to(ROOT)), text))
    return found


def narrower(statement: dict[str, Any]) -> dict[str, Any]:
    """Half of the actions, at least one."""
    actions = statement.get("Action")
    return {**statement, "Action": actions[: (len(actions) + 1) // 2]} if isinstance(actions, list) else statement


def held_policies(text: str, block: cloudformation.Block) -> tuple[list[Any], list[Any], int]:
    """The policies of a block as they may be deployed, the same tightened, and how many have no such form."""
    root = cloudformation.parse(text)
    resources = root.get("Resources")
    assert resources is not None
    before, after, without = [], [], 0
    for held in cloudformation._held(root, block):
        if held.kind == "managed" and isinstance(held.content, str):
            name = held.content.rpartition("/")[2]
            arn = held.content if held.content.startswith("arn:") else f"arn:aws:iam::aws:policy/{name}"
            before.append({"kind": "aws_managed", "name": name, "arn": arn, "document": {"Statement": []}})
        elif held.kind == "inline":
            try:
                document = deployed(held.content, resources)
            except (LookupError, TypeError, AttributeError):
                without += 1
                continue
            if not isinstance(document, dict):
                without += 1
                continue
            statements = document.get("Statement") or []
            statements = statements if isinstance(statements, list) else [statements]
            if not all(isinstance(one, dict) for one in statements):
                without += 1
                continue
            name = held.name or f"Policy{len(before)}"
            before.append({"kind": "inline", "name": name, "document": document})
            fresh = {**document, "Statement": [narrower(one) for one in statements[:2]]}
            after.append({"kind": "inline", "name": name, "document": fresh})
        else:
            without += 1
    return before, after, without


def test_every_template_is_read_and_every_safe_edit_is_made(tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for path, text in templates():
        told["templates"] += 1
        try:
            blocks = cloudformation.blocks(text)
        except EditError as problem:
            told["unreadable"] += 1
            reasons[f"{problem.message}"[:60]] += 1
            continue
        whole = text
        for block in blocks:
            try:
                before, after, without = held_policies(text, block)
            except EditError as problem:
                told["refused"] += 1
                reasons[problem.message] += 1
                continue
            told["policies without a deployed form"] += without
            if not before:
                continue
            told["blocks with policies"] += 1
            try:
                edited = cloudformation.edit(text, block, [Proposal(ACCOUNT, before, after)])
            except EditError as problem:
                told["refused"] += 1
                reasons[problem.message] += 1
                continue
            told["edited"] += 1
            told["lines outside a policy"] += judge(path, text, edited, block, after)
            whole = cloudformation.edit(whole, block, [Proposal(ACCOUNT, before, after)])
        if whole != text:
            for kind, content in (("before", text), ("after", whole)):
                place = tmp_path / kind / f"{told['templates']}{Path(path).suffix}"
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content.encode())
    bad = {kind: refused_by_cfn_lint(tmp_path / kind) for kind in ("before", "after")}
    told["edited templates that cfn-lint accepted before"] = len(list((tmp_path / "before").iterdir())) - len(
        bad["before"]
    )
    print(*(f"{count:5}  {what}" for what, count in [*told.items(), *reasons.items()]), sep="\n")
    assert told["edited"] >= 100
    assert told["refused"] <= told["edited"] / 10
    assert told["lines outside a policy"] == 0
    for name, told_after in bad["after"].items():
        assert not Counter(told_after) - Counter(bad["before"].get(name, ())), name
    assert told["edited templates that cfn-lint accepted before"] >= 20


def refused_by_cfn_lint(folder: Path) -> dict[str, list[str]]:
    """The templates of a folder that cfn-lint finds errors in (or that break it), and which."""
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")  # slow to import
    rules = api.ManualArgs(regions=["us-east-1"], ignore_checks=["W", "I"])
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        try:
            matches = api.lint(path.read_text("utf-8"), config=rules)
        except Exception as problem:  # noqa: BLE001 - another program's crash is its verdict on a file
            found[path.name] = [f"crash {type(problem).__name__}"]
            continue
        told = sorted(f"{one.rule.id} {one.message}" for one in matches if one.rule.id.startswith("E"))
        if told:
            found[path.name] = told
    return found


def judge(path: str, text: str, edited: str, block: cloudformation.Block, after: list[Any]) -> int:
    old, new = (yaml.load(one, Loader=_Reader) for one in (text, edited))
    for properties in (old, new):
        for name in ("Policies", "ManagedPolicyArns"):
            properties["Resources"][block.logical_id]["Properties"].pop(name, None)
        for resource in properties["Resources"].values():
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                resource["Properties"].pop("PolicyDocument", None)
    assert old == new, f"{path}: something else changed"
    again = cloudformation.edit(edited, block, [Proposal(ACCOUNT, after, after)])
    assert again == edited, f"{path}: a second edit changed something"
    root = cloudformation.parse(text)
    own = root.get("Resources", block.logical_id)
    spans = [(own.start, own.end)] if own else []
    for _, resource in root.get("Resources").entries:  # type: ignore[union-attr]
        kind = resource.get("Type")
        if kind is not None and kind.value in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            spans.append((resource.start, resource.end))
    return lines_outside(text, edited, spans)
