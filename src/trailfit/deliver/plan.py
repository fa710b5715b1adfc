"""Decide what becomes of each role's proposal in a repository: which files are edited, and why others are not."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailfit.deliver import cloudformation, serverless, terraform, terraform_module
from trailfit.deliver.owner import Accounts, Mapped, Owner, definitions, module_files, owners
from trailfit.deliver.serverless import Service
from trailfit.deliver.splice import edit, equal
from trailfit.deliver.text import file_name
from trailfit.deliver.tree import parse_json
from trailfit.deliver.union import require_valid
from trailfit.deliver.view import account_of, name_of
from trailfit.deliver.write import Flow
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


#: What CloudFormation notes on what it makes
#: (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
_LOGICAL_ID = "aws:cloudformation:logical-id"


@dataclass(frozen=True, slots=True)
class Edited:
    """One file changed for a role: the path, and where in it and how sure."""

    path: str
    where: str
    because: str


@dataclass(slots=True)
class Role:
    """What becomes of one role or user: the files edited, added or (None) gone, and what was not edited and why."""

    arn: str
    recommendations: list[Mapping[str, Any]]
    edited: list[Edited] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str | None] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of every role with a safe proposal, and the files that could not be read.

    `owners` are the blocks that may define each role or user of the account, none where no file was found to.
    """

    roles: tuple[Role, ...]
    unread: tuple[tuple[str, str], ...]
    owners: Mapping[str, Sequence[Owner]]

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """Return the file and line that define a role or user, of all those that one block alone may define."""
        return {arn: (found[0].path, found[0].block.line) for arn, found in self.owners.items() if len(found) == 1}


def is_safe(recommendation: Mapping[str, Any]) -> bool:
    """Tell whether a recommendation may be followed unattended."""
    return bool(recommendation["disposition"] == "safe")


def plan(
    data: Mapping[str, Any],
    files: Mapping[str, str],
    takes: Callable[[Mapping[str, Any]], bool] = is_safe,
    mapped: Sequence[Mapped] = (),
) -> Plan:
    """Work out the edits of every role with a recommendation that `takes` chooses, one after the other.

    `files` are the texts of the repository, `mapped` what the configuration says of owners. Each role's edits stand
    on those of the roles before it.
    """
    wanted: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in data["recommendations"]:
        if takes(one) and is_for_code(one):
            wanted[one["principal"]].append(one)
    everyone = {one["principal"] for one in (*data.get("principals", ()), *data["recommendations"])}
    known = Accounts(files, {account_of(arn) for arn in everyone})
    defined = definitions(files)
    texts = dict(files)
    roles = [
        Role(arn, sorted(wanted[arn], key=lambda r: str(r["id"])))
        for arn in sorted(wanted, key=lambda arn: (account_of(arn), name_of(arn), arn))
    ]
    for role in roles:
        role.refused += _invalid(role)
    tags = {one["principal"]: one.get("tags", {}).get(_LOGICAL_ID) for one in data.get("principals", ())}
    makers = {arn: owners(arn, defined.blocks, known, mapped, tags.get(arn)) for arn in everyone}
    by_block: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for arn in sorted(everyone):
        for owner in makers[arn]:
            by_block[owner.path, owner.where].append(arn)
    planned = {role.arn: role for role in roles if not role.refused}
    for role in planned.values():
        found = makers[role.arn]
        if role.with_role is None and len(found) == 1:
            owner = found[0]
            together = by_block[owner.path, owner.where]
            _in_place(role, owner, [planned.get(arn) or arn for arn in together], texts)
        elif len(found) > 1:
            places = ", ".join(f"{owner.path} {owner.where}" for owner in found)
            role.refused.append((found[0].path, f"more than one block may define it: {places}"))
        _policy_files(role, texts, known, roles)
    return Plan(tuple(roles), tuple(defined.unread), makers)


def _invalid(role: Role) -> list[tuple[str, str]]:
    """Return the new policies of a role that IAM would not take: nothing is written for it then."""
    found = []
    for policy in role.after:
        try:
            require_valid(policy["document"])
        except EditError as problem:
            found.append((policy["name"], problem.message))
    return found


def _in_place(role: Role, owner: Owner, together: Sequence[Role | str], texts: dict[str, str]) -> None:
    """Edit the block that defines a role, for all the roles that it makes, or say why not."""
    left_out = [one for one in together if isinstance(one, str)]
    if left_out:
        reason = f"{owner.where} also makes {left_out[0]}, for which nothing safe is proposed"
        role.refused.append((owner.path, reason))
        return
    roles = [one for one in together if isinstance(one, Role)]
    proposals = [cloudformation.Proposal(account_of(one.arn), one.before, one.after) for one in roles]
    try:
        changed = _edited(owner, proposals, texts)
    except EditError as problem:
        if not _says_already(owner, proposals, texts):
            role.refused.append((owner.path, f"{owner.where}: {problem.message}"))
            return
        changed = {}
    for other in roles:
        if other is not role:
            other.with_role = role.arn
        also = [one.arn for one in roles if one is not other]
        because = f"{owner.sure}: {owner.because}"
        because += f"; the block also makes {', '.join(also)}" if also else ""
        other.edited += [Edited(path, owner.where, because) for path in changed or [owner.path]]
    texts |= changed
    role.files |= changed


def _edited(owner: Owner, proposals: Sequence[cloudformation.Proposal], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the files that an edit of the block changes."""
    if isinstance(owner.block, Service):
        text = serverless.edit(texts[owner.path], proposals)
        return {owner.path: text} if text != texts[owner.path] else {}
    if isinstance(owner.block, terraform_module.Role):
        module = terraform.Module(owner.block.folder, module_files(owner.block.folder, texts), texts)
        results = [module.edit(owner.block, proposal) for proposal in proposals]
        if any(one != results[0] for one in results):
            raise EditError("its roles need different policies from account to account")
        return results[0]
    text = cloudformation.edit(texts[owner.path], owner.block, proposals)
    return {owner.path: text} if text != texts[owner.path] else {}


def _says_already(owner: Owner, proposals: Sequence[cloudformation.Proposal], texts: Mapping[str, str]) -> bool:
    """Tell whether the block says what is proposed, and no longer what goes: merged before, and not yet deployed."""
    done = [cloudformation.Proposal(one.account, one.after, one.after) for one in proposals]
    if not all(one.after for one in proposals) or not _leaves(owner, done, texts):
        return False
    for one in proposals:
        kept = {(policy["kind"], policy["name"]) for policy in one.after}
        for policy in one.before:
            gone = cloudformation.Proposal(one.account, [policy], [])
            if (policy["kind"], policy["name"]) not in kept and _leaves(owner, [gone], texts) is not None:
                return False
    return True


def _leaves(owner: Owner, proposals: Sequence[cloudformation.Proposal], texts: Mapping[str, str]) -> bool | None:
    """Tell whether an edit would change nothing; None where it cannot be made."""
    try:
        return not _edited(owner, proposals, texts)
    except EditError:
        return None


def _policy_files(role: Role, texts: dict[str, str], accounts: Accounts, roles: Iterable[Role]) -> None:
    """Edit the JSON files that hold a role's policies; put the rest below ``policies/`` where no code was edited."""
    in_code = bool(role.edited)
    held = {policy["name"]: policy for policy in role.before if policy["kind"] in ("inline", "customer_managed")}
    for policy in role.after:
        old = held.get(policy["name"])
        path = _path(role.arn, policy["name"])
        edited = in_code
        for found in _holding(role, old, texts, accounts, roles) if old else ():
            edited |= _json_file(role, found, policy, texts)
        text = json.dumps(policy["document"], indent=2, ensure_ascii=False) + "\n"
        if not edited:
            role.added.append(path)
            if texts.get(path) != text:
                texts[path] = role.files[path] = text
    if in_code:
        _no_longer_needed(role, texts)


def _no_longer_needed(role: Role, texts: dict[str, str]) -> None:
    """Take away what earlier runs put below ``policies/`` for a role whose code is edited now.

    A file that another one names stays: the team may have made it the source of something.
    """
    folder = _path(role.arn, "x").removesuffix("x.json")
    for path in sorted(texts):
        name = path.removeprefix(folder)
        own = path.startswith(folder) and "/" not in name and name.endswith(".json")
        if own and not any(name in text for other, text in texts.items() if other != path):
            del texts[path]
            role.files[path] = None


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
