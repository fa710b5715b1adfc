"""Decide what becomes of each role's proposal in a repository: which files are edited, and why others are not."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailfit.deliver import cloudformation
from trailfit.deliver.owner import Accounts, owners, templates
from trailfit.deliver.splice import edit, equal
from trailfit.deliver.text import file_name
from trailfit.deliver.tree import parse_json
from trailfit.deliver.view import account_of, name_of
from trailfit.deliver.write import Flow
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.deliver.cloudformation import Block


@dataclass(frozen=True, slots=True)
class Edited:
    """One file changed for a role: the path, and where in it and how sure."""

    path: str
    where: str
    because: str


@dataclass(slots=True)
class Role:
    """What becomes of one role or user: the files edited or added, and what was not edited and why."""

    arn: str
    recommendations: list[Mapping[str, Any]]
    edited: list[Edited] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    with_role: str | None = None

    @property
    def before(self) -> list[Mapping[str, Any]]:
        """Return the policies that go."""
        return [policy for one in self.recommendations for policy in one["before"]]

    @property
    def after(self) -> list[Mapping[str, Any]]:
        """Return the policies that come."""
        return [policy for one in self.recommendations for policy in one["after"]]


def is_for_code(recommendation: Mapping[str, Any]) -> bool:
    """Tell whether a recommendation changes policies of a role or user, and so the code that defines them."""
    changes = recommendation["before"] + recommendation["after"]
    return bool(changes) and not recommendation["action"].startswith("DELETE_") and all(
        policy["kind"] in ("inline", "aws_managed", "customer_managed") for policy in changes
    )  # fmt: skip


def plan(data: Mapping[str, Any], files: Mapping[str, str], *, chosen: Sequence[str] = ("safe",)) -> list[Role]:
    """Work out the edits of every role with a recommendation of a `chosen` disposition, one after the other.

    `files` are the texts of the repository. Each role's edits stand on those of the roles before it.
    """
    wanted: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in data["recommendations"]:
        if one["disposition"] in chosen and is_for_code(one):
            wanted[one["principal"]].append(one)
    everyone = {one["principal"] for one in (*data.get("principals", ()), *data["recommendations"])}
    known = Accounts(files, {account_of(arn) for arn in everyone})
    blocks = templates(files)
    texts = dict(files)
    roles = [
        Role(arn, sorted(wanted[arn], key=lambda r: str(r["id"])))
        for arn in sorted(wanted, key=lambda arn: (account_of(arn), name_of(arn), arn))
    ]
    makers = {arn: owners(arn, blocks, known) for arn in everyone}
    by_block: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for arn in sorted(everyone):
        for owner in makers[arn]:
            by_block[owner.path, owner.block.logical_id].append(arn)
    planned = {role.arn: role for role in roles}
    for role in roles:
        found = makers[role.arn]
        if role.with_role is None and len(found) == 1:
            owner = found[0]
            together = by_block[owner.path, owner.block.logical_id]
            _template(
                role, owner.path, owner.block, [planned.get(arn) or arn for arn in together], texts, owner.because
            )
        elif len(found) > 1:
            places = ", ".join(f"{owner.path} {owner.block.logical_id}" for owner in found)
            role.refused.append((found[0].path, f"more than one block may define it: {places}"))
        _policy_files(role, texts, known, roles)
    return roles


def _template(
    role: Role, path: str, block: Block, together: Sequence[Role | str], texts: dict[str, str], because: str
) -> None:
    """Edit a template's block for all the roles that it makes, or say why not."""
    left_out = [one for one in together if isinstance(one, str)]
    if left_out:
        role.refused.append((path, f"{block.logical_id} also makes {left_out[0]}, for which nothing safe is proposed"))
        return
    roles = [one for one in together if isinstance(one, Role)]
    proposals = [cloudformation.Proposal(account_of(one.arn), one.before, one.after) for one in roles]
    try:
        text = cloudformation.edit(texts[path], block, proposals)
    except EditError as problem:
        role.refused.append((path, f"{block.logical_id}: {problem.message}"))
        return
    for other in roles:
        if other is not role:
            other.with_role = role.arn
        also = [one.arn for one in roles if one is not other]
        because_all = f"{because}; the block also makes {', '.join(also)}" if also else because
        other.edited.append(Edited(path, block.logical_id, because_all))
    if text != texts[path]:
        texts[path] = role.files[path] = text


def _policy_files(role: Role, texts: dict[str, str], accounts: Accounts, roles: Iterable[Role]) -> None:
    """Edit the JSON files that hold a policy of the role's; put the other new policies below ``policies/``."""
    held = {policy["name"]: policy for policy in role.before if policy["kind"] in ("inline", "customer_managed")}
    for policy in role.after:
        old = held.get(policy["name"])
        path = _path(role.arn, policy["name"])
        edited = False
        for found in _holding(role, old, texts, accounts, roles) if old else ():
            edited |= _json_file(role, found, policy, texts)
        text = json.dumps(policy["document"], indent=2, ensure_ascii=False) + "\n"
        if not edited:
            role.added.append(path)
            if texts.get(path) != text:
                texts[path] = role.files[path] = text


def _path(arn: str, policy: str) -> str:
    kind = arn.split(":", 5)[-1].partition("/")[0]
    parts = (account_of(arn), kind, name_of(arn), policy)
    return "/".join(["policies", *(file_name(part) for part in parts)]) + ".json"


def _holding(
    role: Role, policy: Mapping[str, Any], texts: Mapping[str, str], accounts: Accounts, roles: Iterable[Role]
) -> list[str]:
    """Return the JSON files that hold this policy of this role, as deployed or as proposed already.

    The content must be the same; and where another role has the same policy too, the path must name the role.
    """
    own = _path(role.arn, policy["name"])
    name, account = name_of(role.arn), account_of(role.arn)
    after = next(one for one in role.after if one["name"] == policy["name"])
    others = any(
        equal(policy["document"], other["document"]) for one in roles if one is not role for other in one.before
    )
    found = []
    for path, text in sorted(texts.items()):
        if path.endswith(".json") and '"Statement"' in text and path != own and accounts.may_be(path, account):
            parts = path.removesuffix(".json").split("/")
            document = _loaded(text)
            fits = equal(document, policy["document"]) or equal(document, after["document"])
            if document is not None and fits and (name in parts or (policy["name"] == parts[-1] and not others)):
                found.append(path)
    return found


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _json_file(role: Role, path: str, policy: Mapping[str, Any], texts: dict[str, str]) -> bool:
    text = texts[path]
    try:
        new = edit(text, parse_json(text), policy["document"], Flow(text))
    except EditError as problem:
        role.refused.append((path, problem.message))
        return False
    if not equal(_loaded(new), policy["document"]):
        role.refused.append((path, "the edited file would not say what is proposed"))
        return False
    role.edited.append(Edited(path, "the whole file", "it holds the same policy"))
    if new != text:
        texts[path] = role.files[path] = new
    return True
