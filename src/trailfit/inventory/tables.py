"""A snapshot as flat tables: the rows of the lake's views `principals`, `policies`, `credentials`, `functions`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailfit.model import AttachedPolicy, Snapshot
    from trailfit.policy.document import Document
    from trailfit.views import Table

_Row = tuple[Any, ...]


def tables(snapshot: Snapshot) -> dict[Table, list[_Row]]:
    """Give the rows of each table, sorted by principal, in the order of `views.COLUMNS`.

    A boundary is a policy of kind ``boundary``. Policies that nobody holds have no principal.
    """
    return {
        "principals": sorted(_principals(snapshot)),
        "policies": sorted(
            _policies(snapshot), key=lambda row: tuple("" if cell is None else str(cell) for cell in row)
        ),
        "credentials": sorted(_credentials(snapshot), key=lambda row: (row[0], row[2], row[3] or "")),
        "functions": sorted(
            (each.arn, each.account, each.region, each.kind, each.name, each.role, list(each.triggers))
            for each in snapshot.functions
        ),
    }


def _principals(snapshot: Snapshot) -> Iterator[_Row]:
    for each in snapshot.principals:
        boundary = each.boundary and (each.boundary.arn or each.boundary.name)
        yield (
            each.arn, each.account, each.kind, each.name, each.path, each.created, each.last_used, each.last_used_known,
            boundary, _text(each.trust), list(each.groups), _json(each.tags), list(each.instance_profiles),
        )  # fmt: skip


def _policies(snapshot: Snapshot) -> Iterator[_Row]:
    for each in snapshot.principals:
        for policy in each.policies:
            yield _policy(each.arn, each.account, policy.kind, policy)
        if each.boundary:
            yield _policy(each.arn, each.account, "boundary", each.boundary)
    for policy in snapshot.unattached:
        yield _policy(None, policy.arn.split(":")[4] if policy.arn else None, policy.kind, policy)


def _policy(principal: str | None, account: str | None, kind: str, policy: AttachedPolicy) -> _Row:
    document = _text(policy.document)
    return principal, account, kind, policy.name, policy.arn, policy.group, document, policy.created, policy.updated


def _credentials(snapshot: Snapshot) -> Iterator[_Row]:
    for each in (*snapshot.root, *(one for principal in snapshot.principals for one in principal.credentials)):
        yield (
            each.user, each.user.split(":")[4], each.kind, each.id, each.active, each.created, each.last_used,
            each.last_used_service, each.last_used_region, each.mfa,
        )  # fmt: skip


def _text(document: Document | None) -> str | None:
    return None if document is None else _json(document.raw)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
