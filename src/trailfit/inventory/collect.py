"""Collect what AWS answers: every account, region and step, into a folder that `from_files` reads.

The folder is the run's whole state: what is in it is not asked again, and memory holds a page at a time.
Everything sent is a read (`trailfit.inventory.permissions` lists it).
"""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import EndpointConnectionError

from trailfit.errors import SourceError
from trailfit.inventory.calls import Call, calls
from trailfit.inventory.journal import Journal, key_of
from trailfit.inventory.paths import search
from trailfit.inventory.requests import PROBLEMS, Refused, pages, refusal
from trailfit.inventory.sessions import client
from trailfit.inventory.settings import ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import boto3

    from trailfit.inventory.sessions import Caller

GLOBAL = "global"
#: AWS forgets a last accessed job after 24 hours, and a snapshot is of one time.
STALE = timedelta(hours=24)
#: So many refusals in a row that a later run may be spared end a step (each was tried, with backoff, many times).
STORM = 40


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step runs: its journal, and the client to ask."""

    region: str
    journal: Journal
    client: Any
    known_region: bool


class Collection:
    """One run's answers below `folder`. `progress` is told what is being asked, often."""

    def __init__(self, folder: Path, caller: Caller, progress: Callable[[str], None]) -> None:
        self.folder = folder
        self.caller = caller
        self.settings = caller.settings
        self._progress = progress

    def run(self) -> None:
        """Collect everything that the settings name. Raises `SourceError` where it cannot go on."""
        with ThreadPoolExecutor(self.settings.workers) as pool:
            self._note_time()
            own = self.caller.account
            self._steps(pool, "organization", self.caller.session, own, [GLOBAL])
            regions = self.settings.regions or self.caller.session.get_available_regions(
                "sso-admin", self.caller.partition
            )
            self._steps(pool, "identity_center", self.caller.session, own, regions)
            accounts = self._accounts()
            if not self.settings.role_name and set(accounts) != {own}:
                message = f"{len(accounts)} accounts are to be read, and {own} is the caller's own"
                raise SourceError(message, hint="name the role to assume in the others with --role-name")
            for account in accounts:
                session = self._session(account)
                if session is not None:
                    self._steps(pool, "account", session, account, [GLOBAL])
                    self._steps(pool, "region", session, account, self._regions(account))

    def unfinished(self) -> bool:
        """Tell whether a later run with the same folder could add to what is there."""
        return not all(Journal(path, "", None).whole() for path in sorted(self.folder.rglob("*.jsonl")))

    def _note_time(self) -> None:
        """Write down when the run began; an earlier run's answers are of no use after `STALE`."""
        journal = self._journal("taken", self.caller.account, GLOBAL)
        now = datetime.now(UTC).replace(microsecond=0)
        for line in journal.lines():
            if "data" in line and now - datetime.fromisoformat(line["data"]["taken"]) > STALE:
                shutil.rmtree(self.folder)
                break
        if not journal.whole():
            journal.open()
            journal.write(kind="taken", key="taken", last=True, params={}, data={"taken": now})
            journal.close(whole=True)

    def _accounts(self) -> tuple[str, ...]:
        named = self.settings.accounts
        if ORGANIZATION not in named:
            return named or (self.caller.account,)
        journal = self._journal("org_accounts", self.caller.account, GLOBAL)
        found = {
            account["Id"]
            for line in journal.lines()
            for account in (line.get("data") or {}).get("Accounts", ())
            if account.get("Status") == "ACTIVE"
        }
        if not found:
            error: dict[str, Any] = next((line["error"] for line in journal.lines() if line.get("error")), {})
            message = f"the organization's accounts cannot be listed: {error.get('code')}: {error.get('message')}"
            hint = "ask in the management account, or name --accounts"
            raise SourceError(message, where="organizations:ListAccounts", hint=hint)
        return tuple(sorted(found | (set(named) - {ORGANIZATION})))

    def _session(self, account: str) -> boto3.Session | None:
        """Return the session for an account; what forbids it is written down, and the run goes on."""
        journal = self._journal("assume", account, GLOBAL)
        try:
            session = self.caller.in_account(account)
        except PROBLEMS as problem:
            refused = refusal(problem)
            journal.open()
            journal.write(
                kind="error", key="assume", last=True, params={},
                error=_error(refused, "sts", "sts:AssumeRole", "session", self.caller.role_arn(account)),
            )  # fmt: skip
            journal.close(whole=True)
            return None
        journal.path.unlink(missing_ok=True)
        return session

    def _regions(self, account: str) -> list[str]:
        if self.settings.regions:
            return list(self.settings.regions)
        found = {
            region["RegionName"]
            for line in self._journal("regions", account, GLOBAL).lines()
            for region in (line.get("data") or {}).get("Regions", ())
        }
        return sorted(found)

    def _steps(
        self, pool: ThreadPoolExecutor, scope: str, session: boto3.Session, account: str, regions: Iterable[str]
    ) -> None:
        regions = list(regions)
        reopened: dict[str, list[Journal]] = {}
        clients: dict[str, Any] = {}
        service = ""
        for call in calls():
            if call.scope != scope or (call.step == "regions" and self.settings.regions):
                continue
            journals = [self._journal(call.step, account, region) for region in regions]
            # what an earlier step learns anew gives this one items that it has not asked for
            again = {journal.path for step in call.after for journal in reopened.get(step, ())}
            open_ = [
                journal
                for journal in journals
                if not journal.whole() or any(journal.path.with_name(f"{step}.jsonl") in again for step in call.after)
            ]
            if not open_:
                continue
            reopened[call.step] = open_
            known = set(session.get_available_regions(call.service, self.caller.partition))
            for journal in open_:
                journal.open()
            if call.service != service:  # the clients of one service at a time: each holds some megabytes
                service, clients = call.service, {}
            places = []
            for journal in open_:
                region = journal.region or self.caller.region
                if region not in clients:
                    clients[region] = client(session, service, region, self.settings)
                places.append(_Place(region, journal, clients[region], region in known))
            whole = False
            try:
                whole = self._step(pool, call, account, places)
            finally:
                for journal in open_:
                    journal.close(whole=whole)

    def _step(self, pool: ThreadPoolExecutor, call: Call, account: str, places: list[_Place]) -> bool:
        """Ask for every item of a step, some at once; never more waiting than twice the workers.

        False: given up, since AWS throttled or failed so many in a row that the rest would only add to a storm.
        """
        storm = 0
        more: deque[tuple[_Place, Any, Mapping[str, Any]]] = deque()
        items = (
            (place, item, of)
            for place in places
            for item, of in self._items(call, account, place.journal.region or GLOBAL)
        )
        pending: set[Future[_Said]] = set()
        origin: dict[Future[_Said], _Place] = {}
        try:
            while True:
                while len(pending) < 2 * self.settings.workers and storm < STORM:
                    task = more.popleft() if more else next(items, None)
                    if task is None:
                        break
                    place, item, of = task
                    request = call.request(item, of)
                    if not place.journal.has(key_of(request)):
                        future = pool.submit(_ask, call, place, request, item, of)
                        pending.add(future)
                        origin[future] = place
                if not pending:
                    return storm < STORM
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                self._progress(
                    f"{account} {call.service} {call.operation}: {self.caller.sent.total():,} requests so far"
                )
                for future in done:
                    place = origin.pop(future)
                    said = future.result()
                    more.extend((place, item, {}) for item in said.found)
                    storm = storm + 1 if said.again else 0
        finally:
            for future in pending:
                future.cancel()
            wait(pending)

    def _items(self, call: Call, account: str, region: str) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """Yield a step's items, each with the request that gave it; a step after none has one item."""
        if not call.after:
            yield None, {}
        for step in call.after:
            for line in self._journal(step, account, region).lines():
                for item in call.items(line.get("data") or {}, region):
                    yield item, line["params"]
        if call.recurse:  # what a resumed run already has may lead on
            for line in self._journal(call.step, account, region).lines():
                for item in search(call.recurse, line.get("data") or {}) or ():
                    yield item, {}

    def _journal(self, step: str, account: str, region: str) -> Journal:
        path = self.folder / account / region / f"{step}.jsonl"
        return Journal(path, account, None if region == GLOBAL else region)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one request led to: further items, or a refusal that a later run may be spared."""

    found: list[Any]
    again: bool = False


def _ask(call: Call, place: _Place, request: dict[str, Any], item: object, of: Mapping[str, Any]) -> _Said:
    """Write the answer to one request into the journal; return what it leads to."""
    known = {**of, **request, **({"item": item} if isinstance(item, dict) else {})}
    line = {"kind": call.kind or "step", "operation": call.operation, "key": key_of(request), "params": known}
    found: list[Any] = []
    try:
        for page in pages(place.client, call, request):
            place.journal.write(**line, data=page)
            found += search(call.recurse, page) or [] if call.recurse else []
    except PROBLEMS as problem:
        if not isinstance(problem, EndpointConnectionError) or place.known_region:
            return _Said(found, _refused(call, place, line, refusal(problem), request))
        # the service does not exist there
    place.journal.write(**line | {"kind": "step"}, last=True)
    return _Said(found)


def _refused(call: Call, place: _Place, line: dict[str, Any], refused: Refused, request: Mapping[str, Any]) -> bool:
    """Write a refusal into the journal; tell whether a later run may be spared it."""
    if refused.code in call.none.split():
        place.journal.write(**line | {"kind": "none"}, last=True)
        return False
    item = next((value for value in request.values() if isinstance(value, str)), "")
    error = _error(refused, call.service, call.permission, call.kind, item)
    place.journal.write(**line, last=True, error=error)
    return refused.again


def _error(refused: Refused, service: str, permission: str, kind: str, item: str) -> dict[str, Any]:
    return {
        "code": refused.code,
        "message": refused.message,
        "again": refused.again,
        "service": service,
        "permission": permission,
        "kind": kind,
        "item": item,
    }
