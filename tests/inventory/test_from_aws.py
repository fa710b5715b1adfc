"""A snapshot from AWS: complete, whatever was cut into pages, throttled, refused or stopped on the way."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.inventory.fake_aws import FakeAWS, Refuse
from tests.inventory.fake_organisation import MANAGEMENT, START, Organisation
from trailfit.errors import SourceError
from trailfit.inventory import from_aws
from trailfit.inventory.calls import calls
from trailfit.inventory.settings import Settings
from trailfit.inventory.summary import counts

OTHERS = ("100000000002", "100000000003")
ALL = (MANAGEMENT, *OTHERS)
#: One region, so that the tests are quick; the regions are found in a test of their own.
ONE = Settings(regions=("eu-west-1",), attempts=3)
EVERY = Settings(role_name="audit", accounts=("org",), regions=("eu-west-1",), attempts=3)


@pytest.fixture
def take(session):
    def from_fake(fake, folder, settings=ONE):
        return from_aws.take(session(), settings, folder, lambda text: None)

    return from_fake


@pytest.fixture
def aws(monkeypatch):
    """Start fakes whose endpoint boto3 uses."""
    running = []

    def start(organisation, **options):
        fake = FakeAWS(organisation, **options)
        running.append(fake)
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        return fake.__enter__()

    yield start
    for fake in running:
        fake.__exit__()


def test_truncated_pages_lose_nothing(aws, take, tmp_path):
    organisation = Organisation(ALL, roles=5, users=3, policies=4)
    whole = take(aws(organisation), tmp_path / "a", EVERY)
    cut = take(aws(Organisation(ALL, roles=5, users=3, policies=4), page_size=2), tmp_path / "b", EVERY)

    found = counts(cut.snapshot)
    assert (found["accounts"], found["roles"], found["users"], found["managed policies"]) == (3, 15, 9, 12)
    assert cut.snapshot.principals == whole.snapshot.principals
    assert cut.snapshot.functions == whole.snapshot.functions
    assert cut.snapshot.guardrails == whole.snapshot.guardrails
    assert cut.snapshot.unassessed == ()


def test_every_request_is_counted_and_nothing_is_asked_twice(aws, take, tmp_path):
    fake = aws(Organisation(ALL, roles=5, users=3, policies=4, jobs_take=0))

    taken = take(fake, tmp_path / "w", EVERY)

    sent = Counter({operation: count for (_, operation), count in taken.sent.items()})
    assert sent == Counter({operation: count for (_, operation), count in fake.seen.items()})
    assert sent["GetAccountAuthorizationDetails"] == 3
    assert sent["ListAccessKeys"] == sent["GetAccessKeyLastUsed"] == 9
    assert sent["GenerateServiceLastAccessedDetails"] == 24
    assert sent["GetServiceLastAccessedDetails"] == 48
    assert sent["AssumeRole"] == 2
    assert sent["ListParents"] == 5


def test_each_principal_has_its_evidence(aws, take, tmp_path):
    snapshot = take(aws(Organisation(roles=2, users=1)), tmp_path / "w").snapshot

    role, _, user = snapshot.principals
    assert [policy.kind for policy in role.policies] == ["inline", "customer_managed"]
    assert all(policy.document for policy in role.policies)
    assert role.last_used == START.replace(tzinfo=None)
    assert role.last_accessed is not None
    assert [(a.service, a.action) for a in role.last_accessed] == [
        ("s3", None),
        ("s3", "s3:ListBuckets"),
        ("sqs", None),
        ("sqs", "sqs:ListBuckets"),
    ]
    (key,) = user.credentials
    assert (key.id, key.last_used_service) == (f"AKIA{MANAGEMENT}0000", "s3")
    assert key.last_used == (START + timedelta(days=200)).replace(tzinfo=None)


def test_every_kind_of_compute_is_found_with_its_role(aws, take, tmp_path):
    snapshot = take(aws(Organisation(roles=3)), tmp_path / "w").snapshot

    kinds = {function.kind for function in snapshot.functions}
    from trailfit.inventory.compute import rows

    assert kinds == {row.kind for row in rows() if row.kind}
    roles = {principal.arn for principal in snapshot.principals}
    assert {function.role for function in snapshot.functions} <= roles
    fn = next(function for function in snapshot.functions if function.kind == "AWS::Lambda::Function")
    assert fn.aliases == (f"{fn.arn}:live",)
    assert fn.triggers == (f"arn:aws:sqs:eu-west-1:{MANAGEMENT}:orders",)


def test_the_tree_above_an_account_is_root_first_and_binds_no_management_account(aws, take, tmp_path):
    snapshot = take(aws(Organisation(ALL)), tmp_path / "w", EVERY).snapshot

    management, member, _ = snapshot.guardrails
    assert (management.scp, management.rcp) == ((), ())
    assert member.scp is not None
    assert [(level.target, [policy.id for policy in level.policies]) for level in member.scp] == [
        ("r-root", ["p-FullAWSAccess"]),
        ("ou-root-workwork", ["p-FullAWSAccess"]),
        ("ou-root-appsapps", ["p-apps1234"]),
        (OTHERS[0], ["p-FullAWSAccess"]),
    ]
    assert member.rcp == ()


def test_permission_sets_and_trails_are_read(aws, take, tmp_path):
    snapshot = take(aws(Organisation()), tmp_path / "w").snapshot

    (permission_set,) = snapshot.permission_sets
    assert [(p.kind, p.name) for p in permission_set.policies] == [
        ("inline", "inline"),
        ("aws_managed", "ReadOnlyAccess"),
        ("customer_managed", "team"),
    ]
    assert permission_set.assignments[0].account == MANAGEMENT
    (trail,) = snapshot.selectors
    assert (trail.management, trail.data_types, trail.logging) == (True, ("AWS::S3::Object",), True)


def heights():
    """Group the calls by how many steps follow from them: those of one height do not hide one another."""
    height = dict.fromkeys((call.step for call in calls()), 0)
    for call in reversed(calls()):
        for step in call.after:
            height[step] = max(height[step], height[call.step] + 1)
    return [[call for call in calls() if height[call.step] == level] for level in range(max(height.values()) + 1)]


@pytest.mark.parametrize("denied", heights(), ids=lambda denied: f"{len(denied)} calls")
def test_what_may_not_be_read_is_unassessed_with_the_missing_permission(aws, take, tmp_path, denied):
    operations = {call.operation for call in denied if call.step != "regions"}

    def deny(account, operation):
        if operation in operations:
            code = "AccessDeniedException"
            raise Refuse(code, "you may not", 403)

    taken = take(aws(Organisation(), before=deny), tmp_path / "w")

    reasons = [one.reason for one in taken.snapshot.unassessed]
    for call in denied:
        if call.step != "regions":
            assert any(reason.startswith(f"{call.permission} was refused") for reason in reasons), call.step
    assert not taken.unfinished


def test_guardrails_that_may_not_be_read_are_not_known_rather_than_none(aws, take, tmp_path):
    def deny(account, operation):
        if operation == "DescribePolicy":
            code = "AccessDeniedException"
            raise Refuse(code)

    snapshot = take(aws(Organisation(ALL), before=deny), tmp_path / "w", EVERY).snapshot

    assert [guardrails.scp for guardrails in snapshot.guardrails] == [(), None, None]
    assert any(
        "organizations:DescribePolicy was refused for p-FullAWSAccess and 1 more" in u.reason
        for u in snapshot.unassessed
    )


def test_an_account_outside_any_organization_has_no_guardrails(aws, take, tmp_path):
    def none(account, operation):
        if operation in {"DescribeOrganization", "ListAccounts", "ListRoots", "ListPolicies"}:
            code = "AWSOrganizationsNotInUseException"
            raise Refuse(code)

    snapshot = take(aws(Organisation(), before=none), tmp_path / "w").snapshot

    assert [(one.scp, one.rcp) for one in snapshot.guardrails] == [((), ())]
    assert snapshot.unassessed == ()


def test_an_account_that_cannot_be_entered_is_said_and_the_others_are_read(aws, take, tmp_path):
    class Closed(Organisation):
        def AssumeRole(self, account, region, params):  # noqa: N802
            if OTHERS[0] in params["RoleArn"]:
                code = "AccessDenied"
                raise Refuse(code, "no trust", 403)
            return super().AssumeRole(account, region, params)

    snapshot = take(aws(Closed(ALL)), tmp_path / "w", EVERY).snapshot

    assert snapshot.accounts == (MANAGEMENT, OTHERS[1])
    assert [(one.subject, one.reason) for one in snapshot.unassessed] == [
        (
            f"account {OTHERS[0]}",
            f"sts:AssumeRole was refused for arn:aws:iam::{OTHERS[0]}:role/audit: AccessDenied: no trust",
        )
    ]


def test_a_throttle_storm_is_sat_out(aws, take, tmp_path, no_backoff):
    seen = Counter()

    def storm(account, operation):
        seen[operation] += 1
        if seen[operation] % 3:
            code = "Throttling"
            raise Refuse(code, "slow down")

    calm = take(aws(Organisation()), tmp_path / "a").snapshot
    patient = replace(ONE, attempts=12)
    taken = take(aws(Organisation(), before=storm), tmp_path / "b", patient)

    assert taken.snapshot.principals == calm.principals
    assert taken.snapshot.unassessed == ()


def test_a_run_after_a_throttle_storm_asks_only_for_what_is_missing(aws, take, tmp_path, no_backoff):
    left = [30]

    def storm(account, operation):
        left[0] -= 1
        if left[0] < 0:
            code = "ThrottlingException"
            raise Refuse(code, "slow down")

    calm = take(aws(Organisation(roles=5, users=3)), tmp_path / "calm")
    first = aws(Organisation(roles=5, users=3), before=storm)
    stopped = take(first, tmp_path / "w")
    assert stopped.unfinished
    assert any("was refused" in one.reason for one in stopped.snapshot.unassessed)

    second = aws(Organisation(roles=5, users=3))
    resumed = take(second, tmp_path / "w")

    assert not resumed.unfinished
    assert resumed.snapshot.principals == calm.snapshot.principals
    assert resumed.snapshot.unassessed == ()
    assert second.seen.total() < sum(calm.sent.values()) - 20
    assert list((tmp_path / "w").iterdir()) == []


def test_a_run_stopped_anywhere_goes_on_and_ends_the_same(aws, take, tmp_path):
    calm = take(aws(Organisation()), tmp_path / "calm")
    total = sum(calm.sent.values())
    for stop in (2, 10, 40, total - 5):
        left = [stop]

        def expire(account, operation, left=left):
            left[0] -= 1
            if left[0] < 0:
                code = "ExpiredToken"
                raise Refuse(code)

        with pytest.raises(SourceError):
            take(aws(Organisation(), before=expire), tmp_path / f"w{stop}")
        again = aws(Organisation())
        resumed = take(again, tmp_path / f"w{stop}")

        assert resumed.snapshot.principals == calm.snapshot.principals, stop
        assert resumed.snapshot.functions == calm.snapshot.functions, stop
        assert resumed.snapshot.unassessed == (), stop
        assert again.seen.total() <= total - stop + 12, stop


def test_a_line_half_written_is_asked_for_again(aws, take, tmp_path):
    left = [40]

    def expire(account, operation):
        left[0] -= 1
        if left[0] < 0:
            code = "ExpiredToken"
            raise Refuse(code)

    with pytest.raises(SourceError):
        take(aws(Organisation(), before=expire), tmp_path / "w")
    for path in (tmp_path / "w").rglob("*.jsonl"):
        path.write_bytes(path.read_bytes()[:-20])

    assert take(aws(Organisation()), tmp_path / "w").snapshot.unassessed == ()


def test_answers_of_another_day_are_asked_for_again(aws, take, tmp_path):
    path = tmp_path / "w" / MANAGEMENT / MANAGEMENT / "global" / "taken.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(
        '{"account": "1", "region": null, "kind": "taken", "key": "taken", "last": true, "params": {}, '
        '"data": {"taken": "2026-01-01T00:00:00+00:00"}}\n{"kind": "end"}\n'
    )
    details = path.with_name("details.jsonl")
    details.write_text('{"account": "1", "region": null, "kind": "end", "params": {}}\n')

    snapshot = take(aws(Organisation()), tmp_path / "w").snapshot

    assert counts(snapshot)["roles"] == 3


def test_other_accounts_need_a_role_to_assume(aws, take, tmp_path):
    with pytest.raises(SourceError, match="--role-name"):
        take(aws(Organisation(ALL)), tmp_path / "w", Settings(accounts=("org",), attempts=3))


def test_an_organization_that_cannot_be_listed_is_one_readable_error(aws, take, tmp_path):
    def deny(account, operation):
        if operation == "ListAccounts":
            code = "AccessDeniedException"
            raise Refuse(code, "you may not")

    with pytest.raises(SourceError, match=r"organizations:ListAccounts.*you may not"):
        take(aws(Organisation(ALL), before=deny), tmp_path / "w", EVERY)


def test_many_requests_are_under_way_at_once_and_no_more_than_the_workers(aws, take, tmp_path):
    import time

    def slow(account, operation):
        if operation == "GenerateServiceLastAccessedDetails":
            time.sleep(0.02)

    fake = aws(Organisation(roles=60), before=slow)

    take(fake, tmp_path / "w")

    assert 3 <= fake.most_under_way <= ONE.workers
