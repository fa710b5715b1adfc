"""Put what is proposed on a branch of a local repository, one commit a role, and write the pull request's text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trailfit.deliver import body, findings, owners
from trailfit.deliver.git import Change, Repository
from trailfit.deliver.plan import Plan, Role, plan
from trailfit.deliver.text import visible
from trailfit.deliver.view import account_of, name_of
from trailfit.errors import ForgeError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trailfit.deliver.forge.request import PullRequest
    from trailfit.deliver.owner import Mapped

#: Marks a commit as trailfit's own: a branch that holds others is never moved.
TRAILER = "Trailfit-Recommendation:"
BODY = "pull-request.md"
#: All branches of trailfit's begin so.
PREFIX = "trailfit/"
_READ = (".yaml", ".yml", ".json", ".template", ".tf", ".tftpl", ".tpl", ".toml", ".tfvars", "CODEOWNERS")
_LARGEST = 2_000_000

Status = Literal["created", "updated", "unchanged", "nothing", "dry-run"]
Sort = Literal["safe", "unsafe", "restore"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The recommendations that one branch takes: of one sort, of one account where `account` says so.

    `unsafe` are those that a person must look at first, both proofs of which hold all the same; `restore` give back
    what a change that was merged before took away and that was asked for since.
    """

    sort: Sort = "safe"
    account: str | None = None

    @property
    def suffix(self) -> str:
        """Return the end of the branch's name, and of its text's."""
        return (f"-{self.account}" if self.account else "") + (f"-{self.sort}" if self.sort != "safe" else "")

    def takes(self, recommendation: Mapping[str, Any]) -> bool:
        """Tell whether a recommendation belongs on the branch."""
        if self.account is not None and account_of(recommendation["principal"]) != self.account:
            return False
        if recommendation["action"].startswith("RESTORE_"):
            return self.sort == "restore"
        proofs = recommendation["proofs"]
        proved = all(proofs[name]["holds"] is True for name in ("no_new_access", "still_allows"))
        return recommendation["disposition"] == self.sort and (self.sort == "safe" or proved)

    def title(self, count: int, last: str) -> str:
        """Return the pull request's title."""
        roles = f"{count:,} {'role' if count == 1 else 'roles'}"
        where = f" of {self.account}" if self.account else ""
        if self.sort == "restore":
            return f"Give {roles}{where} back what was denied since a change, until {last}"
        more = ", for a person to judge" if self.sort == "unsafe" else ""
        return f"Fit {roles}{where} to what CloudTrail saw until {last}{more}"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was done: the branch, what it stands on, each role's files, the pull request and its text."""

    branch: str
    base: str
    tip: str
    status: Status
    plan: Plan
    body: Path
    text: str
    diff: str
    batch: Batch = field(default=Batch())
    held: Mapping[str, str] = field(default_factory=dict)
    request: PullRequest | None = None
    notes: Sequence[str] = ()

    @property
    def has_changes(self) -> bool:
        """Tell whether the repository would change."""
        return self.tip != self.base

    @property
    def changed(self) -> list[Role]:
        """List the roles for which a file changes."""
        return [role for role in self.plan.roles if role.files]

    @property
    def not_edited(self) -> list[tuple[str, str]]:
        """List the roles whose code was not edited, with the reason."""
        return [(role.arn, reason) for role in self.plan.roles for _, reason in role.refused]

    @property
    def paths(self) -> list[str]:
        """List the files that change."""
        return sorted({path for role in self.plan.roles for path in role.files})

    def summary(self) -> str:
        """Sum it up for a terminal."""
        edited = sum(bool(role.edited) for role in self.plan.roles)
        word = {
            "created": f"made branch {self.branch}",
            "updated": f"updated branch {self.branch}",
            "unchanged": f"branch {self.branch} is up to date",
            "nothing": "the repository says already what is proposed",
            "dry-run": f"would put on branch {self.branch}",
        }[self.status]
        lines = [f"{word}: {len(self.plan.roles)} roles, {edited} edited where they are defined"]
        unknown = sum(bool(role.added) and not role.edited for role in self.plan.roles)
        if unknown:
            lines.append(f"  {unknown} that no file was found to define, or that could not be edited: below policies/")
        lines += [f"  not edited: {visible(arn)}: {visible(reason)}" for arn, reason in self.not_edited]
        lines += [f"  not read: {visible(path)}: {visible(reason)}" for path, reason in self.plan.unread]
        lines += [f"  not proposed again: {visible(arn)}: {visible(reason)}" for arn, reason in self.held.items()]
        lines += [f"  {visible(note)}" for note in self.notes]
        return "\n".join([*lines, f"wrote {self.body}"])


def propose(data: Mapping[str, Any], repo: Path, out: Path, *, dry_run: bool = False) -> Proposed:
    """Make or update the branch ``trailfit/<last day>`` in the repository at `repo`, from its current commit.

    Only recommendations that are `safe` are put on it. The work tree, the index and the current branch stay as
    they are; with `dry_run` nothing at all is written to the repository. The pull request's text goes to `out`, and the
    findings as SARIF once more, now that the files are known which define the roles.
    Raises `ForgeError` where the branch holds commits of others, or is checked out.
    """
    with Repository(repo, scratch=dry_run) as repository:
        base = require_base(repository)
        return on_branch(data, repository, out, base=base, dry_run=dry_run)


def require_base(repository: Repository) -> str:
    """Return the commit that a branch may be built on; raises `ForgeError` on a branch of trailfit's own."""
    current = repository.current_branch()
    if current is not None and current.startswith(PREFIX):
        raise ForgeError(
            f"the branch {current} is checked out", where=repository.where, hint="switch to the main branch"
        )
    return repository.head()


def on_branch(
    data: Mapping[str, Any],
    repository: Repository,
    out: Path,
    *,
    base: str,
    batch: Batch = Batch(),
    name: str | None = None,
    held: Mapping[str, str] | None = None,
    mapped: Sequence[Mapped] = (),
    limit: int = body.LIMIT,
    dry_run: bool = False,
) -> Proposed:
    """Put one batch on the branch `name` (``trailfit/<last day>`` where none is told), from the commit `base`.

    `held` are the roles (ARN) for which nothing is proposed this time, with the reason; `mapped` is what the
    configuration says of owners; `limit` is the most characters that the forge takes as a text.
    """
    last = data["window"]["to"]
    name = name or f"{PREFIX}{last}{batch.suffix}"
    held = held or {}
    files = texts(repository, base)
    planned = plan(data, files, lambda one: batch.takes(one) and one["principal"] not in held, mapped)
    changes = [
        Change(_message(role, batch), {path: _bytes(text) for path, text in role.files.items()})
        for role in planned.roles
        if role.files
    ]
    tip = repository.commit(base, changes, f"{last}T23:59:59Z")
    status = _move(repository, name, base, tip, dry_run=dry_run)
    here = _of_account(data, batch.account)
    text = body.render(here, planned, batch, held=held, limit=limit)
    place = out / BODY.replace(".md", f"{batch.suffix}.md")
    try:
        out.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        (out / owners.FILE_NAME).write_text(owners.as_text(data, planned), encoding="utf-8")
        sarif = findings.as_sarif(data, planned.places)
        (out / "findings.sarif").write_bytes(sarif.encode("utf-8", "backslashreplace"))
    except OSError as problem:
        raise SourceError(f"cannot be written: {problem.strerror}", where=str(place)) from None
    diff = repository.diff(base, tip)
    return Proposed(name, base, tip, status, planned, place, text, diff, batch, held)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _of_account(data: Mapping[str, Any], account: str | None) -> Mapping[str, Any]:
    """Return what is said of one account, of all where None is told."""
    if account is None:
        return data
    lists = ("principals", "recommendations", "findings")
    chosen = {key: [one for one in data.get(key, ()) if account_of(one["principal"]) == account] for key in lists}
    return {**data, **chosen}


def texts(repository: Repository, commit: str) -> dict[str, str]:
    """Return the files of a commit that may define or name roles or their owners, those that are text."""
    blobs = {path: blob for path, blob in repository.files(commit).items() if path.endswith(_READ)}
    contents = repository.read(list(blobs.values()))
    found = {}
    for path, blob in blobs.items():
        if len(contents[blob]) <= _LARGEST:
            try:
                found[path] = contents[blob].decode("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def require_own(repository: Repository, name: str, base: str, old: str) -> None:
    """Raise `ForgeError` where a branch that stands on `old` holds commits that are not trailfit's."""
    others = [text for text in repository.messages(base, old) if TRAILER not in text]
    if others:
        first = visible(others[0].splitlines()[0], 72)
        raise ForgeError(
            f"the branch {name} holds commits that are not trailfit’s: {first}",
            where=repository.where,
            hint="merge or delete it first",
        )


def _move(repository: Repository, name: str, base: str, tip: str, *, dry_run: bool) -> Status:
    old = repository.branch(name)
    if tip == base:
        return "nothing"
    if old == tip:
        return "unchanged"
    if old is not None:
        require_own(repository, name, base, old)
        if name in repository.checked_out():
            raise ForgeError(f"the branch {name} is checked out", where=repository.where, hint="switch to another one")
    if dry_run:
        return "dry-run"
    repository.move(name, tip, old)
    return "created" if old is None else "updated"


def _message(role: Role, batch: Batch) -> str:
    """Return a commit's message: what changes for whom, by the numbers, and the recommendations it stands for."""
    counts = _counts(role.recommendations)
    name, account = visible(name_of(role.arn), 60), account_of(role.arn)
    if batch.sort == "restore":
        said = [
            f"Restore what {name} in {account} was denied",
            "",
            f"{visible(role.arn)}: calls were denied since a change that was merged; what they need comes back.",
        ]
    else:
        said = [
            f"Tighten {name} in {account}",
            "",
            (
                f"{visible(role.arn)}: {counts['unused']} unused permissions go; "
                f"{counts['used']} used, {counts['kept']} kept and {counts['undetermined']} undetermined "
                "stay as proposed."
            ),
            "Both proofs hold: nothing new is granted, and all that was used stays allowed.",
        ]
    lines = [*said, "", *(f"{TRAILER} {visible(one['id'])}" for one in role.recommendations)]
    return "\n".join(lines) + "\n"


def _counts(recommendations: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    names = ("used", "unused", "undetermined", "kept")
    return {name: max(one["permissions"][name] for one in recommendations) for name in names}
