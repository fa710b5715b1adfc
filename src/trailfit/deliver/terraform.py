"""Find and edit the policies of roles in Terraform: one folder is one module, its files are read together.

Edited are `aws_iam_role_policy` (``jsonencode``, heredoc JSON, or an `aws_iam_policy_document` used nowhere else), and
attachments of managed policies. Refused, with the reason: whatever has `count` or `for_each`, and policies that
variables, modules or functions make.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.deliver import hcl, terraform_documents
from trailfit.deliver.hcl import SOURCE, Block, Hcl, HeredocJson
from trailfit.deliver.references import ANYTHING, Template, key_of
from trailfit.deliver.splice import Splice, Splicer, apply, equal, has_literal_actions
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.deliver.cloudformation import Proposal
    from trailfit.deliver.write import Flow

_TRAVERSAL = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]\"-]*")
_INTERPOLATION = re.compile(r"(?<![$%])\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Role:
    """An `aws_iam_role`: the folder it stands in, its label, its name where that is written out, its first line."""

    folder: str
    path: str
    label: str
    name: str | None
    line: int

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
    index: int | None = None


class Module:
    """The Terraform files of one folder."""

    def __init__(self, folder: str, texts: Mapping[str, str]) -> None:
        self.folder = folder
        self.texts = dict(texts)
        self.blocks = [(path, block) for path, text in sorted(texts.items()) for block in hcl.parse(text)]

    def roles(self) -> list[Role]:
        """List the roles of the folder."""
        return [
            Role(
                self.folder, path, block.labels[1], block.text("name"), self.texts[path].count("\n", 0, block.start) + 1
            )
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
        if any(b.type == "inline_policy" or b.labels[:1] == ("inline_policy",) for b in block.blocks):
            raise EditError(f"{role.address} holds its policies in inline_policy blocks")
        arns = block.attributes.get("managed_policy_arns")
        if arns is not None and arns.kind != "seq":
            raise EditError(f"the managed_policy_arns of {role.address} are an expression")
        for number, item in enumerate(arns.items if arns is not None else ()):
            name = self._managed_name(_source(item.value))
            found.append(_Held("managed", name, item.value, role.path, block, index=number))
        for path, one in self.resources("aws_iam_role_policy"):
            if self._is_of(one, role):
                found.append(self._inline(path, one))
        for path, one in self.resources("aws_iam_role_policy_attachment"):
            if self._is_of(one, role):
                arn = one.attributes.get("policy_arn")
                name = self._managed_name(one.source("policy_arn") or "")
                found.append(_Held("managed", name, arn.value if arn else None, path, one))
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

    def _managed_name(self, source: str) -> str | None:
        """Return the name of the policy of this folder that an expression for an ARN stands for."""
        found = self._managed(source)
        return found[1].text("name") if found else None

    def _managed(self, source: str) -> tuple[str, Block] | None:
        match = re.fullmatch(r"aws_iam_policy\.([\w-]+)\.arn", source)
        return next(
            ((p, b) for p, b in self.resources("aws_iam_policy") if match and b.labels[1] == match.group(1)), None
        )

    def customer_managed(self, one: _Held) -> _Held:
        """Return the policy resource that an attachment names; raises `EditError` where others use it too."""
        source = _source(one.content)
        found = self._managed(source)
        if found is None:
            raise EditError(f"the policy {one.name or one.content} is not defined in this folder")
        uses = sum(
            len(re.findall(rf"{re.escape(source.removesuffix('.arn'))}\b", text)) for text in self.texts.values()
        )
        if uses != 1:
            raise EditError(f"the policy {one.name} is used more than once in this folder")
        return self._inline(*found)

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
                content = terraform_documents.document(one) if uses == 1 else None
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
        gone: set[tuple[str, int]] = set()
        for number, policy in taken.items():
            one = held[number]
            document = left.pop((policy["kind"], policy["name"]), None)
            if document is None:
                self._remove(one, splices)
                gone |= {(one.path, one.index)} if one.index is not None else set()
            else:
                if one.kind == "managed":
                    one = self.customer_managed(one)
                    if not _agrees(one.content, policy["document"], names):
                        raise EditError(f"the files do not hold the policy {policy['name']} as it is deployed")
                self._rewrite(one, _expressed(document, names, literal), splices)
        self._shorten(role, {index for _, index in gone}, splices)
        if any(kind != "inline" for kind, _ in left):
            raise EditError("a new policy is proposed that is no inline policy")
        for name, document in ((name, document) for (_, name), document in left.items()):
            self._add(role, name, _expressed(document, names, literal), splices)
        changed = {path: _spliced(self.texts[path], _apart(found)) for path, found in splices.items()}
        changed = {path: text for path, text in changed.items() if text != self.texts[path]}
        _verify(Module(self.folder, self.texts | changed), role, held, taken, proposal, names)
        return changed

    def _rewrite(self, one: _Held, document: dict[str, Any], splices: dict[str, list[Splice]]) -> None:
        if one.document is not None:
            text = self.texts[one.document_path]
            found = terraform_documents.statement_splices(text, one.document, document["Statement"])
            splices.setdefault(one.document_path, []).extend(found)
            return
        text = self.texts[one.path]
        kind, node = one.block.calls["policy"]
        writer: Flow = Hcl(text) if kind == "jsonencode" else HeredocJson(text)
        splices.setdefault(one.path, []).extend(Splicer(text, writer).change(node, document))

    def _shorten(self, role: Role, gone: set[int], splices: dict[str, list[Splice]]) -> None:
        """Take ARNs out of the role's own list."""
        arns = next(b for _, b in self.resources("aws_iam_role") if b.labels[1] == role.label).attributes.get(
            "managed_policy_arns"
        )
        if gone and arns is not None:
            text = self.texts[role.path]
            kept = [item.value for number, item in enumerate(arns.items) if number not in gone]
            splices.setdefault(role.path, []).extend(Splicer(text, Hcl(text)).change(arns, kept))

    def _remove(self, one: _Held, splices: dict[str, list[Splice]]) -> None:
        if one.index is not None:
            return
        splices.setdefault(one.path, []).append(terraform_documents.block_gone(self.texts[one.path], one.block))
        if one.document is not None:
            gone = terraform_documents.block_gone(self.texts[one.document_path], one.document)
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
    if held.kind != policy["kind"] or (held.name is not None and held.name != policy["name"]):
        return False
    return _agrees(held.content, policy["document"], names)


def _agrees(content: Any, document: Any, names: Names) -> bool:
    """Tell whether the files' policy may be the one deployed; remember what its expressions came out as."""
    trial = Names(names.account, names.bound)
    if has_literal_actions(content) and trial.agrees(_deciding(content), _deciding(document)):
        names.bound |= trial.bound
        return True
    return False


def _source(value: Any) -> str:
    return str(value[SOURCE]) if isinstance(value, dict) and SOURCE in value else ""


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
        contents = [(n, _content(module, n, policy)) for n in left]
        found = next(
            (n for n, content in contents if fresh.agrees(_deciding(content), _deciding(policy["document"]))), None
        )
        if found is None:
            raise EditError("the edited files do not say what is proposed")
        left.remove(found)
    if left:
        raise EditError("the edited files say more than is proposed")


def _content(module: Module, held: _Held, policy: Mapping[str, Any]) -> Any:
    """Return a policy's content; that of the resource where an attachment names one."""
    if held.kind == "managed" and policy["kind"] == "customer_managed" and held.name == policy["name"]:
        return module.customer_managed(held).content
    return held.content


def _spliced(text: str, splices: Sequence[Splice]) -> str:
    """Make the splices; where the file was as `terraform fmt` aligns it, it still is."""
    new = apply(text, splices)
    return hcl.aligned(new) if hcl.aligned(text) == text else new


def _apart(splices: Sequence[Splice]) -> list[Splice]:
    """Let neighbours that go share the blank line between them: what one takes out, the next begins behind."""
    found: list[Splice] = []
    for splice in sorted(splices):
        end = found[-1].end if found else 0
        if not splice.text and found and not found[-1].text and splice.start < end:
            found.append(Splice(end, max(end, splice.end), ""))
        else:
            found.append(splice)
    return found
