"""The example that the project stands for, end to end and from the outside: real files in, command line, files out.

A Lambda function's role carries AmazonDynamoDBFullAccess and really only puts items into one table. It must get
that one action on that one table (and what the runtime needs in the function's own log group), no wildcard, and
the managed policy must go.
"""

import gzip
import json
from datetime import date, timedelta

import pytest

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/orders-writer-role"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
LAST = date(2026, 10, 31)
DAYS = 90


def record(day, hour, name, source, *, parameters, category="Management", resources=(), identity=None, number=0):
    data = {
        "eventVersion": "1.11", "eventID": f"{day:%Y%m%d}-{hour:04d}-{number:04d}-{name[:4].lower()}-000000000000",
        "eventTime": f"{day}T{hour:02d}:00:00Z", "eventSource": source, "eventName": name, "awsRegion": REGION,
        "eventType": "AwsApiCall", "eventCategory": category, "managementEvent": category == "Management",
        "readOnly": False, "recipientAccountId": ACCOUNT, "sourceIPAddress": "203.0.113.7", "userAgent": "aws-sdk",
        "userIdentity": identity or {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:orders-writer", "accountId": ACCOUNT,
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-writer-role/orders-writer", "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLE", "arn": ROLE, "accountId": ACCOUNT, "userName": "orders-writer-role"}},
        },
        "requestParameters": parameters, "responseElements": None,
    }  # fmt: skip
    return {**data, "resources": list(resources)} if resources else data


def day_of_events(day):
    service = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    yield record(day, 1, "AssumeRole", "sts.amazonaws.com", parameters={"roleArn": ROLE}, identity=service)
    for number in range(3):
        yield record(
            day, 8, "PutItem", "dynamodb.amazonaws.com", category="Data", number=number,
            parameters={"tableName": "orders", "key": {"id": f"{number}"}},
            resources=[{"accountId": ACCOUNT, "type": "AWS::DynamoDB::Table", "ARN": TABLE}],
        )  # fmt: skip


def write_logs(folder):
    for ago in range(DAYS):
        day = LAST - timedelta(days=ago)
        path = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day:%Y/%m/%d}"
        path.mkdir(parents=True)
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{day:%Y%m%d}T0805Z_AbCdEfGhIjKlMnOp.json.gz"
        (path / name).write_bytes(gzip.compress(json.dumps({"Records": list(day_of_events(day))}).encode(), mtime=0))


def write_snapshot(folder, *, with_log_policy):
    managed = pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data
    known = {
        name: {**policy, "Arn": f"arn:aws:iam::aws:policy{policy['Path']}{name}"}
        for name, policy in json.loads(managed).items()
    }
    names = ["AmazonDynamoDBFullAccess", *(["AWSLambdaBasicExecutionRole"] if with_log_policy else [])]
    attached = [{"PolicyName": name, "PolicyArn": known[name]["Arn"]} for name in names]
    details = {
        "UserDetailList": [], "GroupDetailList": [],
        "RoleDetailList": [{
            "Path": "/service-role/", "RoleName": "orders-writer-role", "RoleId": "AROAEXAMPLE", "Arn": ROLE,
            "CreateDate": "2024-02-01T09:00:00+00:00",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
            "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": attached, "Tags": [], "RoleLastUsed": {},
        }],
        "Policies": [{
            "PolicyName": name, "PolicyId": "ANPAEXAMPLE", "Arn": known[name]["Arn"], "Path": "/", "DefaultVersionId": "v1",
            "AttachmentCount": 1, "IsAttachable": True, "CreateDate": "2015-02-06T18:40:00+00:00", "UpdateDate": "2021-01-29T17:38:00+00:00",
            "PolicyVersionList": [{"Document": known[name]["Document"], "VersionId": "v1", "IsDefaultVersion": True,
                                   "CreateDate": "2021-01-29T17:38:00+00:00"}],
        } for name in names],
    }  # fmt: skip
    functions = {"Functions": [{
        "FunctionName": "orders-writer", "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-writer",
        "Role": ROLE, "Runtime": "python3.13", "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders-writer"},
    }]}  # fmt: skip
    (folder / ACCOUNT).mkdir(parents=True)
    (folder / ACCOUNT / "get-account-authorization-details.json").write_text(json.dumps(details))
    (folder / ACCOUNT / "list-functions.json").write_text(json.dumps(functions))


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "with AWSLambdaBasicExecutionRole"])
def run(request, tmp_path_factory, trailfit):
    folder = tmp_path_factory.mktemp("worked")
    write_logs(folder / "logs")
    write_snapshot(folder / "iam", with_log_policy=request.param)
    trailfit("ingest", folder / "logs", "--lake", folder / "lake")
    trailfit("inventory", "--lake", folder / "lake", "--from-files", folder / "iam", code=None)
    trailfit("recommend", "--lake", folder / "lake", "--out", folder / "out", code=None)
    trailfit("report", "--out", folder / "out")
    return folder, request.param


def proposal(folder):
    data = json.loads((folder / "out" / "recommendations.json").read_text())
    (found,) = [each for each in data["recommendations"] if each["principal"] == ROLE]
    return found


def test_the_role_gets_that_one_action_on_that_one_table(run):
    folder, with_log_policy = run
    (after,) = proposal(folder)["after"]

    put = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE}
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/orders-writer"
    logs = [
        {"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": group},
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*"},
    ]
    assert after["document"]["Statement"] == [put, *(logs if with_log_policy else [])]


def test_the_managed_policy_goes(run):
    folder, with_log_policy = run
    found = proposal(folder)

    names = ["AmazonDynamoDBFullAccess", *(["AWSLambdaBasicExecutionRole"] if with_log_policy else [])]
    assert [(each["kind"], each["name"]) for each in found["before"]] == [("aws_managed", name) for name in names]
    assert [each["kind"] for each in found["after"]] == ["inline"]


def test_both_proofs_stand_beside_it(run):
    proofs = proposal(run[0])["proofs"]

    assert proofs["no_new_access"]["holds"] is True
    assert proofs["still_allows"] == {**proofs["still_allows"], "holds": True, "requests": 1, "denied": []}


def test_no_dax_permission_is_called_unused_since_no_log_shows_them(run):
    data = json.loads((run[0] / "out" / "recommendations.json").read_text())
    rows = {row["action"]: row for each in data["principals"] for row in each["permissions"]}

    assert rows["dynamodb:PutItem"]["class"] == "used"
    assert rows["dynamodb:GetItem"]["class"] == "unused"
    assert rows["dax:GetItem"]["class"] == "undetermined"
    assert proposal(run[0])["disposition"] == "unsafe"


def test_the_policy_file_holds_the_document_of_the_json(run):
    folder, _ = run
    (path,) = (folder / "out" / "policies").rglob("*.json")

    assert path.relative_to(folder / "out" / "policies").as_posix() == f"{ACCOUNT}/role/orders-writer-role/fitted.json"
    assert json.loads(path.read_text()) == proposal(folder)["after"][0]["document"]


def test_usage_counts_every_call_once(run, trailfit):
    folder, _ = run
    told = json.loads(trailfit("usage", ROLE, "--lake", folder / "lake", "--format", "json").stdout)

    assert [(row["action"], row["resource"], row["calls"], row["denied"]) for row in told] == [
        ("dynamodb:PutItem", TABLE, 3 * DAYS, 0)
    ]


def test_a_second_ingest_changes_nothing(run, trailfit):
    folder, _ = run
    before = {path: path.read_bytes() for path in sorted((folder / "lake").rglob("*.parquet"))}

    trailfit("ingest", folder / "logs", "--lake", folder / "lake")

    assert {path: path.read_bytes() for path in sorted((folder / "lake").rglob("*.parquet"))} == before


def test_the_window_ends_with_the_lakes_last_day_not_with_the_clock(run):
    data = json.loads((run[0] / "out" / "recommendations.json").read_text())

    assert data["window"] == {"from": "2026-08-03", "to": "2026-10-31", "days": 90}
