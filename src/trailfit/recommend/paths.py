"""Where a principal's policy documents lie in a run's folder."""

from __future__ import annotations

import re


def policy_path(principal: str, policy: str) -> str:
    """Give ``<account>/<kind>/<name>/<policy>.json``; every part is safe, for names come from elsewhere.

    >>> policy_path("arn:aws:iam::111122223333:role/app/orders-fn", "../x")
    '111122223333/role/orders-fn/_._x.json'
    """
    account, resource = principal.split(":", 5)[4:6]
    kind, _, path = resource.partition("/")
    return "/".join(_safe(part) for part in (account, kind, path.rpartition("/")[2], policy)) + ".json"


def _safe(part: str) -> str:
    """Make one part of a path safe: no separator, no dot first, never empty."""
    cleaned = re.sub(r"[^A-Za-z0-9+=,.@_-]", "_", part)[:128]
    return re.sub(r"\A\.", "_", cleaned) or "_"
