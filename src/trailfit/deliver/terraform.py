"""Edit the policies of roles in Terraform.

Edited are `aws_iam_role_policy`, `inline_policy` and managed policies used once (``jsonencode``, heredoc JSON, an
`aws_iam_policy_document` used nowhere else, ``file`` and ``templatefile``), attachments, and what a module is given.
Refused, with the reason: what `for_each` or a count of several makes, and policies that variables or functions make.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trailfit.deliver import hcl, terraform_documents
from trailfit.deliver.hcl import Hcl, HeredocJson
from trailfit.deliver.splice import Splice, Splicer, apply, equal, has_literal_actions
from trailfit.deliver.terraform_module import Folder, Held, Role
from trailfit.deliver.terraform_names import Names
from trailfit.deliver.write import Flow
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailfit.deliver.cloudformation import Proposal


class Module(Folder):
    """The Terraform files of one folder, to be edited."""

    def edit(self, role: Role, proposal: Proposal) -> dict[str, str]:
        """Return the files that change, with the role's policies as proposed; raises `EditError` where that is unsafe.

        The result is parsed again and its policies compared with the proposal.
        """
        held = self.held(role)
        names = Names(proposal.account)
        taken = _correspond(self, held, proposal, names)
        literal = any(proposal.account in text for text in (*self.texts.values(), *self._beside(held)))
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
        changed = {path: _spliced(path, self.files[path], _apart(found)) for path, found in splices.items()}
        changed = {path: text for path, text in changed.items() if text != self.files[path]}
        own = {path: changed.get(path, text) for path, text in self.texts.items()}
        _verify(Module(self.folder, own, self.files | changed), role, held, taken, proposal, names)
        return changed

    def _beside(self, held: Sequence[Held]) -> list[str]:
        return [self.files[one.file] for one in held if one.file in self.files]

    def _rewrite(self, one: Held, document: dict[str, Any], splices: dict[str, list[Splice]]) -> None:
        if one.document is not None:
            text = self.texts[one.document_path]
            found = terraform_documents.statement_splices(text, one.document, document["Statement"])
            splices.setdefault(one.document_path, []).extend(found)
            return
        assert one.node is not None
        text = self.files[one.file]
        writer: Flow = {"jsonencode": Hcl, "file": Flow}.get(one.form, HeredocJson)(text)
        splices.setdefault(one.file, []).extend(Splicer(text, writer).change(one.node, document))

    def _shorten(self, role: Role, gone: set[int], splices: dict[str, list[Splice]]) -> None:
        """Take ARNs out of the role's own list."""
        arns = self.block_of(role).attributes.get("managed_policy_arns")
        if gone and arns is not None:
            text = self.texts[role.path]
            kept = [item.value for number, item in enumerate(arns.items) if number not in gone]
            splices.setdefault(role.path, []).extend(Splicer(text, Hcl(text)).change(arns, kept))

    def _remove(self, one: Held, splices: dict[str, list[Splice]]) -> None:
        if one.index is not None:
            return
        if one.block.type == "module":
            raise EditError("a policy that a module is given would have to go")
        splices.setdefault(one.path, []).append(terraform_documents.block_gone(self.texts[one.path], one.block))
        if one.document is not None:
            gone = terraform_documents.block_gone(self.texts[one.document_path], one.document)
            splices.setdefault(one.document_path, []).append(gone)

    def _add(self, role: Role, name: str, document: dict[str, Any], splices: dict[str, list[Splice]]) -> None:
        """Write a new inline policy: as a block of the role where it has such, else as a resource behind it."""
        text = self.texts[role.path]
        block = self.block_of(role)
        if role.type == "module":
            raise EditError("a new policy cannot be added to a role that a module makes")
        writer = Hcl(text)
        blocks = [one for one in block.blocks if one.type == "inline_policy"]
        if blocks:  # an exclusive list of the role's: the provider would remove a policy of any other resource
            body = f"    policy = jsonencode({writer.dump(document, '    ', wide=True)})\n"
            written = f"\n\n  inline_policy {{\n    name   = {hcl.text_of(name)}\n{body}  }}"
            at = blocks[-1].end
        else:
            taken = {b.labels[1] for _, b in self.resources("aws_iam_role_policy")}
            wanted = re.sub(r"[^A-Za-z0-9_-]", "_", f"{role.label}_{name}")
            label = next(found for n in range(100) if (found := f"{wanted}{n or ''}") not in taken)
            count = block.attributes.get("count")
            index, first = ("[0]", f"  count = {text[count.start : count.end]}\n") if count else ("", "")
            rows = f"  name = {hcl.text_of(name)}\n  role = {role.address}{index}.id\n\n"
            body = f"  policy = jsonencode({writer.dump(document, '  ', wide=True)})\n"
            written = f'\n\nresource "aws_iam_role_policy" "{label}" {{\n{first}{rows}{body}}}'
            at = block.end
        new = Splice(at, at, written.replace("\r\n", "\n").replace("\n", writer.eol))
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


def _correspond(module: Module, held: Sequence[Held], proposal: Proposal, names: Names) -> dict[int, Mapping[str, Any]]:
    taken: dict[int, Mapping[str, Any]] = {}
    for policy in proposal.before:
        number = next((n for n, one in enumerate(held) if n not in taken and _is(module, one, policy, names)), None)
        if number is None:
            why = next((f": {h.why}" for n, h in enumerate(held) if n not in taken and h.why), "")
            raise EditError(
                f"the files do not hold the policy {policy['name']} as it is deployed, in a form that is edited{why}"
            )
        taken[number] = policy
    return taken


def _is(module: Module, held: Held, policy: Mapping[str, Any], names: Names) -> bool:
    if held.kind == "managed":
        arn = policy.get("arn") or f"arn:aws:iam::aws:policy/{policy['name']}"
        if held.name is None and policy["kind"] == "customer_managed" and held.content != arn:
            return _agrees(_content(module, held, policy), policy["document"], names)  # the provider makes its name up
        return policy["kind"] in ("aws_managed", "customer_managed") and (
            held.content == arn or (held.name is not None and held.name == policy["name"])
        )
    same = held.kind == policy["kind"] or (held.kind == "any" and policy["kind"] in ("inline", "customer_managed"))
    if not same or (held.name is not None and held.name != policy["name"]):
        return False
    return _agrees(held.content, policy["document"], names)


def _agrees(content: Any, document: Any, names: Names) -> bool:
    """Tell whether the files' policy may be the one deployed; remember what its expressions came out as."""
    trial = Names(names.account, names.bound)
    if has_literal_actions(content) and trial.agrees(_deciding(content), _deciding(document)):
        names.bound |= trial.bound
        return True
    return False


def _verify(
    module: Module, role: Role, held: Sequence[Held], taken: Mapping[int, Any], proposal: Proposal, names: Names
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


def _content(module: Module, held: Held, policy: Mapping[str, Any]) -> Any:
    """Return a policy's content; that of the resource where an attachment names one."""
    if held.kind == "managed" and policy["kind"] == "customer_managed" and held.name in (None, policy["name"]):
        try:
            return module.customer_managed(held).content
        except EditError:
            return None
    return held.content


def _spliced(path: str, text: str, splices: Sequence[Splice]) -> str:
    """Make the splices; where the file was as `terraform fmt` aligns it, it still is."""
    new = apply(text, splices)
    if not path.endswith(".tf"):
        return new
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
