"""Find and edit the statements of a Serverless Framework service's role: ``provider.iam.role.statements``.

The framework puts them into one inline policy, behind statements of its own (logs, event sources), which no file holds
and no edit changes: https://www.serverless.com/framework/docs/providers/aws/guide/iam
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.deliver.references import ANYTHING, Template, key_of
from trailfit.deliver.splice import Splicer, apply, equal, has_literal_actions
from trailfit.deliver.tree import Node, is_function, parse_yaml
from trailfit.deliver.union import prove, put_out
from trailfit.deliver.write import Yaml
from trailfit.errors import EditError, PolicyError
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.deliver.cloudformation import Proposal

#: Where the statements stand today, and where they stood before version 2.24.
_PLACES = (("provider", "iam", "role", "statements"), ("provider", "iamRoleStatements"))
_MANAGED = (("provider", "iam", "role", "managedPolicies"), ("provider", "iamManagedPolicies"))
#: A text with the framework's own variables, kept as an expression.
_VARIABLE = "Fn::Serverless"


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose functions share one role: where its statements stand, and what the role may be called."""

    where: str
    line: int
    name: str | None
    pattern: str | None


def is_service(path: str, text: str) -> bool:
    """Tell, before parsing, whether a file may be a service's."""
    return re.search(r"(^|/)serverless[^/]*\.ya?ml$", path) is not None and "provider" in text


def services(text: str) -> list[Service]:
    """Return the file's one service that has statements of its own; raises `EditError` where it cannot be parsed."""
    root = parse_yaml(text)
    found = statements(root)
    if found is None:
        return []
    place, node = found
    named = root.get("provider", "iam", "role", "name")
    name = named.value if named is not None and isinstance(named.value, str) and "${" not in named.value else None
    service = root.get("service")
    pattern = None
    if named is None and service is not None and isinstance(service.value, str) and "${" not in service.value:
        pattern = rf"{re.escape(service.value)}-[A-Za-z0-9-]+-[a-z]{{2}}(?:-[a-z]+)+-[0-9]-lambdaRole"
    return [Service(".".join(place), text.count("\n", 0, node.start) + 1, name, pattern)]


def statements(root: Node) -> tuple[tuple[str, ...], Node] | None:
    """Return where the service's statements stand, and their node; None where it has none of its own."""
    return next(((place, node) for place in _PLACES if (node := root.get(*place)) is not None), None)


class _Names(Template):
    """What the expressions of a service's file may come out as: CloudFormation's, and the framework's variables."""

    def pattern(self, value: Any) -> str | None:
        """Return a regular expression of the texts that an expression may come out as."""
        if isinstance(value, dict) and _VARIABLE in value:
            known = self.bound.get(key_of(value))
            parts = list(_parts(value[_VARIABLE]))
            made = "".join(ANYTHING if is_variable else re.escape(part) for is_variable, part in parts)
            return re.escape(known) if known is not None else made
        return super().pattern(value)


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the pieces of a text: whether it is a variable (which may hold others), and the piece."""
    at = depth = start = 0
    while at < len(text):
        if text.startswith("${", at):
            if depth == 0:
                yield False, text[start:at]
                start = at
            depth += 1
            at += 2
        elif text[at] == "}" and depth:
            depth -= 1
            at += 1
            if depth == 0:
                yield True, text[start:at]
                start = at
        else:
            at += 1
    yield depth > 0, text[start:]


def _marked(value: Any) -> Any:
    """Return a value of the file with the texts that hold variables made expressions."""
    if isinstance(value, dict) and not is_function(value):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return {_VARIABLE: value} if isinstance(value, str) and "${" in value else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value[_VARIABLE] if _VARIABLE in value else {key: _plain(inner) for key, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def edit(text: str, proposals: Sequence[Proposal]) -> str:
    """Return the file with the service's statements as proposed, and nothing else changed.

    It is proved that with what the framework adds by itself they allow all that is proposed, and nothing that is not
    allowed today. Raises `EditError` where that cannot be done safely.
    """
    results = {_edit(text, proposal) for proposal in proposals}
    if len(results) != 1:
        raise EditError("its roles need different policies from account to account")
    return results.pop()


def _edit(text: str, proposal: Proposal) -> str:
    root = parse_yaml(text)
    found = statements(root)
    if found is None:
        raise EditError("the file holds no statements")
    place, node = found
    if node.kind != "seq" or not all(isinstance(item, dict) for item in node.value):
        raise EditError("variables or other files make its statements")
    names = _Names(root.get("resources", "Resources"), proposal.account)
    inline = [policy for policy in proposal.before if policy["kind"] == "inline"]
    own = _added_by_the_framework(_marked(node.value), inline, names)
    managed = _managed_left(root, proposal)
    literal = bool(proposal.account) and proposal.account in text
    wanted = [
        _expressed(statement, names, literal)
        for policy in proposal.after
        if policy["kind"] == "inline"
        for statement in _listed(policy["document"]["Statement"])
        if not _covered(statement, own)
    ]
    written = _plain(wanted)
    prove(
        [("2012-10-17", [*put_out(wanted, names.resolve), *own])],
        proposal.before,
        [policy for policy in proposal.after if policy["kind"] == "inline"],
        lambda value: value if isinstance(value, str) else None,
        proposal.account,
    )
    splicer = Splicer(text, Yaml(text, root))
    splices = splicer.change(node, written)
    if managed is not None:
        splices += splicer.change(*managed)
    new = apply(text, splices)
    again = parse_yaml(new).get(*place)
    if again is None or not equal(again.value, written):
        raise EditError("the edited file would not say what is proposed")
    return new


def _added_by_the_framework(
    held: Sequence[dict[str, Any]], inline: Sequence[Mapping[str, Any]], names: _Names
) -> list[dict[str, Any]]:
    """Return the deployed statements that are not the file's: each of the file's must be one of those deployed."""
    left = [statement for policy in inline for statement in _listed(policy["document"]["Statement"])]
    for statement in held:
        if not has_literal_actions({"Statement": [statement]}):
            raise EditError("variables make the actions of its statements")
        match = next((one for one in left if names.agrees(statement, one)), None)
        if match is None:
            raise EditError("the file does not hold the policy as it is deployed")
        left.remove(match)
    return left


def _managed_left(root: Node, proposal: Proposal) -> tuple[Node, list[Any]] | None:
    """Return the list of managed policies and what stays of it; raises `EditError` where one that goes is not in it."""
    gone = [policy for policy in proposal.before if policy["kind"] != "inline" and policy not in proposal.after]
    if any(policy["kind"] != "inline" and policy not in proposal.before for policy in proposal.after):
        raise EditError("a new policy is proposed that is no inline policy")
    if not gone:
        return None
    node = next((one for place in _MANAGED if (one := root.get(*place)) is not None), None)
    arns = {policy.get("arn") or f"arn:aws:iam::aws:policy/{policy['name']}" for policy in gone}
    if node is None or node.kind != "seq" or not arns <= {item for item in node.value if isinstance(item, str)}:
        raise EditError("the file does not list the managed policies that go")
    return node, [item for item in node.value if item not in arns]


def _expressed(statement: Mapping[str, Any], names: _Names, literal: bool) -> dict[str, Any]:
    made = dict(statement)
    for key in ("Resource", "NotResource"):
        if key in made:
            many = [names.express(item, literal_account=literal) for item in _listed(made[key])]
            made[key] = many if isinstance(made[key], list) else many[0]
    if "Condition" in made:
        made["Condition"] = names.restore(made["Condition"])
    return made


def _covered(statement: dict[str, Any], own: Sequence[dict[str, Any]]) -> bool:
    """Tell whether what the framework adds by itself allows all that a statement does."""
    try:
        narrow, wide = (
            [Document.parse({"Version": "2012-10-17", "Statement": [*part]})] for part in ([statement], own)
        )
    except PolicyError:
        return False
    return bool(own) and statement.get("Effect") == "Allow" and no_new_access(narrow, wide).holds is True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
