"""A snapshot from files: the JSON and CSV that the AWS CLI prints, or the folder of our own collection.

What each kind of file must look like is in `trailfit.inventory.pieces`. The snapshot's time is the time of the
collection; of files, the credential report's generation time (the newest, of several), else the newest date
that the data tells of. The clock and the files' own times are never asked: the same files give the same snapshot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.errors import SourceError
from trailfit.inventory import compute
from trailfit.inventory.authorization import Authorization
from trailfit.inventory.credentials import Credentials
from trailfit.inventory.identity_center import IdentityCenter
from trailfit.inventory.last_accessed import LastAccessedReports
from trailfit.inventory.organization import Organization
from trailfit.inventory.pieces import Piece, walk
from trailfit.inventory.trails import Trails
from trailfit.inventory.values import account_of, moment, objects
from trailfit.model import Function, Snapshot, Unassessed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from trailfit.model import Guardrails, Principal

#: The names under which AWS prints when something happened (never names inside a policy document).
_DATES = frozenset(
    {"CreateDate", "UpdateDate", "LastUsedDate", "LastModified", "LastAuthenticated", "LastAccessedTime",
     "JobCreationDate", "JobCompletionDate", "PasswordLastUsed"}
)  # fmt: skip


def read(folder: str | Path) -> Snapshot:
    """Read a snapshot from the files below `folder` (or from one file).

    The account of a file is told by the ARNs inside, else by a folder named after it. What is missing or
    cannot be read is in `Snapshot.unassessed` with the file's name. Raises `SourceError` where there is no
    such folder or nothing in it describes an account.
    """
    path = Path(folder)
    if not path.exists():
        message = "no such file or folder"
        raise SourceError(message, where=str(folder))
    reading = _Reading()
    for piece in walk(path):
        if isinstance(piece, Unassessed):
            reading.unassessed.append(piece)
        else:
            reading.add(piece)
    return reading.snapshot(str(folder))


class _Reading:
    """The parts of a snapshot while pieces are read into them."""

    def __init__(self) -> None:
        self.unassessed: list[Unassessed] = []
        self.authorization = Authorization(self.unassessed)
        self.credentials = Credentials(self.unassessed)
        self.last_accessed = LastAccessedReports(self.unassessed)
        self.trails = Trails(self.unassessed)
        self.organization = Organization(self.unassessed)
        self.identity_center = IdentityCenter(self.unassessed)
        self.functions: list[Function] = []
        self.additions: list[compute.Addition] = []
        self.function_lists: set[str] = set()
        self.refused: set[str] = set()
        self.unfinished: set[str | None] = set()
        self.trail_lists: set[str] = set()
        self.refusals: dict[tuple[str, str, str], _Refusals] = {}
        self.homeless: list[Piece] = []
        self.newest: datetime | None = None
        self.taken: datetime | None = None

    def add(self, piece: Piece) -> None:
        """Give a piece to the part that reads its kind."""
        self.newest = max(filter(None, (self.newest, *_dates(piece.data))), default=None)
        reader = self._READERS.get(piece.kind)
        if reader is not None:
            reader(self, piece)
        elif piece.kind in _ORGANIZATION:
            self.organization.add(piece.kind, piece.data, piece.params, piece.where)
        elif piece.kind in _IDENTITY_CENTER:
            self.identity_center.add(piece.kind, piece.data, piece.params)

    def _authorization(self, piece: Piece) -> None:
        self.authorization.add(piece.data, piece.where, piece.account)

    def _report(self, piece: Piece) -> None:
        content = str(piece.data.get("Content"))
        self.credentials.add_report(content, piece.data.get("GeneratedTime"), piece.where, piece.account)

    def _keys(self, piece: Piece) -> None:
        self.credentials.add_keys(piece.data, piece.account)

    def _key_use(self, piece: Piece) -> None:
        self.credentials.add_key_use(piece.data, piece.params, piece.where)

    def _last_accessed(self, piece: Piece) -> None:
        self.last_accessed.add(piece)

    def _trails(self, piece: Piece) -> None:
        self.trail_lists |= {account for account in (piece.account, *_owners(piece.data)) if account}
        self.trails.add_trails(piece.data, piece.account)

    def _selectors(self, piece: Piece) -> None:
        self.trails.add_selectors(piece.data)

    def _status(self, piece: Piece) -> None:
        self.trails.add_status(piece.data, piece.params)

    def _tree(self, piece: Piece) -> None:
        self.organization.add_tree(piece.data, piece.where)

    def _taken(self, piece: Piece) -> None:
        self.taken = moment(piece.data.get("taken"))

    def _compute(self, piece: Piece) -> None:
        found = tuple(compute.read(piece.data, piece.params, piece.account, piece.region))
        accounts = {one.account for one in found if isinstance(one, Function)} | {piece.account} - {None, ""}
        if not accounts and piece not in self.homeless:
            self.homeless.append(piece)
            return
        if "Functions" in piece.data:
            self.function_lists |= {account for account in accounts if account}
        for one in found:
            if isinstance(one, Function):
                self.functions.append(one)
            elif isinstance(one, compute.Addition):
                self.additions.append(one)
            else:
                self.unassessed.append(one)

    def _stopped(self, piece: Piece) -> None:
        self.unfinished.add(piece.account)

    def _error(self, piece: Piece) -> None:
        error = piece.error or {}
        if error.get("code") == "AWSOrganizationsNotInUseException":
            self.organization.none()
            return
        if error.get("service") == "organizations":
            self.organization.incomplete()
        elif error.get("again") and piece.account:
            self.unfinished.add(piece.account)
        self.refused.add(f"{error.get('kind')} {piece.account}")
        key = (str(piece.account), str(error.get("permission")), str(error.get("code")))
        refusals = self.refusals.setdefault(key, _Refusals())
        refusals.messages.add(str(error.get("message")))
        refusals.items.add(str(error.get("item") or ""))
        refusals.regions.add(piece.region or "")

    _READERS: dict[str, Callable[[_Reading, Piece], None]] = {  # noqa: RUF012 - a table, never changed
        "authorization": _authorization,
        "credential_report": _report,
        "access_keys": _keys,
        "access_key_last_used": _key_use,
        "last_accessed": _last_accessed,
        "trails": _trails,
        "selectors": _selectors,
        "trail_status": _status,
        "organization_tree": _tree,
        "compute": _compute,
        "taken": _taken,
        "error": _error,
        "stopped": _stopped,
    }

    def snapshot(self, where: str) -> Snapshot:
        """Put the parts together."""
        described = self.authorization.accounts() | self.credentials.accounts
        self._place_homeless(described)
        accounts = described | self.function_lists | self.last_accessed.accounts
        if not accounts:
            why = "; ".join(f"{one.subject}: {one.reason}" for one in self.unassessed[:3])
            message = f"no file describes an account{f' ({why})' if why else ''}"
            raise SourceError(message, where=where, hint="aws iam get-account-authorization-details prints one")
        self.authorization.check()
        principals = self.authorization.principals(self._evidence())
        managed = self.authorization.managed()
        roles = {(p.account, p.name): p.arn for p in principals if p.kind == "role"}
        functions = compute.joined(self.functions, self.additions, self.authorization.profiles(), roles)
        selectors = self.trails.selectors()
        guardrails = self.organization.guardrails(accounts)
        self._note_refusals()
        self._note_missing(accounts, principals)
        self._note_unbound(guardrails)
        return Snapshot(
            taken=self.taken or self.credentials.generated or self.newest or datetime(1970, 1, 1),
            accounts=tuple(sorted(accounts)),
            principals=principals,
            functions=functions,
            selectors=selectors,
            unattached=tuple(
                self.authorization.attached(policy.arn, policy.name, policy.account)
                for policy in managed
                if policy.attachments == 0 and not policy.boundary_uses and account_of(policy.arn)
            ),
            unassessed=tuple(sorted(set(self.unassessed), key=lambda one: (one.subject, one.reason))),
            groups=self.authorization.groups(),
            managed=managed,
            guardrails=guardrails,
            permission_sets=self.identity_center.permission_sets(self.authorization, principals),
            root=self.credentials.root(),
            unfinished=tuple(sorted(filter(None, self.unfinished))),
        )

    def _evidence(self) -> dict[str, dict[str, Any]]:
        """Return what the other parts know of each principal: its credentials, its last uses."""
        arns = self.authorization.arns()
        accessed = self.last_accessed.of(arns)
        found: dict[str, dict[str, Any]] = {}
        for arn in arns:
            found[arn] = {"last_accessed": accessed.get(arn)}
            if ":user/" in arn:
                credentials = self.credentials.of(arn)
                used = [one.last_used for one in credentials if one.last_used]
                known = self.credentials.known(arn)
                found[arn] |= {
                    "credentials": credentials,
                    "credentials_known": known,
                    "last_used": max(used, default=None),
                    "last_used_known": known,
                }
        return found

    def _place_homeless(self, described: set[str]) -> None:
        """Give what names no account to the only account there is; else note it."""
        only = next(iter(described)) if len(described) == 1 else None
        for piece in self.homeless:
            if only is None:
                self.unassessed.append(
                    Unassessed(piece.where, "names no account: put it into a folder named after the account")
                )
            else:
                self._compute(Piece(piece.kind, piece.where, only, piece.region, piece.data, piece.params))

    def _note_refusals(self) -> None:
        """Note what AWS refused, with the missing permission: once for all items and regions."""
        for (account, permission, code), refused in sorted(self.refusals.items()):
            items, regions = _some("for", refused.items), _some("in", refused.regions)
            reason = f"{permission} was refused{items}{regions}: {code}: {min(refused.messages)}"
            self.unassessed.append(Unassessed(f"account {account}", reason))

    def _note_missing(self, accounts: set[str], principals: tuple[Principal, ...]) -> None:
        """Note what no file says, account by account."""
        described = self.authorization.accounts()
        arns = {principal.arn for principal in principals}
        for arn in self.credentials.users():
            if arn not in arns and account_of(arn) in described:
                self.unassessed.append(Unassessed(arn, "is in the credential report, not in the authorization details"))
        for principal in principals:
            if (
                principal.kind == "user"
                and principal.account in self.credentials.accounts
                and not principal.credentials_known
            ):
                self.unassessed.append(
                    Unassessed(principal.arn, "has no line in the credential report: keys and password are not known")
                )
        total = Counter(principal.account for principal in principals)
        without = Counter(principal.account for principal in principals if principal.last_accessed is None)
        for account in sorted(accounts):
            subject = f"account {account}"

            def note(kind: str, reason: str, subject: str = subject, account: str = account) -> None:
                if f"{kind} {account}" not in self.refused:
                    self.unassessed.append(Unassessed(subject, reason))

            if account not in described:
                note("authorization", "no authorization details: who is granted what is not known")
            if account not in self.credentials.accounts:
                note("credential_report", "no credential report: its users' keys and passwords are not known")
            if account not in self.function_lists:
                note("compute", "no list of Lambda functions: which run as which role is not known")
            if account not in self.trail_lists:
                note("trails", "no list of trails: what they log is told by the log alone")
            if without[account]:
                note(
                    "last_accessed",
                    f"no last accessed data of {without[account]} of {total[account]} roles and users",
                )

    def _note_unbound(self, guardrails: Iterable[Guardrails]) -> None:
        """Note the accounts of which it is not known what the organization sets on them.

        Judged without: then a permission counts as granted that a policy there may cut off, never the other way.
        """
        refused = any(permission.startswith("organizations:") for _, permission, _ in self.refusals)
        for one in guardrails:
            if one.scp is None and not refused:
                reason = "no service control policies: its permissions are judged as if none cut them off"
                self.unassessed.append(Unassessed(f"account {one.account}", reason))


def _owners(data: Mapping[str, Any]) -> Iterator[str | None]:
    """Give the accounts of the trails of an answer of describe-trails."""
    return (account_of(trail.get("TrailARN")) for trail in objects(data.get("trailList")))


_ORGANIZATION = frozenset({"organization", "roots", "parents", "policy_targets", "guardrail"})
_IDENTITY_CENTER = frozenset(
    {"permission_set", "permission_set_inline", "permission_set_managed", "permission_set_customer",
     "permission_set_boundary", "assignments"}
)  # fmt: skip


@dataclass(slots=True)
class _Refusals:
    """For what one permission was refused, and in which regions ("": no region), in which words."""

    messages: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)


def _some(word: str, names: set[str]) -> str:
    """Name one of several, and how many more there are.

    >>> _some("in", {"eu-west-1", "us-east-1"}), _some("in", {""})
    (' in eu-west-1 and 1 more', '')
    """
    told = sorted(names - {""})
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return f" {word} {told[0]}{more}" if told else ""


def _dates(value: object, name: str = "") -> Iterator[datetime]:
    """Yield the times of an answer; policy documents hold none of these names."""
    if name in _DATES:
        at = moment(value)
        if at is not None:
            yield at
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _dates(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _dates(inner)
