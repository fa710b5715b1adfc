"""Every policy fits IAM's quotas, and what was done for it is said."""

from datetime import date, datetime

import pytest

from trailfit.model import AttachedPolicy, Evidence, Principal, Silence, Snapshot, Usage, Window
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants
from trailfit.policy.minimise import quotas, size
from trailfit.recommend.judge import judge

ACCOUNT = "111122223333"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))


def everything(*actions, kind="inline", name="app", resource="*"):
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}" if kind == "customer_managed" else None
    document = Document.parse(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}
    )
    return AttachedPolicy(kind, name, arn, document)


def proposal(policies, uses, kind="role"):
    """Judge one principal that used each (action, resource) on half of the days."""
    arn = f"arn:aws:iam::{ACCOUNT}:{kind}/app"
    rows = tuple(
        Usage(arn, kind, action, resource, "required", "test", 40, 0, datetime(2026, 8, 4), datetime(2026, 10, 30), 40, "e")
        for action, resource in sorted(uses)
    )  # fmt: skip
    told = Evidence(
        window=WINDOW, usage={arn: rows}, denied={}, last_seen={arn: datetime(2026, 10, 30)}, sessions={}, key_use={},
        gaps={ACCOUNT: ()}, coverage=(), silence=lambda account, action: Silence(True, "logged", "logged"),
    )  # fmt: skip
    principal = Principal(
        arn, ACCOUNT, kind, "app", "/", datetime(2024, 1, 1), policies=tuple(policies), credentials_known=True
    )
    judgement = judge(Snapshot(datetime(2026, 11, 1), (ACCOUNT,), (principal,)), told)
    found = [each for each in judgement.recommendations if each.action in ("UPDATE_POLICY", "CREATE_POLICY")]
    assert judgement.unassessed == (), judgement.unassessed
    (only,) = found
    return principal, only


def assert_fits(principal, found):
    inline = quotas()[principal.kind].characters
    managed = quotas()["managed"]
    assert sum(size(each.document.raw) for each in found.after if each.kind == "inline") <= inline
    large = [each for each in found.after if each.kind == "customer_managed"]
    assert all(size(each.document.raw) <= managed.characters for each in large)
    assert len(large) <= managed.documents
    assert len({each.name for each in found.after}) == len(found.after)


def assert_right(principal, found, uses):
    new, old = [each.document for each in found.after], [each.document for each in principal.policies]
    assert no_new_access(new, old).holds
    assert found.no_new_access.holds
    assert found.still_allows.holds
    for action, resource in uses:
        assert grants(Request(principal.arn, action, resource, {}, ACCOUNT), new), (action, resource)


def buckets(count, keys=1):
    return [
        ("s3:GetObject", f"arn:aws:s3:::company-department-{_word(b)}-data/settings/{_word(k)}-final.json")
        for b in range(count)
        for k in range(keys)
    ]


def _word(number):
    """Words, not numbers: nothing in them keeps growing."""
    letters = "bcdfghjklm"
    return "a".join(letters[int(digit)] for digit in f"{number:04d}")


def test_a_small_policy_stays_one_inline_policy():
    _principal, found = proposal([everything("s3:*")], buckets(3))

    assert [(each.kind, each.name) for each in found.after] == [("inline", "app")]
    assert not any("quota" in reason or "managed policy" in reason for reason in found.reasons)


def mixed(count):
    services = (
        ("sqs:SendMessage", ""),
        ("sns:Publish", ""),
        ("dynamodb:GetItem", "table/"),
        ("lambda:InvokeFunction", "function:"),
    )
    return [
        (
            action,
            f"arn:aws:{action.partition(':')[0]}:eu-west-1:{ACCOUNT}:{word}{_word(number)}-of-the-department-of-it",
        )
        for number in range(count)
        for action, word in services
    ]


def test_what_does_not_fit_inline_becomes_a_managed_policy_and_says_so():
    uses = mixed(15)

    principal, found = proposal([everything("sqs:*", "sns:*", "dynamodb:*", "lambda:*")], uses, "user")

    assert [(each.kind, each.name) for each in found.after] == [("customer_managed", "app-app")]
    assert any("app becomes a managed policy: 4,762 characters" in reason for reason in found.reasons)
    assert found.disposition == "safe"
    assert_fits(principal, found)
    assert_right(principal, found, uses)


def test_the_same_fits_inline_for_a_role():
    _principal, found = proposal([everything("sqs:*", "sns:*", "dynamodb:*", "lambda:*")], mixed(15))

    assert [(each.kind, each.name) for each in found.after] == [("inline", "app")]


@pytest.mark.parametrize(("count", "keys"), [(60, 1), (400, 1), (3000, 1), (25, 20), (100, 20)])
def test_a_role_of_thousands_of_resources_fits(count, keys):
    uses = buckets(count, keys)

    principal, found = proposal([everything("s3:*")], uses)

    assert_fits(principal, found)
    assert_right(principal, found, uses[:200])
    assert len(found.after) <= 2


def test_what_is_listed_more_widely_for_a_quota_says_so():
    _principal, found = proposal([everything("s3:*")], buckets(25, 20))

    assert any("more than 8 resources of one kind are not listed one by one" in reason for reason in found.reasons)
    assert all("*" in pattern for pattern, reason in found.explanations if "too many to list" in reason)


def test_what_stays_inline_counts_too():
    staying = everything(
        "sqs:ListQueues", name="stays", resource=[f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{'q' * 70}{n}" for n in range(90)]
    )
    uses = [("sqs:ListQueues", "*"), *buckets(30)]

    principal, found = proposal([everything("s3:*"), staying], uses)

    left = sum(
        size(each.document.raw) for each in principal.policies if each.name not in {b.name for b in found.before}
    )
    inline = sum(size(each.document.raw) for each in found.after if each.kind == "inline")
    assert left + inline <= quotas()["role"].characters


def test_a_managed_policy_that_grows_too_large_is_split_and_its_first_part_keeps_its_name():
    uses = mixed(25)

    principal, found = proposal(
        [everything("sqs:*", "sns:*", "dynamodb:*", "lambda:*", kind="customer_managed", name="shared")], uses
    )

    assert [(each.name, each.arn) for each in found.after] == [
        ("shared", f"arn:aws:iam::{ACCOUNT}:policy/shared"), ("shared-2", None),
    ]  # fmt: skip
    assert_fits(principal, found)
    assert_right(principal, found, uses)


def test_the_same_uses_in_another_order_give_the_same_policies():
    uses = buckets(400)

    one, other = (proposal([everything("s3:*")], each)[1] for each in (uses, uses[::-1]))

    assert [(e.kind, e.name, e.document.to_json()) for e in one.after] == [
        (e.kind, e.name, e.document.to_json()) for e in other.after
    ]
