from __future__ import annotations

import difflib
from typing import Any

import pytest

from trailfit.deliver import cloudformation
from trailfit.deliver.cloudformation import Proposal
from trailfit.errors import EditError

from .sample import allow, document

ACCOUNT = "012345678901"
OTHER = "111122223333"
FULL = {"kind": "aws_managed", "name": "AmazonDynamoDBFullAccess", "arn": "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess", "document": document(allow("dynamodb:*", "*"))}  # fmt: skip
ROLE = """# roles of the shop
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
  Writer:
    Type: AWS::IAM::Role
    Properties:
      RoleName: writer # known to ops
{policies}
  Last: { Type: AWS::SNS::Topic }
"""


def template(policies: str) -> str:
    return ROLE.replace("{policies}", policies.strip("\n"))


def inline(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "inline", "name": name, "document": document(*statements)}


def changed(text: str, before: list[Any], after: list[Any], *accounts: str, block: str = "Writer") -> str:
    [found] = [one for one in cloudformation.blocks(text) if one.logical_id == block]
    proposals = [Proposal(account, before, after) for account in accounts or (ACCOUNT,)]
    edited = cloudformation.edit(text, found, proposals)
    lines = difflib.ndiff(text.splitlines(), edited.splitlines())
    return "\n".join(line for line in lines if line[0] in "+-")


def put_orders(account: str = ACCOUNT) -> dict[str, Any]:
    return inline("fitted", allow("dynamodb:PutItem", f"arn:aws:dynamodb:eu-west-1:{account}:table/orders"))


def test_a_managed_policy_gives_way_to_one_action_on_one_table_by_reference() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")

    assert (
        changed(text, [FULL], [put_orders()])
        == """\
-       ManagedPolicyArns:
-         - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess
+       Policies:
+         - PolicyName: fitted
+           PolicyDocument:
+             Version: '2012-10-17'
+             Statement:
+               - Effect: Allow
+                 Action: dynamodb:PutItem
+                 Resource: !GetAtt Orders.Arn"""
    )


def test_a_second_edit_changes_nothing() -> None:
    text = template(
        "      ManagedPolicyArns: [ !Sub 'arn:${AWS::Partition}:iam::aws:policy/AmazonDynamoDBFullAccess' ]"
    )
    [block] = cloudformation.blocks(text)
    edited = cloudformation.edit(text, block, [Proposal(ACCOUNT, [FULL], [put_orders()])])

    assert cloudformation.edit(edited, block, [Proposal(ACCOUNT, [put_orders()], [put_orders()])]) == edited


INLINE = """
      Policies:
        - PolicyName: access
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: [ 's3:GetObject', 's3:PutObject' ] # both
                Resource: !Sub arn:aws:s3:::${Bucket}/*
              - Effect: Allow
                Action: sqs:*
                Resource: !Sub "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs"
"""
DEPLOYED = inline(
    "access",
    allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::shop-prod/*"),
    allow("sqs:*", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"),
)


def test_a_narrower_policy_keeps_the_file_s_own_references() -> None:
    new = inline(
        "access",
        allow("s3:GetObject", "arn:aws:s3:::shop-prod/daily/*"),
        allow(["sqs:SendMessage", "sqs:GetQueueUrl"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"),
    )

    assert (
        changed(template(INLINE), [DEPLOYED], [new])
        == """\
-                 Action: [ 's3:GetObject', 's3:PutObject' ] # both
+                 Action: [ 's3:GetObject' ] # both
-                 Resource: !Sub arn:aws:s3:::${Bucket}/*
+                 Resource: !Sub arn:aws:s3:::${Bucket}/daily/*
-                 Action: sqs:*
+                 Action:
+                   - sqs:SendMessage
+                   - sqs:GetQueueUrl"""
    )


def test_no_account_is_written_out_where_the_file_has_none() -> None:
    new = inline(
        "access", DEPLOYED["document"]["Statement"][0], allow("sqs:*", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs-dead")
    )

    assert "+                 Resource: !Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs-dead'" in changed(
        template(INLINE), [DEPLOYED], [new]
    ).replace("arn:${AWS::Partition}", "arn:aws")


def test_an_account_written_out_stays_written_out() -> None:
    text = template(INLINE.replace("${AWS::AccountId}", ACCOUNT))
    new = inline("access", allow("sqs:*", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:other"))

    assert f":{ACCOUNT}:other" in changed(text, [DEPLOYED], [new])


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        (INLINE.replace("sqs:*", "sqs:SendMessage"), "does not hold the policy access as it is deployed"),
        (
            INLINE.replace("PolicyName: access", "PolicyName: other"),
            "does not hold the policy access as it is deployed",
        ),
        (INLINE.replace("- PolicyName", "- &p\n          PolicyName") + "      Tags: []\n", None),
        ("      Policies: !If [Prod, [], []]", "the whole list of policies is a function"),
        (INLINE.replace("Resource: !Sub arn:aws:s3:::${Bucket}/*", "Resource: !If [A, 'x', 'y']"), "as it is deployed"),
        ("      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]", "as it is deployed"),
    ],
)
def test_what_is_not_as_deployed_is_not_edited(policies: str, reason: str | None) -> None:
    new = inline("access", allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"))
    if reason is None:
        assert changed(template(policies), [DEPLOYED], [new])
    else:
        with pytest.raises(EditError, match=reason):
            changed(template(policies), [DEPLOYED], [new])


def test_policies_that_are_not_the_proposal_s_stay() -> None:
    extra = (
        INLINE
        + """\
        - PolicyName: !Sub "${AWS::StackName}-more"
          PolicyDocument: { Version: "2012-10-17", Statement: [ !If [ A, { Effect: Allow }, !Ref AWS::NoValue ] ] }
"""
    )
    lines = changed(template(extra), [DEPLOYED], [])

    assert "more" not in lines
    assert lines.count("\n") == INLINE.strip("\n").count("\n") - 1


def test_one_template_in_two_accounts_gets_what_either_needs() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    [block] = cloudformation.blocks(text)
    mine = Proposal(ACCOUNT, [FULL], [put_orders()])
    same = Proposal(OTHER, [FULL], [put_orders(OTHER)])
    more = Proposal(
        OTHER, [FULL], [inline("fitted", allow("dynamodb:Scan", f"arn:aws:dynamodb:eu-west-1:{OTHER}:table/orders"))]
    )

    assert cloudformation.edit(text, block, [mine, same]) == cloudformation.edit(text, block, [mine])
    both = cloudformation.edit(text, block, [mine, more])
    assert "dynamodb:PutItem" in both
    assert "dynamodb:Scan" in both


TABLE = """
      Policies:
        - PolicyName: access
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: Table # items and indexes
                Effect: Allow
                Action: dynamodb:*
                Resource:
                  - !Sub arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders
                  - !Sub arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders/index/*
"""


def table(account: str, action: str | list[str], *tails: str) -> dict[str, Any]:
    arns = [f"arn:aws:dynamodb:eu-west-1:{account}:table/orders{tail}" for tail in tails]
    return inline("access", {"Sid": "Table", **allow(action, arns)})


def of_accounts(*wanted: tuple[str | list[str], tuple[str, ...]]) -> str:
    text = template(TABLE)
    [block] = cloudformation.blocks(text)
    proposals = [
        Proposal(account, [table(account, "dynamodb:*", "", "/index/*")], [table(account, actions, *tails)])
        for account, (actions, tails) in zip((ACCOUNT, OTHER), wanted, strict=True)
    ]
    return cloudformation.edit(text, block, proposals)


def test_what_one_account_needs_and_another_s_needs_cover_is_said_once() -> None:
    wide = (["dynamodb:GetItem", "dynamodb:Query"], ("", "/index/*"))
    narrow = ("dynamodb:GetItem", ("",))
    both = [of_accounts(*pair) for pair in ((wide, narrow), (narrow, wide))]

    assert both[0] == both[1] == of_accounts(wide, wide)
    assert both[0].count("Sid: Table # items and indexes") == both[0].count("Sid:") == 1


def test_statements_that_differ_in_actions_only_become_one() -> None:
    both = of_accounts(("dynamodb:GetItem", ("",)), ("dynamodb:PutItem", ("",)))

    assert both.count("Sid:") == 1
    assert "- dynamodb:GetItem\n" in both
    assert "- dynamodb:PutItem\n" in both


def test_statements_of_one_sid_that_cannot_be_joined_get_distinct_sids() -> None:
    both = of_accounts(("dynamodb:GetItem", ("",)), ("dynamodb:Query", ("/index/*",)))

    assert "Sid: Table # items and indexes\n" in both
    assert "Sid: Table2\n" in both
    assert "table/orders/index/*" in both


def test_a_union_that_would_grant_something_new_in_an_account_is_refused() -> None:
    """What one account may do, another one's boundary of statements does not hold."""
    text = template(TABLE)
    [block] = cloudformation.blocks(text)
    mine = Proposal(ACCOUNT, [table(ACCOUNT, "dynamodb:*", "", "/index/*")], [table(ACCOUNT, "dynamodb:Query", "")])
    odd = (
        [table(OTHER, "dynamodb:*", "", "/index/*")],
        [inline("access", {"Sid": "Table", **allow("s3:GetObject", "*")})],
    )
    with pytest.raises(EditError, match="grant something new"):
        cloudformation.edit(text, block, [mine, Proposal(OTHER, *odd)])


def test_two_new_policies_become_one_document_with_distinct_sids() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    [block] = cloudformation.blocks(text)
    arn = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"
    new = [
        inline("one", {"Sid": "A", **allow("dynamodb:GetItem", arn + "orders")}),
        inline("two", {"Sid": "A", **allow("dynamodb:PutItem", arn + "other")}),
    ]
    edited = cloudformation.edit(text, block, [Proposal(ACCOUNT, [FULL], new)])

    assert "Sid: A\n" in edited
    assert "Sid: A2\n" in edited


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("table/orders/index/*", "!Sub '${Orders.Arn}/index/*'"),
        ("table/other", "!Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/other"),
    ],
)
def test_the_region_is_a_variable_where_the_template_s_own_resource_tells_it(arn: str, expected: str) -> None:
    text = template(
        "      ManagedPolicyArns:\n        - !Sub arn:${AWS::Partition}:iam::aws:policy/AmazonDynamoDBFullAccess"
    )
    arns = [f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:{tail}" for tail in ("table/orders", arn)]
    lines = changed(text, [FULL], [inline("fitted", allow("dynamodb:GetItem", arns))])

    assert f"- {expected}\n" in lines + "\n"
    assert "eu-west-1" not in lines


def test_a_table_of_the_same_name_in_another_region_is_another_table() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    arns = [f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/orders" for region in ("eu-west-1", "eu-central-1")]
    lines = changed(text, [FULL], [inline("fitted", allow("dynamodb:GetItem", arns))])

    assert "GetAtt" not in lines
    assert ":eu-west-1:${AWS::AccountId}:table/orders" in lines
    assert ":eu-central-1:${AWS::AccountId}:table/orders" in lines


def test_a_function_s_log_tells_the_region_where_tables_are_in_two() -> None:
    text = (
        template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
        + "  Function:\n    Type: AWS::Serverless::Function\n    Properties:\n      FunctionName: write\n      Role: !GetAtt Writer.Arn\n"
    )
    arns = [f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/orders" for region in ("eu-west-1", "eu-central-1")]
    log = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/write:*"
    new = inline("fitted", allow("dynamodb:GetItem", arns), allow("logs:PutLogEvents", log))
    lines = changed(text, [{**FULL, "document": document(allow("*", "*"))}], [new])

    assert lines.count("- !GetAtt Orders.Arn") == 1
    assert ":eu-central-1:${AWS::AccountId}:table/orders" in lines
    assert ":logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/write:*" in lines


def test_the_region_is_written_out_where_nothing_tells_the_stack_s() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    other = inline("fitted", allow("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/other"))

    assert ":dynamodb:eu-west-1:${AWS::AccountId}:table/other" in changed(text, [FULL], [other])


def test_roles_deployed_differently_from_one_block_are_refused() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess" + INLINE)
    [block] = cloudformation.blocks(text)
    mine, theirs = Proposal(ACCOUNT, [FULL], []), Proposal(ACCOUNT, [FULL, DEPLOYED], [])
    with pytest.raises(EditError, match="from account to account"):
        cloudformation.edit(text, block, [mine, theirs])


SAM = """Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Policies:
        - AmazonDynamoDBFullAccess # too much
        - S3ReadPolicy:
            BucketName: !Ref Bucket
"""


def test_a_sam_function_s_managed_policy_gives_way_and_its_policy_template_stays() -> None:
    basic = {"kind": "aws_managed", "name": "AWSLambdaBasicExecutionRole", "document": document(),
             "arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}  # fmt: skip
    lines = changed(SAM, [FULL, basic], [put_orders()], block="Fn")

    assert lines.startswith("-         - AmazonDynamoDBFullAccess # too much\n+         - Version: '2012-10-17'")
    assert "S3ReadPolicy" not in lines


def test_a_template_in_json_is_edited_as_json() -> None:
    text = """{
    "Resources": {
        "Writer": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess", "arn:aws:iam::aws:policy/Other"]
            }
        }
    }
}
"""
    lines = changed(text, [FULL], [put_orders()])

    assert lines.splitlines()[:2] == [
        '-                 "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess", "arn:aws:iam::aws:policy/Other"]',
        '+                 "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Other"],',
    ]
    assert '"Fn::Sub": "arn:aws:dynamodb:eu-west-1:${AWS::AccountId}:table/orders"' in lines


def test_a_policy_resource_of_its_own_is_edited_where_it_stands() -> None:
    text = (
        ROLE.replace("{policies}", "      Path: /")
        + """\
  Access:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: access
      Roles: [ !Ref Writer ]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: "sqs:*", Resource: "*" }
"""
    )
    old, new = inline("access", allow("sqs:*", "*")), inline("access", allow("sqs:SendMessage", "*"))

    assert (
        changed(text, [old], [new])
        == """\
-           - { Effect: Allow, Action: "sqs:*", Resource: "*" }
+           - { Effect: Allow, Action: "sqs:SendMessage", Resource: "*" }"""
    )
    with pytest.raises(EditError, match="remove it by hand"):
        changed(text, [old], [])


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(eol: str, mark: str) -> None:
    text = mark + template(INLINE).replace("\n", eol)
    [block] = cloudformation.blocks(text)
    new = inline("access", allow("s3:GetObject", "arn:aws:s3:::shop-prod/*"))
    edited = cloudformation.edit(text, block, [Proposal(ACCOUNT, [DEPLOYED], [new])])

    assert edited.startswith(mark + "# roles of the shop" + eol)
    assert edited.count("\n") == edited.count(eol)


def test_hostile_policy_text_cannot_leave_its_scalar() -> None:
    text = template("      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    evil = "arn:aws:s3:::b/' }\n  Evil:\n    Type: AWS::IAM::User # \u202e !Sub ${x} \" *"
    edited = changed(text, [FULL], [inline("fitted", allow("s3:GetObject", evil))])

    assert "+   Evil:" not in edited
    assert len(cloudformation.parse(text).get("Resources").entries) == 3  # type: ignore[union-attr]


def test_a_policy_that_sam_attaches_for_a_global_is_not_looked_for_in_the_file() -> None:
    text = (
        "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Tracing: Active\nResources:\n  Fn:\n"
        "    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n        - AmazonS3FullAccess\n"
    )
    [block] = cloudformation.blocks(text)
    gone = [
        {"kind": "aws_managed", "name": name, "arn": f"arn:aws:iam::aws:policy/{name}", "document": {"Statement": []}}
        for name in ("AWSXrayWriteOnlyAccess", "AmazonS3FullAccess")
    ]
    assert "AmazonS3FullAccess" not in cloudformation.edit(text, block, [cloudformation.Proposal("", gone, [])])
    with pytest.raises(EditError, match="AWSXrayWriteOnlyAccess"):
        cloudformation.edit(text.replace("    Tracing: Active\n", "    Timeout: 3\n"), block, [cloudformation.Proposal("", gone, [])])  # fmt: skip
