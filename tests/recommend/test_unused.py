"""What nobody used: services, actions and resources, and never what the log could not have shown."""

from tests.recommend.small import OURS, account, allow, findings, log, policy, role, use, user

from trailfit.recommend.judge import judge

KIND = "UnusedPermission"
ORDERS, CARDS = (f"arn:aws:dynamodb:eu-west-1:{OURS}:table/{name}" for name in ("orders", "cards"))


def levels(snapshot, evidence):
    return {each.evidence["level"]: each for each in findings(snapshot, evidence, KIND)}


def test_unused_permission_is_told_by_service_action_and_resource():
    who = role("app", policy(allow(["dynamodb:PutItem", "dynamodb:GetItem"], [ORDERS, CARDS]), allow("sqs:ListQueues")))

    found = levels(account(who), log(use(who, "dynamodb:PutItem", ORDERS)))

    assert found["service"].evidence["services"] == {"sqs": 1}
    assert found["action"].evidence["actions"] == ["dynamodb:GetItem"]
    assert found["resource"].evidence["resources"] == [CARDS]


def test_unused_permission_is_not_said_of_a_resource_that_unlogged_calls_could_touch():
    who = role("app", policy(allow(["dynamodb:PutItem", "dynamodb:GetItem"], [ORDERS, CARDS])))

    found = levels(account(who), log(use(who, "dynamodb:PutItem", ORDERS), dark=("dynamodb:GetItem",)))

    assert "resource" not in found


def test_unused_permission_is_not_said_of_a_resource_when_the_log_does_not_name_what_was_used():
    who = role("app", policy(allow("dynamodb:PutItem", [ORDERS, CARDS])))

    assert "resource" not in levels(account(who), log(use(who, "dynamodb:PutItem", "*")))


def test_unused_permission_is_not_said_of_a_pattern_that_a_used_resource_lies_in():
    table = f"arn:aws:dynamodb:eu-west-1:{OURS}:table/*"
    who = role("app", policy(allow("dynamodb:PutItem", [table, CARDS])))

    assert levels(account(who), log(use(who, "dynamodb:PutItem", ORDERS)))["resource"].evidence["resources"] == [CARDS]


def test_unused_permission_leaves_a_bucket_beside_its_objects_to_the_actions_that_take_it():
    bucket = "arn:aws:s3:::media"
    who = role("app", policy(allow("s3:GetObject", [bucket, f"{bucket}/*"])))

    assert "resource" not in levels(account(who), log(use(who, "s3:GetObject", f"{bucket}/a.jpg")))


def test_unused_permission_is_graver_for_a_principal_that_can_empower_itself():
    who = role("app", policy(allow(["iam:PutRolePolicy", "s3:ListAllMyBuckets"])))

    found = levels(account(who), log(use(who, "s3:ListAllMyBuckets", "*")))

    assert found["service"].severity == "high"


def test_unused_iam_role_and_unused_iam_user_are_found():
    idle = account(role("idle", policy(allow("sqs:SendMessage"))), user("idle"))

    assert {each.kind for each in findings(idle)} >= {"UnusedIAMRole", "UnusedIAMUser"}


def test_what_the_log_cannot_tell_of_stays_in_every_statement_that_grants_it():
    first, second, wider = (f"arn:aws:s3:::{name}/*" for name in ("a", "b", "c"))
    many = [
        allow("s3:GetObject", first),
        allow("s3:GetObject", [first, second]),
        allow("s3:GetObject", wider, Condition={"Bool": {"aws:SecureTransport": "true"}}),
        allow("s3:GetObject", wider),
        allow(["sqs:ListQueues", "sqs:SendMessage"]),
    ]
    who = role("app", policy(*many))

    (proposal,) = judge(account(who), log(use(who, "sqs:ListQueues", "*"), dark=("s3:GetObject",))).recommendations

    kept = [each for each in proposal.after[0].document.statements if "s3:GetObject" in each.actions]
    assert {resource for each in kept if not each.conditions for resource in each.resources} == {first, second, wider}
