"""1,000 roles, 200 users, 300 policies in 3 accounts: complete through a throttle storm, each request counted."""

import pytest

from tests.inventory.fake_aws import FakeAWS, Refuse
from tests.inventory.fake_organisation import MANAGEMENT, Organisation
from trailfit.inventory import from_aws
from trailfit.inventory.settings import Settings
from trailfit.inventory.summary import counts

ACCOUNTS = (MANAGEMENT, "100000000002", "100000000003")
SETTINGS = Settings(role_name="audit", accounts=("org",), regions=("eu-west-1",), attempts=3)


def large():
    return Organisation(ACCOUNTS, roles=334, users=67, policies=100)


@pytest.mark.slow
def test_a_large_organisation_is_complete_after_a_throttle_storm(monkeypatch, session, tmp_path, no_backoff):
    storm = {"sent": 0, "refused": 0, "over": False}

    def throttle(account, operation):
        storm["sent"] += 1
        if storm["sent"] > 2500 and not storm["over"]:
            storm["refused"] += 1
            code = "Throttling"
            raise Refuse(code, "slow down")

    sent = []
    for run in range(2):
        with FakeAWS(large(), before=throttle) as fake:
            monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
            taken = from_aws.take(session(), SETTINGS, tmp_path / "work", lambda text: None)
        assert fake.seen.total() == taken.sent.total()
        assert taken.unfinished == (run == 0)
        sent.append(taken.sent.total())
        storm["over"] = True

    found = counts(taken.snapshot)
    assert (found["accounts"], found["roles"], found["users"], found["managed policies"]) == (3, 1002, 201, 300)
    assert (found["access keys"], found["functions"]) == (201, 102)
    assert all(principal.last_accessed for principal in taken.snapshot.principals)
    assert taken.snapshot.unassessed == ()
    # without a storm it takes 5,474 requests (tests/bench/inventory.py); little is asked twice
    assert sum(sent) - storm["refused"] < 5_474 + 300
    # and a storm is not fed: a step that is refused again and again is left for the next run
    assert storm["refused"] < 2_500
