"""What of every IaC set of the corpus is found, edited and refused: ``python -m tests.bench.iac``.

Each block that makes a role is tightened to half of its policies' actions, as far as they have a form that may be
deployed; the second edit must change nothing, and no line outside a policy may change.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.deliver.corpus import ACCOUNT, ROOT, lines_outside
from tests.deliver.sample import allow, document
from tests.deliver.test_corpus_templates import held_policies
from tests.deliver.test_terraform import MANAGED, deployed, halved, iam_blocks, inline, policy
from trailfit.deliver import cloudformation, serverless
from trailfit.deliver.cloudformation import Proposal
from trailfit.deliver.terraform import Module
from trailfit.deliver.terraform_names import Names
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = ("files", "blocks", "no policy", "edited", "refused", "lines outside", "changed twice")
_LOGS = allow("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/x:*")


def main() -> None:
    """Print the table and the reasons."""
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    reasons: Counter[tuple[str, str]] = Counter()
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        for found in (*_templates(folder), *_terraform(folder), *_services(folder)):
            for column, number in found.items():
                if column in COLUMNS:
                    rows[folder.name][column] += number
                else:
                    reasons[folder.name, column] += number
    print(f"{'set':32}" + "".join(f"{column:>15}" for column in COLUMNS))
    for name in [*sorted(rows), "all"]:
        row = rows[name] if name != "all" else sum(rows.values(), Counter())
        print(f"{name:32}" + "".join(f"{row[column]:>15,}" for column in COLUMNS))
    for (name, reason), number in sorted(reasons.items()):
        print(f"{number:5}  {name}: {reason}")


def _templates(folder: Path) -> Iterator[Counter[str]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".yaml", ".yml", ".json", ".template") or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if not cloudformation.is_template(text):
            continue
        yield Counter(files=1)
        try:
            blocks = cloudformation.blocks(text)
        except EditError as problem:
            yield Counter({"refused": 1, f"unread: {problem.message[:70]}": 1})
            continue
        for block in blocks:
            yield _template_block(text, block)


def _template_block(text: str, block: cloudformation.Block) -> Counter[str]:
    told = Counter(blocks=1)
    try:
        before, after, _ = held_policies(text, block)
        if not before:
            return told + Counter({"no policy": 1})
        new = cloudformation.edit(text, block, [Proposal(ACCOUNT, before, after)])
        again = cloudformation.edit(new, block, [Proposal(ACCOUNT, after, after)])
    except EditError as problem:
        return told + Counter({"refused": 1, problem.message[:90]: 1})
    root = cloudformation.parse(text)
    resources = root.get("Resources")
    assert resources is not None
    ids = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    spans = [
        (one.start, one.end)
        for key, one in resources.entries
        if key.value == block.logical_id or ((kind := one.get("Type")) is not None and kind.value in ids)
    ]
    return told + Counter(
        {"edited": 1, "lines outside": lines_outside(text, new, spans), "changed twice": again != new}
    )


def _terraform(folder: Path) -> Iterator[Counter[str]]:
    for each in sorted({path.parent for path in folder.rglob("*.tf")}):
        texts = {path.name: path.read_text("utf-8") for path in sorted(each.glob("*.tf"))}
        beside = {path.name: path.read_text("utf-8", "replace") for path in each.iterdir() if path.is_file()}
        yield Counter(files=len(texts))
        try:
            module = Module("", texts, beside)
        except EditError as problem:
            yield Counter({"refused": 1, f"unread: {problem.message[:70]}": 1})
            continue
        for role in module.roles():
            yield _terraform_role(module, role, texts, beside)


def _terraform_role(module: Module, role: Any, texts: dict[str, str], beside: dict[str, str]) -> Counter[str]:
    told = Counter(blocks=1)
    try:
        before, after, without = _terraform_policies(module, role)
        if not before:
            return told + Counter({"no policy": 1}) + without
        changed = module.edit(role, Proposal("", before, after))
        own = texts | {name: text for name, text in changed.items() if name in texts}
        again = Module("", own, beside | changed).edit(role, Proposal("", after, after))
    except (EditError, LookupError) as problem:
        return told + Counter({"refused": 1, str(problem)[:90]: 1})
    outside = sum(lines_outside(texts[n], t, iam_blocks(texts[n])) for n, t in changed.items() if n in texts)
    return told + without + Counter({"edited": 1, "lines outside": outside, "changed twice": len(again)})


def _terraform_policies(module: Module, role: Any) -> tuple[list[Any], list[Any], Counter[str]]:
    before: list[Any] = []
    after: list[Any] = []
    without: Counter[str] = Counter()
    for one in module.held(role):
        kind, name, content = "inline", one.name or "policy", one.content
        if one.kind == "managed" and isinstance(content, str):
            before.append({**MANAGED, "name": content, "arn": content})
            continue
        if one.kind == "managed":
            try:
                kind, content = "customer_managed", module.customer_managed(one).content
            except EditError:  # others use it too, or it is defined elsewhere: it is detached
                if one.name:
                    before.append({**MANAGED, "kind": "customer_managed", "name": name, "arn": name})
                    continue
                content = None
        if content is None:
            without[f"policy not judged: {one.why or 'a managed policy that is defined elsewhere'}"] += 1
            continue
        content = deployed(content, Names(ACCOUNT))
        before.append(policy(content, name, kind))
        after.append(policy({**content, "Statement": halved(content)}, name, kind))
    return before, after, without


def _services(folder: Path) -> Iterator[Counter[str]]:
    for path in sorted(folder.rglob("serverless*.y*ml")):
        text = path.read_text("utf-8")
        yield Counter(files=1)
        for _service in serverless.services(text):
            _, node = serverless.statements(serverless.parse_yaml(text)) or ((), None)
            assert node is not None
            held = [{**one, "Resource": re.sub(r"\$\{[^}]*\}", "x", str(one["Resource"]))} for one in node.value]
            policies = [inline(document(_LOGS, *part)) for part in (held, held[1:])]
            try:
                new = serverless.edit(text, [Proposal(ACCOUNT, policies[:1], policies[1:])])
                again = serverless.edit(new, [Proposal(ACCOUNT, policies[1:], policies[1:])])
            except EditError as problem:
                yield Counter({"blocks": 1, "refused": 1, problem.message[:90]: 1})
                continue
            spans = [(node.start, node.end)]
            yield Counter(
                {
                    "blocks": 1,
                    "edited": 1,
                    "lines outside": lines_outside(text, new, spans),
                    "changed twice": again != new,
                }
            )


if __name__ == "__main__":
    main()
