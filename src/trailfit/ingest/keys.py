"""What the key of a log object says: account, region, day, and whether it is a log at all.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
(``PREFIX/AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_….json.gz``).
The day is that of delivery: an object may hold events of earlier days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_PATH = re.compile(
    r"(?:^|/)(?P<account>\d{12})/(?P<kind>CloudTrail(?:-[A-Za-z]+)?)/(?P<region>[a-z0-9-]+)/"
    r"(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)/[^/]+\Z"
)
_NAME = re.compile(
    r"(?:^|/)(?P<account>\d{12})_(?P<kind>CloudTrail(?:-[A-Za-z]+)?)_(?P<region>[a-z]{2}-[a-z0-9-]+?-\d)_"
    r"(?:[^/]*_)?(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)T\d{4,6}Z[^/]*\Z"
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a key says. `kind` is ``CloudTrail``, ``CloudTrail-Digest``, ``CloudTrail-Insight`` or a newer one."""

    account: str | None = None
    region: str | None = None
    day: date | None = None
    kind: str = "CloudTrail"


_NOTHING = Key()


def describe(key: str) -> Key:
    """Read a key; every part is None where the key is not of CloudTrail's form."""
    found = _PATH.search(key) or _NAME.search(key)
    if found is None:
        return _NOTHING
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return _NOTHING
    return Key(found["account"], found["region"], day, found["kind"])
