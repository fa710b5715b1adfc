"""Find which block of which file defines each role, and say how sure that is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trailfit.deliver import cloudformation
from trailfit.deliver.cloudformation import FUNCTION, Block
from trailfit.deliver.view import account_of, name_of
from trailfit.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Sure = Literal["certain", "likely"]

_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_TEMPLATES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True, slots=True)
class Owner:
    """A block that makes a role, the file it stands in, how sure the match is and what it rests on."""

    path: str
    block: Block
    sure: Sure
    because: str


class Accounts:
    """Which accounts a path is about, as the repository's own folders tell.

    A folder name belongs to an account when the files below folders of that name mention exactly one of the
    accounts known, or when it is an account's number itself.
    """

    def __init__(self, files: Mapping[str, str], known: Iterable[str]) -> None:
        self._known = frozenset(known)
        mentioned: defaultdict[str, set[str]] = defaultdict(set)
        for path, text in files.items():
            found = self._known.intersection(_ACCOUNT.findall(text))
            for folder in path.split("/")[:-1]:
                mentioned[folder] |= found
        self._named = {folder: next(iter(found)) for folder, found in mentioned.items() if len(found) == 1}
        shared = list(self._named.values())
        # A folder that is above everything mentions one account only because there is only one: it tells nothing.
        self._named = {f: a for f, a in self._named.items() if len(self._known) > 1 or shared.count(a) == 1}

    def may_be(self, path: str, account: str) -> bool:
        """Tell whether a file may be about an account: nothing in its path is about another one."""
        for folder in path.split("/")[:-1]:
            if folder in self._known:
                return folder == account
            if folder in self._named and self._named[folder] != account:
                return False
        return True


def templates(files: Mapping[str, str]) -> dict[str, list[Block]]:
    """Return the blocks of each template among the files; a file that cannot be parsed is none."""
    found = {}
    for path, text in sorted(files.items()):
        if path.endswith(_TEMPLATES) and cloudformation.is_template(text):
            try:
                found[path] = cloudformation.blocks(text)
            except EditError:
                continue
    return found


def owners(arn: str, blocks: Mapping[str, list[Block]], accounts: Accounts) -> list[Owner]:
    """Return the blocks that may define a role, the surest only."""
    name, account = name_of(arn), account_of(arn)
    found = [
        Owner(path, block, *match)
        for path, listed in blocks.items()
        if accounts.may_be(path, account)
        for block in listed
        if (match := _match(name, block)) is not None
    ]
    sure = [owner for owner in found if owner.sure == "certain"]
    return sure or found


def _match(name: str, block: Block) -> tuple[Sure, str] | None:
    if block.role_name is not None:
        return ("certain", "RoleName is the role’s name") if block.role_name == name else None
    made = f"{block.logical_id}Role" if block.type == FUNCTION else block.logical_id
    if re.fullmatch(rf"[A-Za-z0-9-]+-{re.escape(made[:24])}[A-Za-z0-9]*-[A-Za-z0-9]{{8,14}}", name):
        return "likely", f"the role is named as CloudFormation names {made}"
    return None
