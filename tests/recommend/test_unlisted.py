"""The catalogue is never quite as new as AWS: what it lacks is not taken for unused."""

from datetime import date, datetime

import pytest

from trailfit.catalog.actions import is_action
from trailfit.model import AttachedPolicy, Evidence, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.document import Document
from trailfit.recommend.granted import actions_of, granted
from trailfit.recommend.judge import judge

ROLE = "arn:aws:iam::111122223333:role/app"
OLD = datetime(2024, 1, 1)
NEW = "s3:RestoreFromTheFuture"
BUCKET = "arn:aws:s3:::bucket"


def inline(**statement):
    document = Document.parse({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    return AttachedPolicy("inline", "app", None, document, created=OLD, updated=OLD)


def use(action, resource="*"):
    return Usage(
        principal=ROLE, principal_kind="role", action=action, resource=resource, role="required", basis="test", calls=3, denied=0,
        first_used=datetime(2026, 8, 4, 8), last_used=datetime(2026, 10, 30, 8), days=80, example_event="e1",
    )  # fmt: skip


def recommended(policy, *uses):
    """The proposal for a role whose whole log is these uses."""

    def silence(_account, action):
        if is_action(action):
            return Silence(True, "management events are logged on all 90 days, and none was this", "logged")
        return Silence(False, "the catalogue has no such action", "unobservable")

    told = Evidence(
        window=Window(date(2026, 8, 3), date(2026, 10, 31)), usage={ROLE: uses}, denied={}, last_seen={ROLE: datetime(2026, 10, 30)},
        sessions={}, key_use={}, gaps={"111122223333": ()}, coverage=(), silence=silence,
    )  # fmt: skip
    principal = Principal(ROLE, "111122223333", "role", "app", "/", OLD, (policy,))
    (found,) = judge(Snapshot(datetime(2026, 11, 1), ("111122223333",), (principal,)), told).recommendations
    return found


def proposed(policy, *uses):
    """The (action, resource) pairs of the proposal."""
    found = recommended(policy, *uses)
    statements = [each for change in found.after for each in change.document.raw["Statement"]]
    return {(action, each["Resource"]) for each in statements
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])}  # fmt: skip


def test_catalogue_lacks_it():
    assert not is_action(NEW)


@pytest.mark.parametrize("pattern", ["s3:*", "*", NEW, NEW.lower(), "s3:Restore*"])
def test_call_of_an_action_that_the_catalogue_lacks_keeps_what_granted_it(pattern):
    assert proposed(inline(Action=[pattern, "sqs:SendMessage"], Resource=BUCKET), use(NEW)) == {(NEW, BUCKET)}


def test_name_of_a_call_is_no_proof_of_its_action():
    policy = inline(Action=["s3:*"], Resource=BUCKET)

    assert recommended(policy, use(NEW)).disposition == "unsafe"
    assert NEW in recommended(policy, use(NEW)).reasons[0]
    assert recommended(policy, use("s3:GetBucketAcl", BUCKET), use("newservice:Do")).disposition == "unsafe"
    assert recommended(policy, use("s3:GetBucketAcl", BUCKET)).disposition == "safe"


def test_call_is_kept_where_all_but_some_actions_are_granted():
    others = use("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q")

    assert proposed(inline(NotAction="iam:*", Resource="*"), use(NEW)) == {(NEW, "*")}
    assert proposed(inline(NotAction="s3:*", Resource="*"), use(NEW), others) == {(others.action, others.resource)}


@pytest.mark.parametrize("named", [NEW, "newservice:Do", "s3:RestoreFromTheF*"])
def test_what_a_policy_names_and_the_catalogue_lacks_stays(named):
    policy = inline(Action=[named, "s3:GetBucketAcl", "s3:PutBucketAcl"], Resource=BUCKET)

    assert proposed(policy, use("s3:GetBucketAcl", BUCKET)) == {(named, BUCKET), ("s3:GetBucketAcl", BUCKET)}


def test_pattern_that_the_catalogue_knows_stands_for_its_actions_alone():
    known = [action for action, _ in actions_of({"Action": "s3:GetBucketA*"})]
    all_of_s3 = [inline(Action="s3:*", Resource="*")]

    assert known
    assert all(map(is_action, known))
    assert NEW not in granted(all_of_s3)
    assert [way.pattern for way in granted(all_of_s3, [NEW])[NEW]] == ["s3:*"]
    assert NEW not in granted([inline(Action="sqs:*", Resource="*")], [NEW])
