"""Scalar values as AWS prints them: times, documents, ARNs; and placebo's recordings of them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from trailfit.errors import PolicyError
from trailfit.model import Unassessed
from trailfit.policy.document import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


def moment(value: object) -> datetime | None:
    """Read a time in any form that the AWS CLI, boto3 or placebo write, as naive UTC; None if it is none.

    The credential report's ``N/A``, ``no_information`` and ``not_supported`` are no times
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html).

    >>> moment("2019-12-18 19:10:08+02:00"), moment("N/A"), moment(0)
    (datetime.datetime(2019, 12, 18, 17, 10, 8), None, datetime.datetime(1970, 1, 1, 0, 0))
    """
    if isinstance(value, dict):
        parts = [value.get(name) for name in ("year", "month", "day", "hour", "minute", "second", "microsecond")]
        if not all(isinstance(part, int) for part in parts):
            return None
        return datetime(*parts)  # type: ignore[arg-type]  # placebo drops the zone: botocore's is always UTC
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def document(value: object, where: str, unassessed: list[Unassessed]) -> Document | None:
    """Parse a policy document: an object, JSON text, or JSON text URL-encoded as IAM's API returns it.

    What is no policy document becomes None and a line in `unassessed`: nothing may be proposed from it.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyVersion.html
    """
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip()[:1] == "%":
        value = unquote(value)
    try:
        return _parsed(value if isinstance(value, str) else json.dumps(value))
    except PolicyError as problem:
        unassessed.append(Unassessed(where, f"its policy document cannot be read: {problem.message}"))
        return None


@lru_cache(maxsize=4096)
def _parsed(written: str) -> Document:
    """Parse each distinct text once: thousands of roles share a few trust policies."""
    return Document.parse(written)


def account_of(arn: object) -> str | None:
    """Return the account ID in an ARN, None if there is none (``aws`` owns the AWS-managed policies).

    >>> account_of("arn:aws:iam::012345678901:role/x"), account_of("arn:aws:iam::aws:policy/x")
    ('012345678901', None)
    """
    parts = arn.split(":", 5) if isinstance(arn, str) else []
    return parts[4] if len(parts) == 6 and ACCOUNT.fullmatch(parts[4]) else None


def region_of(arn: object) -> str | None:
    """Return the region in an ARN, None if there is none."""
    parts = arn.split(":", 5) if isinstance(arn, str) else []
    return parts[3] if len(parts) == 6 and REGION.fullmatch(parts[3]) else None


def text(obj: Mapping[str, Any], name: str) -> str | None:
    """Return the member `name` if it is text that says something."""
    value = obj.get(name)
    return value if isinstance(value, str) and value else None


def strings(value: object) -> list[str]:
    """Return the texts of a JSON list; anything else holds none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; anything else holds none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
