"""Service last accessed data: one report for one principal.

The report itself does not name its principal. It is told from, in order: the ARN of the request or at the
top of the file, the ARN that all its entities share, the file's name (the principal's name, or its ARN with
other signs for ``:`` and ``/``).
Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, Any

from trailfit.inventory.values import account_of, moment, objects, text
from trailfit.model import LastAccessed, Unassessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailfit.inventory.pieces import Piece


class LastAccessedReports:
    """Reports as they come, and, once the principals are known, the data of each."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._reports: list[tuple[str | None, str | None, str, str, tuple[LastAccessed, ...]]] = []
        self._open: dict[str, str] = {}
        self.accounts: set[str] = set()

    def add(self, piece: Piece) -> None:
        """Add a report, or the page of one."""
        data, where = piece.data, piece.where
        arn = text(piece.params, "Arn") or _shared_entity(data)
        account = account_of(arn) or piece.account
        if account:
            self.accounts.add(account)
        status = data.get("JobStatus")
        subject = arn or where
        if status != "COMPLETED":
            reason = f"{where}: the last accessed job is {status}"
            error = data.get("Error")
            self._open[subject] = f"{reason}: {error.get('Message')}" if isinstance(error, dict) else reason
            return
        if data.get("IsTruncated") and not piece.params.get("JobId"):
            self._unassessed.append(Unassessed(subject, f"{where}: the last page is missing (IsTruncated)"))
            return
        stem = str(piece.params.get("file") or where.rsplit("/", 1)[-1].rsplit(".", 1)[0])
        self._reports.append((arn, account, stem, where, tuple(_entries(data))))

    def of(self, principals: Iterable[str]) -> dict[str, tuple[LastAccessed, ...]]:
        """Return the data by principal ARN; what fits no principal, or several, is `Unassessed`."""
        known = sorted(principals)
        names: dict[str, set[str]] = {}
        for arn in known:
            for name in _names(arn):
                names.setdefault(name, set()).add(arn)
        found: dict[str, list[LastAccessed]] = {}
        for named, account, stem, where, entries in self._reports:
            whose = named
            if whose is None:
                fits = {one for one in names.get(_plain(stem), ()) if account in {None, account_of(one)}}
                if len(fits) != 1:
                    what = "several principals" if fits else "no principal"
                    self._unassessed.append(
                        Unassessed(where, f"its name fits {what} of the snapshot: whose data it is cannot be told")
                    )
                    continue
                whose = next(iter(fits))
            found.setdefault(whose, []).extend(entries)
        for subject, reason in sorted(self._open.items()):
            if subject not in found:
                self._unassessed.append(Unassessed(subject, reason))
        return {arn: tuple(sorted(set(entries), key=_order)) for arn, entries in sorted(found.items())}


def _entries(data: Mapping[str, Any]) -> Iterable[LastAccessed]:
    for service in objects(data.get("ServicesLastAccessed")):
        prefix = intern(text(service, "ServiceNamespace") or "")  # every principal's report names the same services
        if not prefix:
            continue
        if _is_told(service, "LastAuthenticated"):
            yield LastAccessed(prefix, None, moment(service.get("LastAuthenticated")))
        for action in objects(service.get("TrackedActionsLastAccessed")):
            name = text(action, "ActionName")
            if name and _is_told(action, "LastAccessedTime"):
                yield LastAccessed(prefix, intern(f"{prefix}:{name}"), moment(action.get("LastAccessedTime")))


def _is_told(entry: Mapping[str, Any], name: str) -> bool:
    """Tell whether a time is there or absent ("never"); one that cannot be read is neither."""
    return name not in entry or moment(entry[name]) is not None


def _order(entry: LastAccessed) -> tuple[str, str, str]:
    return (entry.service, entry.action or "", str(entry.last))


def _shared_entity(data: Mapping[str, Any]) -> str | None:
    """Return the role or user that every entry names; reports on policies or groups name several."""
    services = objects(data.get("ServicesLastAccessed"))
    entities = {text(service, "LastAuthenticatedEntity") for service in services} - {None}
    entity = entities.pop() if len(entities) == 1 else None
    return entity if account_of(entity) else None


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9+=,.@]+", "-", name).strip("-")


def _names(arn: str) -> set[str]:
    """Return what a file about a principal may be called: its name, kind and name, path and name, or ARN."""
    resource = arn.split(":", 5)[-1]
    kind, _, rest = resource.partition("/")
    name = rest.rsplit("/", 1)[-1]
    spoken = {name, rest, resource, f"{kind}/{name}", arn, f"last-accessed/{name}", f"last-accessed/{kind}/{name}"}
    return {_plain(one) for one in spoken}
