"""Read the Terraform files of one folder: which roles they make, and which policies those have.

One folder is one module, its files are read together. What is a policy's text, or a data source or file of its own, is
found; what variables, functions and other modules make is told as such.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.deliver import hcl, terraform_documents
from trailfit.deliver.hcl import SOURCE, Block, as_template
from trailfit.deliver.references import key_of
from trailfit.deliver.terraform_names import Names
from trailfit.deliver.tree import Node, parse_json
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What a module's own arguments call the role that it makes.
_NAMES = ("role_name", "iam_role_name", "name", "function_name")
#: A count that makes one or none.
_AT_MOST_ONE = re.compile(r"[01]|.*\?\s*(1\s*:\s*0|0\s*:\s*1)", re.DOTALL)
#: Characters of a name that must be written out for a match to say something.
_LEAST_WRITTEN = 4
_PATH = re.compile(r"\"\$\{path\.module\}/([^\"$]+)\"")
_DOCUMENT = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)(?:\[0\])?\.json")


@dataclass(frozen=True, slots=True)
class Role:
    """An `aws_iam_role`, or a call of a module that makes one: folder, label, name, its first line.

    `name` is None where it is not written out; then `pattern` is a regular expression of what it may come out as, None
    where that says nothing.
    """

    folder: str
    path: str
    label: str
    name: str | None
    line: int
    pattern: str | None = None
    type: str = "aws_iam_role"

    @property
    def address(self) -> str:
        """Return Terraform's address of the role or the module."""
        return f"{self.type}.{self.label}"


@dataclass(slots=True)
class Held:
    """A policy of a role as the files have it: where it stands, in which form, or why it is not known (`why`)."""

    kind: str
    name: str | None
    content: Any
    path: str
    block: Block
    document: Block | None = None
    document_path: str = ""
    index: int | None = None
    node: Node | None = None
    form: str = ""
    file: str = ""
    why: str = ""


class Folder:
    """The Terraform files of one folder; `files` are those of the repository, which policies may be read from."""

    def __init__(self, folder: str, texts: Mapping[str, str], files: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.texts = dict(texts)
        self.files = {**(files or {}), **texts}
        self.blocks = [(path, block) for path, text in sorted(texts.items()) for block in hcl.parse(text)]

    def roles(self) -> list[Role]:
        """List the roles of the folder, and the calls of modules that are given a role's name and a policy."""
        found = []
        for path, block in self.resources("aws_iam_role"):
            line = self.texts[path].count("\n", 0, block.start) + 1
            name = block.text("name")
            found.append(Role(self.folder, path, block.labels[1], name, line, self._name_pattern(block)))
        for path, block in self.blocks:
            name = next((block.text(key) for key in _NAMES if block.text(key)), None)
            if block.type == "module" and name and self._given(path, block):
                line = self.texts[path].count("\n", 0, block.start) + 1
                found.append(Role(self.folder, path, block.labels[0], name, line, type="module"))
        return found

    def _name_pattern(self, block: Block) -> str | None:
        """Return what a name that is an expression may come out as, where enough of it is written out."""
        prefix = block.text("name_prefix")
        if prefix:
            return re.escape(prefix) + "[0-9a-f]{26}"  # the provider's id.PrefixedUniqueId
        node = block.attributes.get("name")
        names = Names("", self._locals())
        pattern = names.pattern(node.value) if node is not None and not isinstance(node.value, str) else None
        written = re.sub(r"\(\?:[^)]*\)|\[[^\]]*\]\+?|\\", "", pattern or "")
        return pattern if pattern and len(written.strip("-_.")) >= _LEAST_WRITTEN else None

    def _locals(self) -> dict[str, str]:
        """Return the values of this folder's locals that are written out, by their expressions."""
        values = (block.attributes.items() for _, block in self.blocks if block.type == "locals")
        found = {name: node.value for entries in values for name, node in entries}
        return {key_of({SOURCE: f"local.{name}"}): one for name, one in found.items() if isinstance(one, str)}

    def _given(self, path: str, block: Block) -> list[Held]:
        """Return the policies that a module is given as arguments."""
        found = []
        for name in (*block.calls, *(key for key in block.attributes if key not in block.calls)):
            one = self._read(path, block, name)
            if isinstance(one.content, dict) and "Statement" in one.content:
                found.append(one)
        return found

    def block_of(self, role: Role) -> Block:
        """Return the block of a role."""
        if role.type == "module":
            return next(
                b for p, b in self.blocks if b.type == "module" and b.labels == (role.label,) and p == role.path
            )
        return next(b for p, b in self.resources("aws_iam_role") if b.labels[1] == role.label and p == role.path)

    def resources(self, kind: str) -> Iterator[tuple[str, Block]]:
        """Yield the resources of a type."""
        for path, block in self.blocks:
            if block.type == "resource" and len(block.labels) == 2 and block.labels[0] == kind:
                yield path, block

    def held(self, role: Role) -> list[Held]:
        """Return the role's policies as the files have them; raises `EditError` for forms that are not edited."""
        block = self.block_of(role)
        if role.type == "module":
            return self._given(role.path, block)
        if any(b.type == "dynamic" and b.labels[:1] == ("inline_policy",) for b in block.blocks):
            raise EditError(f"{role.address} makes its inline_policy blocks by dynamic")
        found = [self._inline(role.path, b) for b in block.blocks if b.type == "inline_policy"]
        arns = block.attributes.get("managed_policy_arns")
        if arns is not None and arns.kind != "seq":
            raise EditError(f"the managed_policy_arns of {role.address} are an expression")
        for number, item in enumerate(arns.items if arns is not None else ()):
            name = self._managed_name(source_of(item.value))
            found.append(Held("managed", name, item.value, role.path, block, index=number))
        for path, one in self.resources("aws_iam_role_policy"):
            if self._is_of(one, role):
                found.append(self._inline(path, one))
        for path, one in self.resources("aws_iam_role_policy_attachment"):
            if self._is_of(one, role):
                arn = one.attributes.get("policy_arn")
                name = self._managed_name(one.source("policy_arn") or "")
                found.append(Held("managed", name, arn.value if arn else None, path, one))
        for one in (block, *(h.block for h in found)):
            if "for_each" in one.attributes or not _at_most_one(one):
                raise EditError(f"{role.address} or a policy of it is made with count or for_each")
        return found

    def _is_of(self, block: Block, role: Role) -> bool:
        source = (block.source("role") or "").removeprefix('"${').removesuffix('}"')
        own = rf"{re.escape(role.address)}(\[0\]|\[count\.index\])?\.(id|name)"
        each = rf"{re.escape(role.address)}(\.\*|\[\*\])\.(id|name)"
        return re.fullmatch(rf'{own}|join\(""\s*,\s*{each}\)|one\({each}\)', source) is not None or (
            role.name is not None and block.text("role") == role.name
        )

    def _managed_name(self, source: str) -> str | None:
        """Return the name of the policy of this folder that an expression for an ARN stands for."""
        found = self._managed(source)
        return found[1].text("name") if found else None

    def _managed(self, source: str) -> tuple[str, Block] | None:
        match = re.fullmatch(r"aws_iam_policy\.([\w-]+)(?:\[0\]|\[count\.index\])?\.arn", source)
        return next(
            ((p, b) for p, b in self.resources("aws_iam_policy") if match and b.labels[1] == match.group(1)), None
        )

    def customer_managed(self, one: Held) -> Held:
        """Return the policy resource that an attachment names; raises `EditError` where others use it too."""
        source = source_of(one.content)
        found = self._managed(source)
        if found is None:
            raise EditError(f"the policy {one.name or one.content} is not defined in this folder")
        uses = sum(
            len(re.findall(rf"\baws_iam_policy\.{re.escape(found[1].labels[1])}\b", t)) for t in self.texts.values()
        )
        if uses != 1:
            raise EditError(f"the policy {one.name} is used more than once in this folder")
        return self._inline(*found)

    def _inline(self, path: str, block: Block) -> Held:
        return self._read(path, block, "policy", block.text("name"))

    def _read(self, path: str, block: Block, attribute: str, name: str | None = None) -> Held:
        """Read a policy that an attribute holds: written out, in a file beside, or in a data source of its own."""
        kind = "any" if block.type == "module" else "inline"
        call = block.calls.get(attribute)
        if call is not None and call[0] in ("jsonencode", "heredoc"):
            return Held(kind, name, call[1].value, path, block, node=call[1], form=call[0], file=path)
        if call is not None and call[0] in ("file", "templatefile"):
            place, node = self._file(call[1].value, call[0])
            why = "" if node else "its file is not JSON, or is used elsewhere too"
            content = node.value if node else None
            return Held(kind, name, content, path, block, node=node, form=call[0], file=place, why=why)
        found = _DOCUMENT.fullmatch(block.source(attribute) or "")
        if found is None:
            why = "variables, functions or other modules make it"
            return Held(kind, name, None, path, block, why=why)
        label = found.group(1)
        for place, one in self.blocks:
            if one.type == "data" and one.labels == ("aws_iam_policy_document", label):
                uses = sum(m.group(1) == label for text in self.texts.values() for m in _DOCUMENT.finditer(text))
                content = terraform_documents.document(one) if uses == 1 else None
                why = "its document is used more than once" if uses != 1 else terraform_documents.why_not(one)
                return Held(kind, name, content, path, block, one, place, why=why if content is None else "")
        return Held(kind, name, None, path, block, why="its document is not in this folder")

    def _file(self, argument: Any, form: str) -> tuple[str, Node | None]:
        """Return a JSON file that lies beside, and its policy; none where it is no JSON or others read it too."""
        found = _PATH.fullmatch(source_of(argument))
        name = found.group(1) if found else argument if isinstance(argument, str) else ""
        path = posixpath.normpath(posixpath.join(self.folder, name))
        text = self.files.get(path)
        base = posixpath.basename(path)
        if text is None or sum(other.count(base) for other in self.files.values()) != 1:
            return path, None
        try:
            node = parse_json(text)
        except EditError:
            return path, None
        return path, as_template(node) if form == "templatefile" else node


def _at_most_one(block: Block) -> bool:
    """Tell whether a block makes one thing or none: then it is edited as if it had no count."""
    count = block.attributes.get("count")
    if count is None:
        return True
    return (
        _AT_MOST_ONE.fullmatch(str(count.value) if isinstance(count.value, int) else source_of(count.value)) is not None
    )


def source_of(value: Any) -> str:
    """Return an expression's source, empty for what is written out."""
    return str(value[SOURCE]) if isinstance(value, dict) and SOURCE in value else ""
