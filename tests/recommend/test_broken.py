from datetime import datetime

from trailfit.model import Denied
from trailfit.recommend.broken import findings

ROLE = "arn:aws:iam::111122223333:role/reader"
WHEN = datetime(2026, 10, 20, 8)


def test_denied_after_change_is_one_finding_a_resource_and_the_same_next_month():
    rows = [Denied(ROLE, action, "arn:aws:s3:::b/k", 2, WHEN, None) for action in ("s3:PutObject", "s3:DeleteObject")]
    [found] = findings(rows, datetime(2026, 10, 15))
    [again] = findings(rows[:1], datetime(2026, 10, 15))

    assert (found.kind, found.severity, found.resource) == ("DeniedAfterChange", "high", "arn:aws:s3:::b/k")
    assert found.evidence == {
        "actions": ["s3:DeleteObject", "s3:PutObject"], "calls": 4, "last": "2026-10-20", "merged": "2026-10-15",
    }  # fmt: skip
    assert found.id == again.id
