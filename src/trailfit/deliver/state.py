"""What is remembered between months, in the lake: each run in short, and what became of each proposal.

::

    LAKE/state/runs/2026-10-31.json        counts of each role and user, the findings' IDs: for the trend
    LAKE/state/pull-requests.json          every request that trailfit opened, what it proposed, what became of it

No clock is read: a run is known by the last day of its window, and when a request was merged the forge says.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from trailfit.deliver.trend import Run
from trailfit.deliver.view import run_of
from trailfit.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.deliver.forge.request import Forge, PullRequest
    from trailfit.lake import Lake

_Kind = TypeVar("_Kind")
FORMAT = 1
REQUESTS = "state/pull-requests.json"
RUNS = "state/runs"
#: Requests that are asked after again; older ones are what they are.
_ASKED = 50


class Proposal(msgspec.Struct, frozen=True):
    """What was proposed for one role or user, and the digest of it that stays the same while the evidence does."""

    principal: str
    digest: str
    before: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]


class Request(msgspec.Struct, frozen=True):
    """One pull request: `run` is the last day of the window that it was made or renewed for.

    `state` is the forge's: `closed` is rejected. `reverted` are the roles whose change was merged and taken back
    later, with the last day of the run that saw it.
    """

    forge: str
    project: str
    number: int
    url: str
    branch: str
    run: str
    state: Literal["open", "merged", "closed"]
    merged: str | None
    proposals: tuple[Proposal, ...]
    reverted: dict[str, str] = {}

    @property
    def key(self) -> tuple[str, str, int]:
        """Tell it from all others."""
        return self.forge, self.project, self.number


class _File(msgspec.Struct, frozen=True):
    format: int
    requests: tuple[Request, ...]


class Memory:
    """What became of the proposals of all months."""

    def __init__(self, requests: Iterable[Request] = ()) -> None:
        self.requests = {one.key: one for one in requests}

    @classmethod
    def load(cls, lake: Lake) -> Memory:
        """Read it from the lake; raises `LakeError` where the file is damaged."""
        data = lake.storage.read(REQUESTS)
        if data is None:
            return cls()
        try:
            file = _read(data, _File)
        except ValueError as problem:
            hint = "delete it: then what was rejected may be proposed once more"
            raise LakeError(f"damaged: {problem}", where=f"{lake.root}/{REQUESTS}", hint=hint) from problem
        if file.format != FORMAT:
            hint = f"this trailfit reads format {FORMAT}"
            raise LakeError(f"the format is {file.format}", where=f"{lake.root}/{REQUESTS}", hint=hint)
        return cls(file.requests)

    def save(self, lake: Lake) -> None:
        """Write it to the lake; the same memory is the same bytes."""
        file = _File(FORMAT, tuple(self.requests[key] for key in sorted(self.requests)))
        text = _text(file)
        if text != lake.storage.read(REQUESTS):
            lake.storage.write(REQUESTS, text)

    def refresh(self, forge: Forge, project: str) -> None:
        """Ask the forge what became of the requests that were not merged yet."""
        own = [one for one in self.requests.values() if (one.forge, one.project) == (forge.kind, project)]
        pending = sorted((one for one in own if one.state != "merged"), key=lambda one: one.number)
        for one in pending[-_ASKED:]:
            now = forge.request(one.number)
            if now is None:
                self.requests[one.key] = msgspec.structs.replace(one, state="closed")
            else:
                self.requests[one.key] = msgspec.structs.replace(one, state=now.state, merged=_utc(now.merged))

    def remember(
        self, forge: str, project: str, request: PullRequest, run: str, roles: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        """Note what a request proposes now: the recommendations of each role (ARN) that it changes."""
        proposals = tuple(
            Proposal(
                arn,
                digest(recommendations),
                tuple(policy for one in recommendations for policy in one["before"]),
                tuple(policy for one in recommendations for policy in one["after"]),
            )
            for arn, recommendations in sorted(roles.items())
        )
        known = (request.number, request.url, request.branch, run, request.state, _utc(request.merged))
        made = Request(forge, project, *known, proposals)
        self.requests[made.key] = made

    def note_reverted(self, arn: str, proposed: str, run: str) -> None:
        """Note that a merged change of a role was taken back, seen by the run that ends on `run`."""
        for one in self.requests.values():
            if one.state == "merged" and arn not in one.reverted and (arn, proposed) in _keys(one):
                self.requests[one.key] = msgspec.structs.replace(one, reverted={**one.reverted, arn: run})

    def last_word(self, arn: str, proposed: str) -> Request | None:
        """Return the newest request that proposed the same for a role; None where none did."""
        found = [one for one in self.requests.values() if (arn, proposed) in _keys(one)]
        return max(found, key=lambda one: (one.run, one.number), default=None)

    def merged(self) -> dict[str, list[tuple[datetime, Proposal]]]:
        """Return the changes that were merged, by role (ARN), with the time of each, the oldest first."""
        found: dict[str, list[tuple[datetime, Proposal]]] = {}
        for one in self.requests.values():
            if one.state == "merged" and one.merged is not None:
                when = datetime.fromisoformat(one.merged).replace(tzinfo=None)
                for proposal in one.proposals:
                    found.setdefault(proposal.principal, []).append((when, proposal))
        return {arn: sorted(rows, key=lambda row: (row[0], row[1].digest)) for arn, rows in sorted(found.items())}


def _keys(request: Request) -> set[tuple[str, str]]:
    return {(proposal.principal, proposal.digest) for proposal in request.proposals}


def digest(recommendations: Iterable[Mapping[str, Any]]) -> str:
    """Return the same text for the same proposal: what goes and what comes, however often it was used since."""
    told = sorted(
        json.dumps([one["action"], one["before"], one["after"]], sort_keys=True, ensure_ascii=True)
        for one in recommendations
    )
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def _utc(text: str | None) -> str | None:
    """Return a forge's time in UTC: GitLab tells it with an offset."""
    if text is None:
        return None
    when = datetime.fromisoformat(text)
    return (when.astimezone(UTC) if when.tzinfo else when).strftime("%Y-%m-%dT%H:%M:%SZ")


def remember_run(lake: Lake, data: Mapping[str, Any]) -> None:
    """Note a run in short."""
    text = _text(run_of(data))
    path = f"{RUNS}/{data['window']['to']}.json"
    if text != lake.storage.read(path):
        lake.storage.write(path, text)


def history(lake: Lake, before: str, most: int = 12) -> list[Run]:
    """Return the last `most` runs whose window ended before the day `before` (ISO), the oldest first.

    Raises `LakeError` where one is damaged.
    """
    paths = sorted(path for path, _ in lake.storage.walk(RUNS) if path.endswith(".json"))
    chosen = [path for path in paths if path.rsplit("/", 1)[-1].removesuffix(".json") < before][-most:]
    found = []
    for path in chosen:
        try:
            found.append(_read(lake.storage.read(path) or b"", Run))
        except ValueError as problem:
            hint = "delete it: it holds one point of the trend"
            raise LakeError(f"damaged: {problem}", where=f"{lake.root}/{path}", hint=hint) from problem
    return found


def _text(value: Any) -> bytes:
    """Return JSON in plain ASCII, keys sorted: what a log holds, half a character too, is read back as it was."""
    return json.dumps(msgspec.to_builtins(value), indent=1, sort_keys=True, ensure_ascii=True).encode()


def _read(data: bytes, kind: type[_Kind]) -> _Kind:
    """Read such JSON; raises ValueError where it is damaged."""
    return msgspec.convert(json.loads(data), kind)
