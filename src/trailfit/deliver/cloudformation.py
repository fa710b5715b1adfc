"""Find and edit the policies of roles in CloudFormation and SAM templates, YAML or JSON.

A block is one resource that makes a role: ``AWS::IAM::Role``, or a SAM function with its own role. Its policies are
its own (`Policies`, `ManagedPolicyArns`) and those of ``AWS::IAM::Policy`` and ``AWS::IAM::ManagedPolicy`` resources
that name it. Editing is refused, with the reason, wherever the file's policy is not the one deployed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.catalog import tables
from trailfit.deliver.references import ANYTHING, Template, key_of
from trailfit.deliver.splice import Splicer, apply, equal, has_literal_actions
from trailfit.deliver.tree import Node, is_function, parse_json, parse_yaml
from trailfit.deliver.union import prove, put_out, require_valid, union
from trailfit.deliver.write import Flow, Yaml
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROLE = "AWS::IAM::Role"
FUNCTION = "AWS::Serverless::Function"
_ATTACHED = {
    "AWS::IAM::Policy": ("inline", "PolicyName"),
    "AWS::IAM::ManagedPolicy": ("customer_managed", "ManagedPolicyName"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A resource that makes a role, the role's name where that is written out, and the line it begins on."""

    logical_id: str
    type: str
    role_name: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one role that a block makes: policies as in ``recommendations.json``."""

    account: str
    before: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Held:
    """A policy of a block: where its list or document stands, and its content as the file has it."""

    kind: str
    name: str | None
    content: Any
    place: tuple[str, ...]
    index: int | None = None


def is_template(text: str) -> bool:
    """Tell, before parsing, whether a text may be a template with roles in it."""
    return "Resources" in text and (ROLE in text or FUNCTION in text)


def parse(text: str) -> Node:
    """Parse a template; raises `EditError` where it is neither YAML nor JSON."""
    return parse_json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else parse_yaml(text)


def blocks(text: str) -> list[Block]:
    """List the blocks of a template; raises `EditError` where it cannot be parsed."""
    resources = parse(text).get("Resources")
    found = []
    for key, resource in resources.entries if resources else ():
        kind = resource.get("Type")
        if kind is None or kind.value not in (ROLE, FUNCTION) or not isinstance(key.value, str):
            continue
        if kind.value == FUNCTION and resource.get("Properties", "Role") is not None:
            continue
        role_name = _text(resource.get("Properties", "RoleName"))
        line = text.count("\n", 0, key.start) + 1
        found.append(Block(key.value, kind.value, role_name, line))
    return found


def _text(node: Node | None) -> str | None:
    return node.value if node is not None and isinstance(node.value, str) else None


def edit(text: str, block: Block, proposals: Sequence[Proposal]) -> str:
    """Return the template with the policies of a block changed as proposed, and nothing else.

    One block may be deployed in several accounts: then it gets what any of its roles needs, and it is proved that this
    is no more than each of them has today. Raises `EditError` where that cannot be done safely. The result is parsed
    again, and its policies compared with the proposals, before it is returned.
    """
    root = parse(text)
    if root.get("Resources", block.logical_id, "Properties") is None:
        raise EditError(f"{block.logical_id} has no properties")
    held = list(_held(root, block))
    literal = any(proposal.account and proposal.account in text for proposal in proposals)
    fits = [_Fit(root, block, held, proposal, literal_account=literal) for proposal in proposals]
    if any(fit.taken.keys() != fits[0].taken.keys() for fit in fits):
        raise EditError("the role is deployed with other policies from account to account")
    lists, documents = _targets(root, block, held, fits)
    new_text = _rewritten(text, root, block, lists, documents)
    _verify(new_text, block, held, fits, [*_documents(lists), *documents.values()])
    return new_text


class _Fit:
    """One proposal in the terms of one template: which policies of the file go, and what is written instead."""

    def __init__(
        self, root: Node, block: Block, held: Sequence[_Held], proposal: Proposal, *, literal_account: bool
    ) -> None:
        named = {arn for policy in (*proposal.before, *proposal.after) for arn in _arns(policy["document"])}
        own = key_of([one.content for one in held])
        written = own.count('"arn:aws:') > own.count("arn:${AWS::Partition}:")
        self.template = Template(
            root.get("Resources"), proposal.account, named=tuple(sorted(named)), writes_partition=written
        )
        self.proposal = proposal
        self.before = [policy for policy in proposal.before if not _implicit(root, block, policy, held, self.template)]
        self.taken = _correspond(held, self.before, self.template)
        left = {(policy["kind"], policy["name"]): policy["document"] for policy in proposal.after}
        self.written: dict[int, list[dict[str, Any]]] = {}
        for number, policy in self.taken.items():
            document = left.pop((policy["kind"], policy["name"]), None)
            if document is not None:
                self.written[number] = self._expressed(document, literal_account)
        if any(kind != "inline" for kind, _ in left):
            raise EditError("a new policy is proposed that is no inline policy")
        self.new = {name: self._expressed(document, literal_account) for (_, name), document in left.items()}

    def _expressed(self, document: Mapping[str, Any], literal_account: bool) -> list[dict[str, Any]]:
        """Return the statements of a proposed document, references in the place of the ARNs they stand for."""
        return [
            {key: self._value(key, value, literal_account) for key, value in statement.items()}
            for statement in _statements(document)
        ]

    def _value(self, key: str, value: Any, literal_account: bool) -> Any:
        if key in ("Resource", "NotResource"):
            if isinstance(value, list):
                return [self.template.express(item, literal_account=literal_account) for item in value]
            return self.template.express(value, literal_account=literal_account)
        return self.template.restore(value) if key == "Condition" else value


def _targets(
    root: Node, block: Block, held: Sequence[_Held], fits: Sequence[_Fit]
) -> tuple[dict[str, list[Any]], dict[tuple[str, ...], Any]]:
    """Return the new content of each list of the block, and of each document that stands by itself."""
    base = ("Resources", block.logical_id, "Properties")
    lists: dict[str, list[Any]] = {name: _as_list(root.get(*base, name)) for name in ("Policies", "ManagedPolicyArns")}
    gone: set[tuple[str, int]] = set()
    documents: dict[tuple[str, ...], Any] = {}
    resolvers = [fit.template.resolve for fit in fits]
    for number in fits[0].taken:
        policy = held[number]
        statements = union((fit.written.get(number, []) for fit in fits), resolvers)
        if policy.index is None:
            if not statements:
                raise EditError(f"{policy.place[1]} would have to go as a resource; remove it by hand")
            documents[policy.place] = {**policy.content, "Statement": statements}
        elif not statements:
            gone.add((policy.place[-1], policy.index))
        else:
            content = {**policy.content, "Statement": statements}
            items = lists[policy.place[-1]]
            item = items[policy.index]
            items[policy.index] = {**item, "PolicyDocument": content} if "PolicyDocument" in item else content
    kept = {
        name: [item for number, item in enumerate(items) if (name, number) not in gone] for name, items in lists.items()
    }
    new = union((statements for fit in fits for statements in fit.new.values()), resolvers)
    if new:
        name = next(name for fit in fits for name in fit.new)
        document = {"Version": "2012-10-17", "Statement": new}
        kept["Policies"].append(
            document if block.type == FUNCTION else {"PolicyName": name, "PolicyDocument": document}
        )
    return kept, documents


def _documents(lists: Mapping[str, list[Any]]) -> list[Any]:
    """Return the policy documents among the items of a block's lists."""
    found = [item.get("PolicyDocument", item) for item in lists["Policies"] if isinstance(item, dict)]
    return [one for one in found if isinstance(one, dict) and "Statement" in one]


def _arns(value: Any) -> Iterator[str]:
    """Yield the ARNs of a document."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _arns(inner)
    elif isinstance(value, str) and value.startswith("arn:"):
        yield value


def _rewritten(
    text: str, root: Node, block: Block, lists: Mapping[str, list[Any]], documents: Mapping[tuple[str, ...], Any]
) -> str:
    """Splice what each list and document becomes into the text."""
    writer = Flow(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else Yaml(text, root)
    splicer = Splicer(text, writer)
    splices = []
    for place, document in documents.items():
        node = root.get(*place)
        assert node is not None
        splices += splicer.change(node, document)
    properties = root.get("Resources", block.logical_id, "Properties")
    assert properties is not None
    target = dict(properties.value)
    for name, items in lists.items():
        if items:
            target[name] = items
        else:
            target.pop(name, None)
    return apply(text, [*splices, *splicer.change(properties, target)])


def _as_list(node: Node | None) -> list[Any]:
    if node is None:
        return []
    if is_function(node.value):
        raise EditError("the whole list of policies is a function")
    return list(node.value) if isinstance(node.value, list) else [node.value]


def _held(root: Node, block: Block) -> Iterator[_Held]:
    """Yield the policies of a block as the file has them."""
    base = ("Resources", block.logical_id, "Properties")
    for number, item in enumerate(_as_list(root.get(*base, "ManagedPolicyArns"))):
        yield _Held("managed", None, item, (*base, "ManagedPolicyArns"), number)
    for number, item in enumerate(_as_list(root.get(*base, "Policies"))):
        place = (*base, "Policies")
        if isinstance(item, dict) and not is_function(item) and "PolicyDocument" in item:
            name = item.get("PolicyName")
            yield _Held("inline", name if isinstance(name, str) else None, item["PolicyDocument"], place, number)
        elif isinstance(item, dict) and "Statement" in item:
            yield _Held("inline", None, item, place, number)
        elif isinstance(item, str) or is_function(item):
            yield _Held("managed", None, item, place, number)
        else:
            yield _Held("template", None, item, place, number)
    resources = root.get("Resources")
    for key, resource in resources.entries if resources else ():
        kind = resource.get("Type")
        kind_name = _ATTACHED.get(kind.value) if kind is not None and isinstance(kind.value, str) else None
        roles = resource.get("Properties", "Roles")
        document = resource.get("Properties", "PolicyDocument")
        if kind_name and document is not None and roles is not None and {"Ref": block.logical_id} in _as_list(roles):
            name = _text(resource.get("Properties", kind_name[1]))
            if len(_as_list(roles)) == 1:
                yield _Held(
                    kind_name[0], name, document.value, ("Resources", key.value, "Properties", "PolicyDocument")
                )


def _implicit(root: Node, block: Block, policy: Mapping[str, Any], held: Sequence[_Held], template: Template) -> bool:
    """Tell whether SAM attaches a policy by itself, so that no edit of the template can detach it."""
    if block.type != FUNCTION or policy["kind"] != "aws_managed" or any(_is(one, policy, template) for one in held):
        return False
    places = (("Resources", block.logical_id, "Properties"), ("Globals", "Function"))
    return any(
        row["policy"] == policy["name"]
        and (not row["property"] or any(root.get(*place, row["property"]) is not None for place in places))
        for row in tables.rows("sam_implicit_policies")
    )


def _correspond(
    held: Sequence[_Held], before: Iterable[Mapping[str, Any]], template: Template
) -> dict[int, Mapping[str, Any]]:
    """Find each policy of `before` in the file, where it must stand as it is deployed."""
    taken: dict[int, Mapping[str, Any]] = {}
    for policy in before:
        number = next((n for n, one in enumerate(held) if n not in taken and _is(one, policy, template)), None)
        if number is None:
            raise EditError(f"the file does not hold the policy {policy['name']} as it is deployed")
        taken[number] = policy
    return taken


def _is(held: _Held, policy: Mapping[str, Any], template: Template) -> bool:
    """Tell whether a policy of the file is one that is deployed; remember what its references came out as."""
    if held.kind == "managed":
        if policy["kind"] not in ("aws_managed", "customer_managed"):
            return False
        arn = policy.get("arn") or f"arn:aws:iam::aws:policy/{policy['name']}"
        pattern = template.pattern(held.content)
        by_name = held.content == policy["name"] and policy["kind"] == "aws_managed"
        return by_name or (pattern not in (None, ANYTHING) and re.fullmatch(str(pattern), arn) is not None)
    if held.kind != policy["kind"] or (held.name is not None and held.name != policy["name"]):
        return False
    trial = Template(template.resources, template.account, dict(template.bound))
    if has_literal_actions(held.content) and trial.agrees(_deciding(held.content), _deciding(policy["document"])):
        template.bound |= trial.bound
        return True
    return False


def _statements(document: Mapping[str, Any]) -> list[Any]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _deciding(document: Any) -> Any:
    """Return the part of a document that decides: its version and statements, without `Id`."""
    if not isinstance(document, dict):
        return document
    return {"Version": str(document.get("Version", "2008-10-17")), "Statement": _statements(document)}


def _verify(text: str, block: Block, held: Sequence[_Held], fits: Sequence[_Fit], intended: Sequence[Any]) -> None:
    """Parse the edited text again: what was not taken is as it was, the rest is what was proposed and no more."""
    root = parse(text)
    left = list(_held(root, block))
    for number, one in enumerate(held):
        if number not in fits[0].taken:
            same = next((new for new in left if new.kind == one.kind and equal(new.content, one.content)), None)
            if same is None:
                raise EditError("the edit would have changed another policy")
            left.remove(same)
    for new in left:
        if not any(equal(new.content, one) for one in intended):
            raise EditError("the edited file says something else than is proposed")
        require_valid(new.content)
    documents = [(str(new.content.get("Version", "2008-10-17")), _statements(new.content)) for new in left]
    for fit in fits:
        if not _says(documents, fit, Template(root.get("Resources"), fit.template.account, dict(fit.template.bound))):
            prove(documents, fit.before, fit.proposal.after, fit.template.resolve, fit.template.account)


def _says(documents: Sequence[tuple[str, list[Any]]], fit: _Fit, fresh: Template) -> bool:
    """Tell whether the documents written are those proposed for one account, statement for statement.

    Compared is what their expressions come out as; where nobody can tell that, what they may come out as.
    """
    after = [one for policy in fit.proposal.after for one in _statements(policy["document"])]
    written = [one for _, statements in documents for one in statements]
    try:
        exact = [one for _, statements in documents for one in put_out(statements, fit.template.resolve)]
    except EditError:
        matches = [any(fresh.agrees(one, each) for one in written) for each in after]
    else:
        matches = [any(equal(one, each) for one in exact) for each in after]
    return len(after) == len(written) and all(matches)
