"""Small CloudTrail trails for the tests: records that say what the test is about, in objects of CloudTrail's layout."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "111122223333"
OTHER = "012345678901"


def event_id(name: str) -> str:
    """Make an event ID of a name: the same name, the same ID."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def record(name: str, time: str = "2026-10-31T12:00:00Z", *, account: str = ACCOUNT, **fields: Any) -> dict[str, Any]:
    """Make one record: `name` gives it its event ID; `fields` replace or add top-level fields."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:job",
            "arn": f"arn:aws:sts::{account}:assumed-role/app/job",
            "accountId": account,
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/svc/app"}},
        },
        "eventTime": time,
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": "PutItem",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "10.0.0.1",
        "userAgent": "aws-sdk",
        "requestParameters": {"tableName": "orders"},
        "responseElements": None,
        "requestID": "r-1",
        "eventID": event_id(name),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": account,
        "eventCategory": "Data",
        **fields,
    }


def compact(*records: dict[str, Any]) -> bytes:
    """Write records as CloudTrail does: one line, no spaces."""
    return json.dumps({"Records": list(records)}, separators=(",", ":")).encode()


def put(
    folder: Path,
    records: list[dict[str, Any]],
    *,
    delivered: str = "2026-10-31T12:05",
    account: str = ACCOUNT,
    region: str = "eu-west-1",
    organization: str | None = None,
    tag: str = "a",
) -> Path:
    """Write one log object under `folder` in CloudTrail's layout; its time of change is fixed."""
    at = datetime.fromisoformat(delivered)
    owner = f"{organization}/{account}" if organization else account
    path = (
        folder
        / f"AWSLogs/{owner}/CloudTrail/{region}/{at:%Y/%m/%d}/{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{tag}.json.gz"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(compact(*records), mtime=0))
    os.utime(path, (1_790_000_000, 1_790_000_000))
    return path


def several_days(
    folder: Path, *, days: int = 4, accounts: tuple[str, ...] = (ACCOUNT, OTHER), per_object: int = 40
) -> int:
    """Write a few objects an account and day, each with some events of the day before; return the number of events."""
    total = 0
    for account in accounts:
        for day in range(days):
            for part in range(3):
                delivered = datetime(2026, 10, 28) + timedelta(days=day, minutes=2 + part * 400)
                records = []
                for number in range(per_object):
                    time = delivered - timedelta(seconds=7 * number + 1)
                    name = f"{account}-{day}-{part}-{number}"
                    table = {"tableName": f"table-{number % 5}", "key": name}
                    records.append(record(name, f"{time:%Y-%m-%dT%H:%M:%SZ}", account=account, requestParameters=table))
                total += len(records)
                put(folder, records, delivered=f"{delivered:%Y-%m-%dT%H:%M}", account=account, tag=f"t{part}")
    return total


def tree(root: Path) -> dict[str, bytes]:
    """Read every file of a lake, by path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
