"""The pull requests of one run: what is proposed goes on branches, is pushed, and is one open request for each.

Without a forge (no remote, or no token) the branches stay in the local repository and everything else is the same.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trailfit.deliver import body, branch
from trailfit.deliver.branch import PREFIX, Batch, Proposed
from trailfit.deliver.forge import codeowners, github, gitlab
from trailfit.deliver.forge.http import TOKEN, URL, Api
from trailfit.deliver.forge.remote import bases, git_access, is_url, parse, token_of
from trailfit.deliver.forge.request import Wanted
from trailfit.deliver.git import Repository, clone
from trailfit.deliver.plan import is_for_code, plan
from trailfit.deliver.state import Memory, digest
from trailfit.deliver.text import visible
from trailfit.deliver.view import account_of
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trailfit.deliver.forge.remote import Kind, Remote
    from trailfit.deliver.forge.request import Forge, PullRequest
    from trailfit.deliver.owner import Mapped


@dataclass(frozen=True, slots=True)
class Settings:
    """How the requests are made: the table ``[pr]`` of ``trailfit.toml``.

    `forge` and `base` None: as the remote tells. `by`: one branch a run, or one an account. `unsafe`: what a person
    must look at first is only reported, or becomes a draft of its own. `mapped` says who defines what, before anything
    else does.
    """

    forge: Kind | None = None
    base: str | None = None
    by: Literal["run", "account"] = "run"
    unsafe: Literal["report", "draft"] = "report"
    labels: tuple[str, ...] = ("trailfit",)
    reviewers: bool = True
    mapped: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository, and its forge where there is one to push to."""

    repository: Repository
    remote: Remote | None
    forge: Forge | None
    access: Mapping[str, str]


def run(
    data: Mapping[str, Any],
    repo: str,
    out: Path,
    settings: Settings,
    *,
    memory: Memory | None = None,
    dry_run: bool = False,
    environment: Mapping[str, str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Proposed]:
    """Put the run's recommendations on branches of `repo` (a folder or an address) and open or update their requests.

    With a `memory` what was rejected or reverted before is left out unless it changed, and what is proposed now is
    noted. With `dry_run` nothing is written but the texts in `out`. The token is taken from `environment`
    (TRAILFIT_FORGE_TOKEN) and is written nowhere. Raises `ForgeError` where git or the forge refuses, `UsageError`
    where it is not known which forge or who asks.
    """
    told = os.environ if environment is None else environment
    memory = memory if memory is not None else Memory()
    with _open(repo, settings, told, dry_run=dry_run, pause=pause) as place:
        if place.forge is None or place.remote is None:
            base = _local_base(place.repository, settings)
            target = None
            opened: list[PullRequest] = []
        else:
            target = settings.base or place.forge.default_branch()
            found = place.repository.remote_branch(place.remote.url, target, place.access)
            if found is None:
                raise UsageError(f"the repository has no branch {visible(target)}", where=place.repository.where)
            base = found
            opened = place.forge.open_ones(PREFIX)
            memory.refresh(place.forge, place.remote.project)
        done = []
        for batch in _batches(data, settings):
            held = _held(data, batch, memory, place.repository, base, settings)
            known = next((one for one in opened if _belongs(one, batch)), None)
            proposed = branch.on_branch(
                data,
                place.repository,
                out,
                base=base,
                batch=batch,
                name=known.branch if known else None,
                held=held,
                mapped=settings.mapped,
                limit=body.LIMIT if place.forge is None or place.forge.kind == "github" else place.forge.limit - 10_000,
                dry_run=dry_run,
            )
            if target is not None:
                proposed = _publish(place, target, proposed, known, settings, data, memory)
            done.append(proposed)
        return done


def _local_base(repository: Repository, settings: Settings) -> str:
    """Return the commit to build on where nothing is pushed: of the branch that the settings name, else the current."""
    if settings.base is None:
        return branch.require_base(repository)
    found = repository.branch(settings.base)
    if found is None:
        raise UsageError(f"the repository has no branch {visible(settings.base)}", where=repository.where)
    return found


def look_again(repo: str, settings: Settings, memory: Memory, *, environment: Mapping[str, str] | None = None) -> None:
    """Ask the forge of `repo` what became of the requests that `memory` holds; nothing where there is no forge.

    Raises `ForgeError` where the forge refuses.
    """
    told = os.environ if environment is None else environment
    if is_url(repo):
        remote: Remote | None = parse(repo)
    else:
        with Repository(Path(repo)) as repository:
            remote = _remote(repository, settings)
    if remote is None or not memory.requests or token_of(told) is None:
        return
    connected = _connect(remote, settings, told, token_of(told), time.sleep)
    if connected is not None:
        connected[0].default_branch()
        memory.refresh(connected[0], remote.project)


def _batches(data: Mapping[str, Any], settings: Settings) -> Iterator[Batch]:
    """Yield what becomes a branch: what was denied comes first; what is safe always, so that it is told."""
    recommendations = [one for one in data["recommendations"] if is_for_code(one)]
    accounts = sorted({account_of(one["principal"]) for one in recommendations}) if settings.by == "account" else []
    for account in (*accounts,) or (None,):
        restore, safe, unsafe = (Batch(sort, account) for sort in ("restore", "safe", "unsafe"))
        if any(map(restore.takes, recommendations)):
            yield restore
        yield safe
        if settings.unsafe == "draft" and any(map(unsafe.takes, recommendations)):
            yield unsafe


def _belongs(request: PullRequest, batch: Batch) -> bool:
    """Tell whether an open request is that of a batch: of this or of an earlier run."""
    return re.fullmatch(rf"{PREFIX}\d{{4}}-\d\d-\d\d{re.escape(batch.suffix)}", request.branch) is not None


def _held(
    data: Mapping[str, Any], batch: Batch, memory: Memory, repository: Repository, base: str, settings: Settings
) -> dict[str, str]:
    """Return the roles for which the same was rejected, or merged and taken back, with the reason."""
    wanted: dict[str, list[Mapping[str, Any]]] = {}
    for one in data["recommendations"]:
        if batch.takes(one) and is_for_code(one):
            wanted.setdefault(one["principal"], []).append(one)
    held = {}
    if batch.sort != "restore":
        broken = {one["principal"] for one in data["recommendations"] if one["action"].startswith("RESTORE_")}
        why = "calls were denied since its last change: what gives them back comes first"
        held = {arn: why for arn in wanted if arn in broken}
    proposals = {arn: digest(rows) for arn, rows in wanted.items() if arn not in held}
    words = {arn: (proposed, memory.last_word(arn, proposed)) for arn, proposed in proposals.items()}
    merged = {}
    for arn, (proposed, word) in sorted(words.items()):
        if word is not None and word.state == "closed":
            held[arn] = f"rejected before: {word.url} was closed unmerged, and the evidence is the same"
        elif word is not None and word.state == "merged":
            merged[arn] = (proposed, word)
    if merged:
        files = branch.texts(repository, base)
        planned = plan(data, files, lambda one: one["principal"] in merged and batch.takes(one), settings.mapped)
        for role in planned.roles:
            if role.files:  # the code says again what it said before the merge
                proposed, word = merged[role.arn]
                memory.note_reverted(role.arn, proposed, data["window"]["to"])
                held[role.arn] = f"merged with {word.url} and taken back since, and the evidence is the same"
    return held


def _publish(
    place: _Place,
    target: str,
    proposed: Proposed,
    known: PullRequest | None,
    settings: Settings,
    data: Mapping[str, Any],
    memory: Memory,
) -> Proposed:
    """Push a branch, and open or update its one request."""
    remote, forge = place.remote, place.forge
    assert remote is not None
    assert forge is not None
    if not proposed.has_changes:
        stale = [f"{known.url} proposes what the code says already: close it"] if known else []
        return replace(proposed, notes=stale, request=known)
    repository, name = place.repository, proposed.branch
    old = repository.remote_branch(remote.url, name, place.access)
    if old is not None:
        branch.require_own(repository, name, proposed.base, old)
    if old != proposed.tip:
        repository.push(remote.url, name, proposed.tip, old, place.access)
    title = proposed.batch.title(len(proposed.changed), data["window"]["to"])
    draft = proposed.batch.sort == "unsafe"
    wanted = Wanted(name, target, title, proposed.text, draft, settings.labels)
    request = forge.update(known, wanted) if known else forge.create(wanted)
    notes = [f"{'updated' if known else 'opened'} {request.url}"]
    if known is not None and old == proposed.tip and request == known:
        notes = [f"{request.url} is up to date"]
    if settings.reviewers and known is None:
        files = branch.texts(repository, proposed.base)
        owners = codeowners.owners(files, forge.kind, proposed.paths)
        notes += [f"not asked to review: {reason}" for reason in forge.ask(request, owners)]
    notes += forge.notes
    roles = {role.arn: role.recommendations for role in proposed.changed}
    memory.remember(forge.kind, remote.project, request, data["window"]["to"], roles)
    status = proposed.status if old is None else "unchanged" if old == proposed.tip else "updated"
    return replace(proposed, request=request, notes=notes, status=status)


@contextmanager
def _open(
    repo: str,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    dry_run: bool,
    pause: Callable[[float], None],
) -> Iterator[_Place]:
    """Open the repository, a clone of it where an address is told, and find its forge."""
    token = token_of(environment)
    if not is_url(repo):
        with Repository(Path(repo), scratch=dry_run) as repository:
            remote = _remote(repository, settings)
            connected = None if dry_run else _connect(remote, settings, environment, token, pause)
            yield _Place(repository, remote, *(connected or (None, {})))
        return
    remote = parse(repo)
    connected = _connect(remote, settings, environment, token, pause)
    if connected is None and not dry_run:
        raise UsageError(f"{TOKEN} is not set", where=visible(remote.url), hint="a repository elsewhere needs a token")
    forge, access = connected or (None, {})
    with tempfile.TemporaryDirectory(prefix="trailfit-") as folder:
        clone(remote.url, Path(folder) / "clone", access, remote.url)
        with Repository(Path(folder) / "clone", shown=remote.url) as repository:
            yield _Place(repository, remote, None if dry_run else forge, access)


def _remote(repository: Repository, settings: Settings) -> Remote | None:
    """Return where a clone is pushed to; None where that is no forge (git has helpers for other addresses)."""
    url = repository.remote()
    if url is None or ("::" in url and settings.forge is None):
        return None
    return parse(url)


def _connect(
    remote: Remote | None,
    settings: Settings,
    environment: Mapping[str, str],
    token: str | None,
    pause: Callable[[float], None],
) -> tuple[Forge, Mapping[str, str]] | None:
    """Return the forge and git's access to it; None where nobody asks for one."""
    if remote is None:
        if settings.forge:
            raise UsageError("the repository has no remote to push to", hint="git remote add origin …")
        return None
    told = environment.get(URL) or None
    kind = settings.forge or remote.kind() or (parse(told).kind() if told else None)
    if token is None:
        if settings.forge:
            raise UsageError(f"{TOKEN} is not set", hint="give a token that may push and open pull requests")
        return None
    if kind is None:
        if remote.host is None and told is None:
            return None
        raise UsageError(
            f"which forge {visible(remote.url)} is on cannot be told", hint="give --forge github or --forge gitlab"
        )
    module = github if kind == "github" else gitlab
    apis = [Api(base, module.headers(token), pause=pause) for base in bases(remote, kind, told)]
    forge: Forge = github.GitHub(apis, remote.project) if kind == "github" else gitlab.GitLab(apis, remote.project)
    return forge, git_access(remote, kind, token, apis[0].base)


def summary(done: Sequence[Proposed]) -> str:
    """Sum all branches up for a terminal."""
    return "\n".join(one.summary() for one in done)
