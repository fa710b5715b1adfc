"""Find which block of which file defines each role, and say how sure that is."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trailfit.deliver import cloudformation, serverless
from trailfit.deliver.cloudformation import FUNCTION, Block
from trailfit.deliver.serverless import Service
from trailfit.deliver.terraform_module import Folder, Role
from trailfit.deliver.view import account_of, name_of
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Sure = Literal["certain", "likely"]
#: What makes a role: a resource of a template, one of Terraform or a module's call, a service's provider.
Defining = Block | Role | Service

_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_ALLOWED = re.compile(r"allowed_account_ids\s*=\s*\[([^\]]*)\]")
_TEMPLATES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True, slots=True)
class Owner:
    """A block that makes a role, the file it stands in, how sure the match is and what it rests on."""

    path: str
    block: Defining
    sure: Sure
    because: str

    @property
    def where(self) -> str:
        """Return the block's name in its file: a logical ID, Terraform's address, or a path of keys."""
        if isinstance(self.block, Service):
            return self.block.where
        return self.block.logical_id if isinstance(self.block, Block) else self.block.address


@dataclass(frozen=True, slots=True)
class Mapped:
    """A ``[[map]]`` of the configuration: who (an ARN, or a glob over ARNs) is defined by which block of which file."""

    principal: str
    path: str
    where: str


@dataclass(slots=True)
class Definitions:
    """Every block of a repository that makes a role, by file, and the files that could not be read."""

    blocks: dict[str, list[Defining]]
    unread: list[tuple[str, str]]


class Accounts:
    """Which accounts a path is about, as the repository's own folders tell.

    Surest first: a folder that is an account's number; one whose Terraform provider allows one account only
    (`allowed_account_ids`), and others of its name; a folder name below which all files mention one account.
    """

    def __init__(self, files: Mapping[str, str], known: Iterable[str]) -> None:
        self._known = frozenset(known)
        mentioned: defaultdict[str, set[str]] = defaultdict(set)
        allowed: defaultdict[str, set[str]] = defaultdict(set)
        for path, text in files.items():
            folders = path.split("/")[:-1]
            found = self._known.intersection(_ACCOUNT.findall(text))
            for folder in folders:
                mentioned[folder] |= found
            for listed in _ALLOWED.findall(text) if path.endswith(".tf") and folders else ():
                allowed[folders[-1]] |= set(_ACCOUNT.findall(listed))
        named = {folder: accounts for folder, accounts in mentioned.items() if len(accounts) == 1}
        self._named = {**named, **allowed} if len(self._known) > 1 else {}

    def may_be(self, path: str, account: str) -> bool:
        """Tell whether a file may be about an account: nothing in its path is about another one."""
        folders = path.split("/")[:-1]
        return all(
            folder == account if folder in self._known else account in self._named.get(folder, {account})
            for folder in folders
        )


def definitions(files: Mapping[str, str]) -> Definitions:
    """Find the blocks of every template and Terraform folder among the files."""
    found = Definitions({}, [])
    for path, text in sorted(files.items()):
        if path.endswith(_TEMPLATES) and cloudformation.is_template(text):
            try:
                found.blocks[path] = list(cloudformation.blocks(text))
            except EditError as problem:
                found.unread.append((path, problem.message))
        elif serverless.is_service(path, text):
            try:
                found.blocks[path] = list(serverless.services(text))
            except EditError as problem:
                found.unread.append((path, problem.message))
    for folder in sorted({path.rpartition("/")[0] for path, text in files.items() if _is_terraform(path, text)}):
        try:
            for role in Folder(folder, module_files(folder, files), files).roles():
                found.blocks.setdefault(role.path, []).append(role)
        except EditError as problem:
            found.unread.append((folder or ".", problem.message))
    return found


def module_files(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the Terraform files that stand in one folder."""
    return {path: text for path, text in files.items() if path.endswith(".tf") and path.rpartition("/")[0] == folder}


def _is_terraform(path: str, text: str) -> bool:
    return path.endswith(".tf") and ('"aws_iam_role"' in text or ("module" in text and "policy" in text))


def owners(
    arn: str,
    blocks: Mapping[str, list[Defining]],
    accounts: Accounts,
    mapped: Sequence[Mapped] = (),
    logical_id: str | None = None,
) -> list[Owner]:
    """Return the blocks that may define a role, the surest only; what the configuration says of it comes first.

    `logical_id` is the role's tag ``aws:cloudformation:logical-id``, where it has one.
    """
    name, account = name_of(arn), account_of(arn)
    told = next((one for one in mapped if fnmatch.fnmatchcase(arn, one.principal)), None)
    if told is not None:
        chosen = [Owner(told.path, block, "certain", "trailfit.toml says so") for block in blocks.get(told.path, ())]
        return [owner for owner in chosen if owner.where == told.where]
    found = [
        Owner(path, block, *match)
        for path, listed in blocks.items()
        if accounts.may_be(path, account)
        for block in listed
        if (match := _match(name, block) or _tagged(block, logical_id)) is not None
    ]
    sure = [owner for owner in found if owner.sure == "certain"]
    return sure or found


def _tagged(block: Defining, logical_id: str | None) -> tuple[Sure, str] | None:
    if logical_id is None or not isinstance(block, Block):
        return None
    made = f"{block.logical_id}Role" if block.type == FUNCTION else block.logical_id
    return ("likely", "the role’s tag aws:cloudformation:logical-id names it") if made == logical_id else None


def _match(name: str, block: Defining) -> tuple[Sure, str] | None:
    if isinstance(block, Service):
        if block.name is not None:
            return ("certain", "provider.iam.role.name is the role’s name") if block.name == name else None
        if block.pattern and re.fullmatch(block.pattern, name):
            return "likely", "the role is named as the Serverless Framework names it"
        return None
    if isinstance(block, Role):
        if block.name == name:
            if block.type == "module":
                return "likely", "a module is given the role’s name and a policy"
            return "certain", "its name is the role’s name"
        if block.name is None and block.pattern and re.fullmatch(block.pattern, name):
            return "likely", "its name’s expression may come out as the role’s name"
        return None
    if block.role_name is not None:
        return ("certain", "RoleName is the role’s name") if block.role_name == name else None
    made = f"{block.logical_id}Role" if block.type == FUNCTION else block.logical_id
    if re.fullmatch(rf"[A-Za-z0-9-]+-{re.escape(made[:24])}[A-Za-z0-9]*-[A-Za-z0-9]{{8,14}}", name):
        return "likely", f"the role is named as CloudFormation names {made}"
    return None
