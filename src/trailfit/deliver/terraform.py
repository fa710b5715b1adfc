"""Find and edit the policies of roles in Terraform: one folder is one module, its files are read together.

Edited are `aws_iam_role_policy` (``jsonencode``, heredoc JSON, or an `aws_iam_policy_document` used nowhere else), and
attachments of managed policies. Refused, with the reason: whatever has `count` or `for_each`, and policies that
variables, modules or functions make.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.deliver import hcl
from trailfit.deliver.hcl import SOURCE, Block, Hcl, HeredocJson
from trailfit.deliver.references import ANYTHING, Template, key_of
from trailfit.deliver.splice import Splice, Splicer, apply, equal, has_literal_actions, pair
from trailfit.deliver.tree import Node
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.deliver.cloudformation import Proposal
    from trailfit.deliver.write import Flow

_TRAVERSAL = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]\"-]*")
_INTERPOLATION = re.compile(r"(?<![$%])\$\{([^{}]*)\}")
_ARGUMENTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}


@dataclass(frozen=True, slots=True)
class Role:
    """An `aws_iam_role`: the folder it stands in, its label, its name where that is written out."""

    folder: str
    path: str
    label: str
    name: str | None

    @property
    def address(self) -> str:
        """Return Terraform's address of the role."""
        return f"aws_iam_role.{self.label}"


class Names(Template):
    """What Terraform's expressions may come out as; no expression is invented, only those of the file are used."""

    def __init__(self, account: str, bound: Mapping[str, str] | None = None) -> None:
        super().__init__(None, account, dict(bound or {}))

    def pattern(self, value: Any) -> str | None:
        """Return a regular expression of the texts that an expression may come out as."""
        if isinstance(value, str):
            return re.escape(value)
        source = value.get(SOURCE) if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(source, str):
            return None
        if not source.startswith('"'):
            return self._reference(source)
        parts, at = [], 1
        for found in _INTERPOLATION.finditer(source):
            inner = self._reference(found.group(1).strip())
            if inner is None:
                return None
            parts += [re.escape(source[at : found.start()].replace("$${", "${")), f"(?:{inner})"]
            at = found.end()
        return "".join([*parts, re.escape(source[at:-1].replace("$${", "${"))])

    def _reference(self, source: str) -> str | None:
        known = self.bound.get(key_of({SOURCE: source}))
        if known is not None:
            return re.escape(known)
        if re.fullmatch(r"data\.aws_caller_identity\.\w+\.account_id", source):
            return re.escape(self.account)
        return ANYTHING if _TRAVERSAL.fullmatch(source) else None

    def express(self, text: str, *, literal_account: bool) -> Any:
        """Return the file's own expression for an ARN; raises `EditError` where its account would be written out."""
        exact = next((key for key, known in sorted(self.bound.items()) if known == text), None)
        if exact is not None:
            return self.restore(text)
        for key, known in sorted(self.bound.items(), key=lambda found: (-len(found[1]), found[0])):
            source = re.fullmatch(r'\{"Fn::Hcl": "(.*)"\}', key)
            bare = source.group(1) if source else ""
            if (
                _TRAVERSAL.fullmatch(bare)
                and known.startswith("arn:")
                and re.fullmatch(r"[/:*].*", text.removeprefix(known))
            ):
                return {SOURCE: f'"${{{bare}}}{text.removeprefix(known)}"'}
        if self.account and f":{self.account}:" in text and not literal_account:
            raise EditError("the account's number would be written out, which these files do not do")
        return text


@dataclass(slots=True)
class _Held:
    kind: str
    name: str | None
    content: Any
    path: str
    block: Block
    document: Block | None = None
    document_path: str = ""


class Module:
    """The Terraform files of one folder."""

    def __init__(self, folder: str, texts: Mapping[str, str]) -> None:
        self.folder = folder
        self.texts = dict(texts)
        self.blocks = [(path, block) for path, text in sorted(texts.items()) for block in hcl.parse(text)]

    def roles(self) -> list[Role]:
        """List the roles of the folder."""
        return [
            Role(self.folder, path, block.labels[1], block.text("name"))
            for path, block in self.resources("aws_iam_role")
        ]

    def resources(self, kind: str) -> Iterator[tuple[str, Block]]:
        """Yield the resources of a type."""
        for path, block in self.blocks:
            if block.type == "resource" and len(block.labels) == 2 and block.labels[0] == kind:
                yield path, block

    def held(self, role: Role) -> list[_Held]:
        """Return the role's policies as the files have them; raises `EditError` for forms that are not edited."""
        found = []
        block = next(b for _, b in self.resources("aws_iam_role") if b.labels[1] == role.label)
        if "managed_policy_arns" in block.attributes or any(b.type == "inline_policy" for b in block.blocks):
            raise EditError(f"{role.address} lists its policies itself (managed_policy_arns or inline_policy)")
        for path, one in self.resources("aws_iam_role_policy"):
            if self._is_of(one, role):
                found.append(self._inline(path, one))
        for path, one in self.resources("aws_iam_role_policy_attachment"):
            if self._is_of(one, role):
                arn = one.attributes.get("policy_arn")
                found.append(_Held("managed", self._managed_name(one), arn.value if arn else None, path, one))
        if any(h.block.attributes.keys() & {"count", "for_each"} for h in found) or block.attributes.keys() & {
            "count",
            "for_each",
        }:
            raise EditError(f"{role.address} or a policy of it is made with count or for_each")
        return found

    def _is_of(self, block: Block, role: Role) -> bool:
        source = block.source("role") or ""
        return source in (f"{role.address}.id", f"{role.address}.name") or (
            role.name is not None and block.text("role") == role.name
        )

    def _managed_name(self, block: Block) -> str | None:
        found = re.fullmatch(r"aws_iam_policy\.([\w-]+)\.arn", block.source("policy_arn") or "")
        if found is None:
            return None
        label = found.group(1)
        return next((b.text("name") for _, b in self.resources("aws_iam_policy") if b.labels[1] == label), None)

    def _inline(self, path: str, block: Block) -> _Held:
        call = block.calls.get("policy")
        if call is not None and call[0] in ("jsonencode", "heredoc"):
            return _Held("inline", block.text("name"), call[1].value, path, block)
        found = re.fullmatch(r"data\.aws_iam_policy_document\.([\w-]+)\.json", block.source("policy") or "")
        if found is None:
            return _Held("inline", block.text("name"), None, path, block)
        label = found.group(1)
        for place, one in self.blocks:
            if one.type == "data" and one.labels == ("aws_iam_policy_document", label):
                uses = sum(text.count(f"aws_iam_policy_document.{label}.json") for text in self.texts.values())
                content = _document(one) if uses == 1 else None
                return _Held("inline", block.text("name"), content, path, block, one, place)
        return _Held("inline", block.text("name"), None, path, block)

    def edit(self, role: Role, proposal: Proposal) -> dict[str, str]:
        """Return the files that change, with the role's policies as proposed; raises `EditError` where that is unsafe.

        The result is parsed again and its policies compared with the proposal.
        """
        held = self.held(role)
        names = Names(proposal.account)
        taken = _correspond(held, proposal, names)
        literal = any(proposal.account in text for text in self.texts.values())
        left = {(policy["kind"], policy["name"]): policy["document"] for policy in proposal.after}
        splices: dict[str, list[Splice]] = {}
        for number, policy in taken.items():
            one = held[number]
            document = left.pop((policy["kind"], policy["name"]), None)
            if document is None:
                self._remove(one, splices)
            else:
                self._rewrite(one, _expressed(document, names, literal), splices)
        if any(kind != "inline" for kind, _ in left):
            raise EditError("a new policy is proposed that is no inline policy")
        for name, document in ((name, document) for (_, name), document in left.items()):
            self._add(role, name, _expressed(document, names, literal), splices)
        changed = {path: apply(self.texts[path], found) for path, found in splices.items()}
        changed = {path: text for path, text in changed.items() if text != self.texts[path]}
        _verify(Module(self.folder, self.texts | changed), role, held, taken, proposal, names)
        return changed

    def _rewrite(self, one: _Held, document: dict[str, Any], splices: dict[str, list[Splice]]) -> None:
        if one.document is not None:
            text = self.texts[one.document_path]
            found = _statement_splices(text, one.document, document["Statement"])
            splices.setdefault(one.document_path, []).extend(found)
            return
        text = self.texts[one.path]
        kind, node = one.block.calls["policy"]
        writer: Flow = Hcl(text) if kind == "jsonencode" else HeredocJson(text)
        splices.setdefault(one.path, []).extend(Splicer(text, writer).change(node, document))

    def _remove(self, one: _Held, splices: dict[str, list[Splice]]) -> None:
        splices.setdefault(one.path, []).append(_block_gone(self.texts[one.path], one.block))
        if one.document is not None:
            gone = _block_gone(self.texts[one.document_path], one.document)
            splices.setdefault(one.document_path, []).append(gone)

    def _add(self, role: Role, name: str, document: dict[str, Any], splices: dict[str, list[Splice]]) -> None:
        """Write a new inline policy behind the role's block."""
        text = self.texts[role.path]
        block = next(b for p, b in self.resources("aws_iam_role") if b.labels[1] == role.label and p == role.path)
        taken = {b.labels[1] for _, b in self.resources("aws_iam_role_policy")}
        wanted = re.sub(r"[^A-Za-z0-9_-]", "_", f"{role.label}_{name}")
        label = next(found for n in range(100) if (found := f"{wanted}{n or ''}") not in taken)
        writer = Hcl(text)
        rows = f"  name = {hcl.text_of(name)}\n  role = {role.address}.id\n\n"
        body = f"  policy = jsonencode({writer.dump(document, '  ', wide=True)})\n"
        written = f'\n\nresource "aws_iam_role_policy" "{label}" {{\n{rows}{body}}}'
        new = Splice(block.end, block.end, written.replace("\r\n", "\n").replace("\n", writer.eol))
        splices.setdefault(role.path, []).append(new)


def _expressed(document: Mapping[str, Any], names: Names, literal: bool) -> dict[str, Any]:
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    written = []
    for statement in statements:
        fresh = dict(statement)
        for key in ("Resource", "NotResource"):
            if key in fresh:
                value = fresh[key]
                many = [
                    names.express(item, literal_account=literal)
                    for item in (value if isinstance(value, list) else [value])
                ]
                fresh[key] = many if isinstance(value, list) else many[0]
        if "Condition" in fresh:
            fresh["Condition"] = names.restore(fresh["Condition"])
        written.append(fresh)
    return {**document, "Statement": written}


def _deciding(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    statements = document.get("Statement", [])
    version = str(document.get("Version", "2008-10-17"))
    return {"Version": version, "Statement": statements if isinstance(statements, list) else [statements]}


def _correspond(held: Sequence[_Held], proposal: Proposal, names: Names) -> dict[int, Mapping[str, Any]]:
    taken: dict[int, Mapping[str, Any]] = {}
    for policy in proposal.before:
        number = next((n for n, one in enumerate(held) if n not in taken and _is(one, policy, names)), None)
        if number is None:
            raise EditError(
                f"the files do not hold the policy {policy['name']} as it is deployed, in a form that is edited"
            )
        taken[number] = policy
    return taken


def _is(held: _Held, policy: Mapping[str, Any], names: Names) -> bool:
    if held.kind == "managed":
        arn = policy.get("arn") or f"arn:aws:iam::aws:policy/{policy['name']}"
        return policy["kind"] in ("aws_managed", "customer_managed") and (
            held.content == arn or (held.name is not None and held.name == policy["name"])
        )
    if held.kind != policy["kind"] or held.content is None or (held.name is not None and held.name != policy["name"]):
        return False
    trial = Names(names.account, names.bound)
    if has_literal_actions(held.content) and trial.agrees(_deciding(held.content), _deciding(policy["document"])):
        names.bound |= trial.bound
        return True
    return False


def _verify(
    module: Module, role: Role, held: Sequence[_Held], taken: Mapping[int, Any], proposal: Proposal, names: Names
) -> None:
    """Compare the policies of the edited files with the proposal: all of it, and no more."""
    left = module.held(role)
    for number, one in enumerate(held):
        if number not in taken:
            same = next(
                (n for n in left if n.kind == one.kind and n.name == one.name and equal(n.content, one.content)), None
            )
            if same is None:
                raise EditError("the edit would have changed another policy")
            left.remove(same)
    for policy in proposal.after:
        fresh = Names(names.account, names.bound)
        found = next((n for n in left if fresh.agrees(_deciding(n.content), _deciding(policy["document"]))), None)
        if found is None:
            raise EditError("the edited files do not say what is proposed")
        left.remove(found)
    if left:
        raise EditError("the edited files say more than is proposed")


# --- aws_iam_policy_document ------------------------------------------------------------------------------


def _document(block: Block) -> dict[str, Any] | None:
    """Return a policy document's data source as a document, None where it is more than plain statements."""
    if set(block.attributes) - {"version", "policy_id"} or any(b.type != "statement" for b in block.blocks):
        return None
    statements = [_statement(one) for one in block.blocks]
    if None in statements:
        return None
    return {"Version": block.text("version") or "2012-10-17", "Statement": statements}


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


def _statement_splices(text: str, block: Block, target: Sequence[dict[str, Any]]) -> list[Splice]:
    """Work out how the statements of a policy document become `target`."""
    writer = Hcl(text)
    splicer = Splicer(text, writer)
    nodes = [Node("map", one.start, one.end, _statement(one), flow=True) for one in block.blocks]
    pairs, new = pair(nodes, target)
    splices: list[Splice] = []
    for number, one in enumerate(block.blocks):
        if number not in pairs:
            splices.append(_block_gone(text, one))
            continue
        old, fresh = nodes[number].value, pairs[number]
        if equal(old, fresh):
            continue
        rest = {key: value for key, value in old.items() if key not in ("Action", "Resource")}
        plain = equal(rest, {key: value for key, value in fresh.items() if key not in ("Action", "Resource")})
        if plain and {"actions", "resources"} <= one.attributes.keys() and {"Action", "Resource"} <= fresh.keys():
            for name in ("actions", "resources"):
                splices += splicer.change(one.attributes[name], fresh[_ARGUMENTS[name]])
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


def _block_gone(text: str, block: Block) -> Splice:
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
