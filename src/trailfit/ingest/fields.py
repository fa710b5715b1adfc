"""Fields of a record as every decoder reads them: the account it belongs to, who called, when."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from trailfit.cloudtrail.envelope import mend
from trailfit.cloudtrail.record import UserIdentity, parse_record
from trailfit.lake import UNKNOWN_ACCOUNT

_EPOCH = datetime(1970, 1, 1)
_identity = msgspec.json.Decoder(UserIdentity | None).decode


def known_account(account: str) -> str:
    """Give the account an event belongs to; ``unknown`` where it names none that is one."""
    return account if account.isascii() and account.isalnum() else UNKNOWN_ACCOUNT


def parse_identity(raw: bytes) -> UserIdentity | None:
    """Read a userIdentity as `parse_record` would: typed, or field by field where a type is wrong."""
    if not raw:
        return None
    try:
        found: UserIdentity | None = _identity(raw)
        return found
    except (ValueError, RecursionError):
        return parse_record(b'{"eventName":"-","eventSource":"-","userIdentity":%b}' % bytes(mend(raw))).userIdentity


def read_time(text: str) -> tuple[int, date] | None:
    """Read an eventTime: microseconds since 1970 and the day, both in UTC; None where it is no time.

    CloudTrail writes ``2026-10-31T08:00:00Z``; other tools write offsets, fractions, or seconds since 1970.
    """
    try:
        if text.isdigit() and len(text) in (10, 13):
            found = datetime.fromtimestamp(int(text) / (1 if len(text) == 10 else 1000), UTC)
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    plain = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    return int((plain - _EPOCH).total_seconds()) * 1_000_000, plain.date()
