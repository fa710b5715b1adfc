"""Put what is proposed on a branch of a local repository, one commit a role, and write the pull request's text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trailfit.deliver import body, findings
from trailfit.deliver.git import Change, Repository
from trailfit.deliver.plan import Plan, Role, plan
from trailfit.deliver.text import visible
from trailfit.deliver.view import account_of, name_of
from trailfit.errors import ForgeError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Marks a commit as trailfit's own: a branch that holds others is never moved.
TRAILER = "Trailfit-Recommendation:"
BODY = "pull-request.md"
_READ = (".yaml", ".yml", ".json", ".template", ".tf", ".toml", ".tfvars")
_LARGEST = 2_000_000

Status = Literal["created", "updated", "unchanged", "nothing", "dry-run"]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was done: the branch, what it stands on, each role's files, the pull request's text."""

    branch: str
    base: str
    tip: str
    status: Status
    plan: Plan
    body: Path
    diff: str

    @property
    def has_changes(self) -> bool:
        """Tell whether the repository would change."""
        return self.tip != self.base

    @property
    def not_edited(self) -> list[tuple[str, str]]:
        """List the roles whose code was not edited, with the reason."""
        return [(role.arn, reason) for role in self.plan.roles for _, reason in role.refused]

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
        lines += [f"  not edited: {visible(arn)}: {visible(reason)}" for arn, reason in self.not_edited]
        lines += [f"  not read: {visible(path)}: {visible(reason)}" for path, reason in self.plan.unread]
        return "\n".join([*lines, f"wrote {self.body}"])


def propose(data: Mapping[str, Any], repo: Path, out: Path, *, dry_run: bool = False) -> Proposed:
    """Make or update the branch ``trailfit/<last day>`` in the repository at `repo`, from its current commit.

    Only recommendations that are `safe` are put on it. The work tree, the index and the current branch stay as
    they are; with `dry_run` nothing at all is written to the repository. The pull request's text goes to `out`, and the
    findings as SARIF once more, now that the files are known which define the roles.
    Raises `ForgeError` where the branch holds commits of others, or is checked out.
    """
    with Repository(repo, scratch=dry_run) as repository:
        return _propose(data, repository, out, dry_run=dry_run)


def _propose(data: Mapping[str, Any], repository: Repository, out: Path, *, dry_run: bool) -> Proposed:
    last = data["window"]["to"]
    name = f"trailfit/{last}"
    base = repository.head()
    current = repository.current_branch()
    if current is not None and current.startswith("trailfit/"):
        raise ForgeError(
            f"the branch {current} is checked out", where=repository.where, hint="switch to the main branch"
        )
    texts = _texts(repository, base)
    planned = plan(data, texts)
    roles = planned.roles
    changes = [
        Change(_message(role), {path: text.encode() for path, text in role.files.items()})
        for role in roles
        if role.files
    ]
    tip = repository.commit(base, changes, f"{last}T23:59:59Z")
    status = _move(repository, name, base, tip, dry_run=dry_run)
    text = body.render(data, planned)
    place = out / BODY
    try:
        out.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        sarif = findings.as_sarif(data, planned.places)
        (out / "findings.sarif").write_bytes(sarif.encode("utf-8", "backslashreplace"))
    except OSError as problem:
        raise SourceError(f"cannot be written: {problem.strerror}", where=str(place)) from None
    return Proposed(name, base, tip, status, planned, place, repository.diff(base, tip))


def _texts(repository: Repository, commit: str) -> dict[str, str]:
    """Return the files of a commit that may define or name roles, those that are text."""
    blobs = {path: blob for path, blob in repository.files(commit).items() if path.endswith(_READ)}
    contents = repository.read(list(blobs.values()))
    texts = {}
    for path, blob in blobs.items():
        if len(contents[blob]) <= _LARGEST:
            try:
                texts[path] = contents[blob].decode("utf-8")
            except UnicodeDecodeError:
                continue
    return texts


def _move(repository: Repository, name: str, base: str, tip: str, *, dry_run: bool) -> Status:
    old = repository.branch(name)
    if tip == base:
        return "nothing"
    if old == tip:
        return "unchanged"
    if old is not None:
        others = [text for text in repository.messages(base, old) if TRAILER not in text]
        if others:
            first = visible(others[0].splitlines()[0], 72)
            raise ForgeError(
                f"the branch {name} holds commits that are not trailfit’s: {first}",
                where=repository.where,
                hint="merge or delete it first",
            )
        if name in repository.checked_out():
            raise ForgeError(f"the branch {name} is checked out", where=repository.where, hint="switch to another one")
    if dry_run:
        return "dry-run"
    repository.move(name, tip, old)
    return "created" if old is None else "updated"


def _message(role: Role) -> str:
    """Return a commit's message: what changes for whom, by the numbers, and the recommendations it stands for."""
    counts = _counts(role.recommendations)
    lines = [
        f"Tighten {visible(name_of(role.arn), 60)} in {account_of(role.arn)}",
        "",
        (
            f"{visible(role.arn)}: {counts['unused']} unused permissions go; "
            f"{counts['used']} used, {counts['kept']} kept and {counts['undetermined']} undetermined stay as proposed."
        ),
        "Both proofs hold: nothing new is granted, and all that was used stays allowed.",
        "",
        *(f"{TRAILER} {visible(one['id'])}" for one in role.recommendations),
    ]
    return "\n".join(lines) + "\n"


def _counts(recommendations: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    names = ("used", "unused", "undetermined", "kept")
    return {name: max(one["permissions"][name] for one in recommendations) for name in names}
