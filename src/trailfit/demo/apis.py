"""What CloudTrail writes for each API that the demo calls: one row an API.

Forms follow AWS's documented log entries, service by service:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html (all events),
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html (data events).
A row's `action` and `resource` are the demo's ground truth, from the Service Authorization Reference; they are
kept apart from the catalogue on purpose, so that a test can hold one against the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Values: TypeAlias = Mapping[str, str]
    Request: TypeAlias = Callable[[Values], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Api:
    """One API: how its event is named, and what permission it needs.

    `resource` and the ARNs of `listed` are templates over the call's variables, ``account`` and ``region``.
    An empty `resource` means that no permission is needed. `listed` is the event's ``resources``: (type, ARN).
    `data_type` makes it a data event; `everywhere` is the one region a global service logs in.
    """

    event_name: str
    action: str
    resource: str
    request: Request | None
    read_only: bool = False
    data_type: str = ""
    listed: tuple[tuple[str, str], ...] = ()
    response: Request | None = None
    everywhere: str = ""
    source: str = ""

    @property
    def event_source(self) -> str:
        """The event's ``eventSource``."""
        return f"{self.source or self.action.partition(':')[0]}.amazonaws.com"


S3_OBJECT = "arn:aws:s3:::{bucket}/{key}"
S3_BUCKET = "arn:aws:s3:::{bucket}"
TABLE = "arn:aws:dynamodb:{region}:{account}:table/{table}"
QUEUE = "arn:aws:sqs:{region}:{account}:{queue}"
TOPIC = "arn:aws:sns:{region}:{account}:{topic}"
FUNCTION = "arn:aws:lambda:{region}:{account}:function:{function}"
KEY = "arn:aws:kms:{region}:{account}:key/{key_id}"
SECRET = "arn:aws:secretsmanager:{region}:{account}:secret:{secret}"  # noqa: S105
PARAMETER = "arn:aws:ssm:{region}:{account}:parameter{name}"
LOG_GROUP = "arn:aws:logs:{region}:{account}:log-group:{group}"
STACK = "arn:aws:cloudformation:{region}:{account}:stack/{stack}/*"
REPOSITORY = "arn:aws:ecr:{region}:{account}:repository/{repository}"
WORKGROUP = "arn:aws:athena:{region}:{account}:workgroup/{workgroup}"
BY_NAME = ("AWS::DynamoDB::Table", TABLE)


def _object(name: str, action: str, *, read_only: bool) -> Api:
    return Api(
        name,
        action,
        S3_OBJECT,
        lambda v: {"bucketName": v["bucket"], "Host": f"{v['bucket']}.s3.{v['region']}.amazonaws.com", "key": v["key"]},
        read_only,
        "AWS::S3::Object",
        (("AWS::S3::Object", S3_OBJECT), ("AWS::S3::Bucket", S3_BUCKET)),
    )


def _bucket(name: str, action: str, marker: str, *, data: bool = False) -> Api:
    def request(v: Values) -> dict[str, Any]:
        host = f"{v['bucket']}.s3.{v['region']}.amazonaws.com"
        if marker == "prefix":
            return {"bucketName": v["bucket"], "Host": host, "prefix": v.get("prefix", ""), "max-keys": "1000"}
        return {"bucketName": v["bucket"], "Host": host, marker: ""}

    listed: tuple[tuple[str, str], ...] = (("AWS::S3::Bucket", S3_BUCKET),)
    if data:
        listed = (("AWS::S3::Object", "arn:aws:s3:::{bucket}/"), *listed)
    return Api(
        name, action, S3_BUCKET, request, read_only=True, data_type="AWS::S3::Object" if data else "", listed=listed
    )


def _item(name: str, *, read_only: bool) -> Api:
    def request(v: Values) -> dict[str, Any]:
        if name == "BatchGetItem":
            return {"requestItems": {v["table"]: {"keys": [{"id": v.get("id", "0")}]}}}
        keyed = {} if name in {"Query", "Scan"} else {"key": {"id": v.get("id", "0")}}
        return {"tableName": v["table"]} | keyed

    return Api(name, f"dynamodb:{name}", TABLE, request, read_only, "AWS::DynamoDB::Table", (BY_NAME,))


def _queue(name: str, *, read_only: bool = False, data: bool = True) -> Api:
    listed = (("AWS::SQS::Queue", QUEUE),) if data else ()
    return Api(
        name,
        f"sqs:{name}",
        QUEUE,
        lambda v: {"queueUrl": f"https://sqs.{v['region']}.amazonaws.com/{v['account']}/{v['queue']}"},
        read_only,
        "AWS::SQS::Queue" if data else "",
        listed,
    )


def _lambda(name: str, action: str, *, read_only: bool) -> Api:
    return Api(name, f"lambda:{action}", FUNCTION, lambda v: {"functionName": v["function"]}, read_only)


def _nothing(name: str, action: str, *, everywhere: str = "", request: dict[str, Any] | None = None) -> Api:
    made = (lambda _: request) if request else None
    return Api(name, action, "*", made, read_only=True, everywhere=everywhere)


def _stack(name: str, *, read_only: bool) -> Api:
    return Api(name, f"cloudformation:{name}", STACK, lambda v: {"stackName": v["stack"]}, read_only)


def _kms(name: str) -> Api:
    def request(v: Values) -> dict[str, Any]:
        context = {"encryptionContext": {"SecretARN": v["context"]}} if "context" in v else {}
        if name == "GenerateDataKey":
            key = {"keyId": f"arn:aws:kms:{v['region']}:{v['account']}:key/{v['key_id']}", "keySpec": "AES_256"}
            return key | context
        return {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"} | context

    return Api(name, f"kms:{name}", KEY, request, read_only=True, listed=(("AWS::KMS::Key", KEY),))


def _role(name: str) -> Api:
    role = "arn:aws:iam::{account}:role/{role}"
    return Api(
        name, f"iam:{name}", role, lambda v: {"roleName": v["role"]}, name.startswith("Get"), everywhere="us-east-1"
    )


APIS: dict[str, Api] = {
    "s3:GetObject": _object("GetObject", "s3:GetObject", read_only=True),
    "s3:HeadObject": _object("HeadObject", "s3:GetObject", read_only=True),
    "s3:PutObject": _object("PutObject", "s3:PutObject", read_only=False),
    "s3:DeleteObject": _object("DeleteObject", "s3:DeleteObject", read_only=False),
    "s3:ListObjects": _bucket("ListObjects", "s3:ListBucket", "prefix", data=True),
    "s3:GetBucketLocation": _bucket("GetBucketLocation", "s3:GetBucketLocation", "location"),
    "s3:GetBucketAcl": _bucket("GetBucketAcl", "s3:GetBucketAcl", "acl"),
    "s3:GetBucketPolicy": _bucket("GetBucketPolicy", "s3:GetBucketPolicy", "policy"),
    "s3:ListBuckets": _nothing("ListBuckets", "s3:ListAllMyBuckets", request={"Host": "s3.eu-west-1.amazonaws.com"}),
    "dynamodb:PutItem": _item("PutItem", read_only=False),
    "dynamodb:UpdateItem": _item("UpdateItem", read_only=False),
    "dynamodb:DeleteItem": _item("DeleteItem", read_only=False),
    "dynamodb:GetItem": _item("GetItem", read_only=True),
    "dynamodb:BatchGetItem": _item("BatchGetItem", read_only=True),
    "dynamodb:Query": _item("Query", read_only=True),
    "dynamodb:Scan": _item("Scan", read_only=True),
    "dynamodb:DescribeTable": Api(
        "DescribeTable",
        "dynamodb:DescribeTable",
        TABLE,
        lambda v: {"tableName": v["table"]},
        read_only=True,
        listed=(BY_NAME,),
    ),
    "dynamodb:ListTables": _nothing("ListTables", "dynamodb:ListTables"),
    "sqs:SendMessage": _queue("SendMessage"),
    "sqs:ReceiveMessage": _queue("ReceiveMessage"),
    "sqs:DeleteMessage": _queue("DeleteMessage"),
    "sqs:GetQueueAttributes": _queue("GetQueueAttributes", read_only=True, data=False),
    "sqs:PurgeQueue": _queue("PurgeQueue", data=False),
    "sns:Publish": Api(
        "Publish",
        "sns:Publish",
        TOPIC,
        lambda v: {
            "topicArn": f"arn:aws:sns:{v['region']}:{v['account']}:{v['topic']}",
            "message": "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
        data_type="AWS::SNS::Topic",
        listed=(("AWS::SNS::Topic", TOPIC),),
    ),
    "lambda:Invoke": Api(
        "Invoke",
        "lambda:InvokeFunction",
        FUNCTION,
        lambda v: {"functionName": v["function"], "invocationType": "RequestResponse"},
        data_type="AWS::Lambda::Function",
        listed=(("AWS::Lambda::Function", FUNCTION),),
    ),
    "lambda:UpdateFunctionCode": _lambda("UpdateFunctionCode20150331v2", "UpdateFunctionCode", read_only=False),
    "lambda:UpdateFunctionConfiguration": Api(
        "UpdateFunctionConfiguration20150331v2",
        "lambda:UpdateFunctionConfiguration",
        FUNCTION,
        lambda v: {"functionName": v["function"], "role": f"arn:aws:iam::{v['account']}:role/{v['role']}"},
    ),
    "lambda:GetFunction": _lambda("GetFunction20150331v2", "GetFunction", read_only=True),
    "lambda:ListFunctions": _nothing("ListFunctions20150331", "lambda:ListFunctions", request={"maxItems": 50}),
    "kms:Decrypt": _kms("Decrypt"),
    "kms:GenerateDataKey": _kms("GenerateDataKey"),
    "secretsmanager:GetSecretValue": Api(
        "GetSecretValue",
        "secretsmanager:GetSecretValue",
        SECRET,
        lambda v: {"secretId": f"arn:aws:secretsmanager:{v['region']}:{v['account']}:secret:{v['secret']}"},
        read_only=True,
    ),
    "ssm:GetParameter": Api(
        "GetParameter",
        "ssm:GetParameter",
        PARAMETER,
        lambda v: {"name": v["name"], "withDecryption": False},
        read_only=True,
        listed=(("", PARAMETER),),
    ),
    "ssm:GetParametersByPath": Api(
        "GetParametersByPath",
        "ssm:GetParametersByPath",
        PARAMETER,
        lambda v: {"path": v["name"], "recursive": True, "withDecryption": False},
        read_only=True,
    ),
    "ssm:UpdateInstanceInformation": Api(
        "UpdateInstanceInformation",
        "ssm:UpdateInstanceInformation",
        "arn:aws:ec2:{region}:{account}:instance/{instance}",
        lambda v: {
            "instanceId": v["instance"],
            "agentVersion": "3.3.2299.0",
            "agentStatus": "Active",
            "platformType": "Linux",
        },
    ),
    "logs:CreateLogGroup": Api(
        "CreateLogGroup", "logs:CreateLogGroup", LOG_GROUP, lambda v: {"logGroupName": v["group"]}
    ),
    "logs:CreateLogStream": Api(
        "CreateLogStream",
        "logs:CreateLogStream",
        LOG_GROUP + ":log-stream:{stream}",
        lambda v: {"logGroupName": v["group"], "logStreamName": v["stream"]},
    ),
    "logs:DescribeLogGroups": _nothing("DescribeLogGroups", "logs:DescribeLogGroups", request={"limit": 50}),
    "logs:FilterLogEvents": Api(
        "FilterLogEvents",
        "logs:FilterLogEvents",
        LOG_GROUP,
        lambda v: {"logGroupName": v["group"], "limit": 100},
        read_only=True,
    ),
    "ec2:DescribeInstances": _nothing(
        "DescribeInstances", "ec2:DescribeInstances", request={"instancesSet": {}, "filterSet": {}}
    ),
    "ec2:DescribeTags": _nothing("DescribeTags", "ec2:DescribeTags", request={"tagSet": {}, "filterSet": {}}),
    "ec2:DescribeVolumes": _nothing(
        "DescribeVolumes", "ec2:DescribeVolumes", request={"volumeSet": {}, "filterSet": {}}
    ),
    "ec2:DescribeSecurityGroups": _nothing(
        "DescribeSecurityGroups",
        "ec2:DescribeSecurityGroups",
        request={"securityGroupSet": {}, "filterSet": {}},
    ),
    "ec2:StopInstances": Api(
        "StopInstances",
        "ec2:StopInstances",
        "arn:aws:ec2:{region}:{account}:instance/{instance}",
        lambda v: {"instancesSet": {"items": [{"instanceId": v["instance"]}]}, "force": False},
    ),
    "ec2:CreateSnapshot": Api(
        "CreateSnapshot",
        "ec2:CreateSnapshot",
        "arn:aws:ec2:{region}:{account}:volume/{volume}",
        lambda v: {"volumeId": v["volume"], "description": "weekly"},
    ),
    "iam:ListRoles": _nothing("ListRoles", "iam:ListRoles", everywhere="us-east-1"),
    "iam:ListUsers": _nothing("ListUsers", "iam:ListUsers", everywhere="us-east-1"),
    "iam:GetRole": _role("GetRole"),
    "iam:UpdateAssumeRolePolicy": _role("UpdateAssumeRolePolicy"),
    "iam:GetAccountAuthorizationDetails": _nothing(
        "GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails", everywhere="us-east-1"
    ),
    "sts:AssumeRole": Api(
        "AssumeRole",
        "sts:AssumeRole",
        "{role_arn}",
        lambda v: {"roleArn": v["role_arn"], "roleSessionName": v["session"], "durationSeconds": 3600},
        read_only=True,
        listed=(("AWS::IAM::Role", "{role_arn}"),),
    ),
    "sts:GetCallerIdentity": Api("GetCallerIdentity", "sts:GetCallerIdentity", "", None, read_only=True),
    "cloudformation:DescribeStacks": _stack("DescribeStacks", read_only=True),
    "cloudformation:DescribeStackEvents": _stack("DescribeStackEvents", read_only=True),
    "cloudformation:CreateChangeSet": Api(
        "CreateChangeSet",
        "cloudformation:CreateChangeSet",
        STACK,
        lambda v: {"stackName": v["stack"], "changeSetName": v["change"], "capabilities": ["CAPABILITY_NAMED_IAM"]},
    ),
    "cloudformation:ExecuteChangeSet": Api(
        "ExecuteChangeSet",
        "cloudformation:ExecuteChangeSet",
        STACK,
        lambda v: {"stackName": v["stack"], "changeSetName": v["change"]},
    ),
    "ecr:GetAuthorizationToken": _nothing("GetAuthorizationToken", "ecr:GetAuthorizationToken"),
    "ecr:BatchGetImage": Api(
        "BatchGetImage",
        "ecr:BatchGetImage",
        REPOSITORY,
        lambda v: {"registryId": v["account"], "repositoryName": v["repository"], "imageIds": [{"imageTag": "live"}]},
        read_only=True,
        listed=(("", REPOSITORY),),
    ),
    "ecr:PutImage": Api(
        "PutImage",
        "ecr:PutImage",
        REPOSITORY,
        lambda v: {"registryId": v["account"], "repositoryName": v["repository"], "imageTag": v["tag"]},
        listed=(("", REPOSITORY),),
    ),
    "athena:StartQueryExecution": Api(
        "StartQueryExecution",
        "athena:StartQueryExecution",
        WORKGROUP,
        lambda v: {
            "queryString": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "workGroup": v["workgroup"],
            "clientRequestToken": v["token"],
        },
    ),
    "athena:GetQueryResults": Api(
        "GetQueryResults",
        "athena:GetQueryResults",
        WORKGROUP,
        lambda v: {"queryExecutionId": v["query"]},
        read_only=True,
    ),
    "glue:GetTable": Api(
        "GetTable",
        "glue:GetTable",
        "arn:aws:glue:{region}:{account}:table/{database}/{name}",
        lambda v: {"databaseName": v["database"], "name": v["name"]},
        read_only=True,
    ),
    "states:StartExecution": Api(
        "StartExecution",
        "states:StartExecution",
        "arn:aws:states:{region}:{account}:stateMachine:{machine}",
        lambda v: {"stateMachineArn": f"arn:aws:states:{v['region']}:{v['account']}:stateMachine:{v['machine']}"},
    ),
    "cloudtrail:DescribeTrails": _nothing("DescribeTrails", "cloudtrail:DescribeTrails"),
    "organizations:ListAccounts": _nothing("ListAccounts", "organizations:ListAccounts", everywhere="us-east-1"),
}
