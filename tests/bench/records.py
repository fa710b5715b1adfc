"""Make CloudTrail objects for the benchmarks: deterministic, shaped like a busy account's trail.

Run as ``python tests/bench/records.py DIR FILES RECORDS_PER_FILE [--accounts N] [--days N] [--seed N]``. Records
are about 1.75 KB of JSON each and compress about nine-fold; 400 roles with sessions of an hour, the call mix of
a serverless shop, S3 keys that do not repeat.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 8, 1, tzinfo=UTC)
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1")

#: (weight, source, event, data type, read only, request parameters): ``%k`` becomes a fresh name, ``%n`` one of few.
CALLS: tuple[tuple[int, str, str, str | None, bool, dict[str, Any]], ...] = (
    (22, "s3", "GetObject", "AWS::S3::Object", True, {"bucketName": "data-%n", "key": "in/%k.csv", "Host": "data-%n.s3.amazonaws.com"}),
    (9, "s3", "PutObject", "AWS::S3::Object", False, {"bucketName": "data-%n", "key": "out/%k.csv", "Host": "data-%n.s3.amazonaws.com", "x-amz-server-side-encryption": "aws:kms"}),
    (14, "dynamodb", "PutItem", "AWS::DynamoDB::Table", False, {"tableName": "orders-%n", "key": {"id": "%k"}, "items": ["id", "total", "currency"]}),
    (8, "dynamodb", "Query", "AWS::DynamoDB::Table", True, {"tableName": "orders-%n", "select": "ALL_ATTRIBUTES", "keyConditionExpression": "id = :id"}),
    (12, "sts", "AssumeRole", None, True, {"roleArn": "arn:aws:iam::111122223333:role/app/role-%n", "roleSessionName": "fn-%n", "durationSeconds": 3600}),
    (10, "kms", "Decrypt", None, True, {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/%n", "encryptionContext": {"aws:lambda:FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:fn-%n"}}),
    (6, "logs", "CreateLogStream", None, False, {"logGroupName": "/aws/lambda/fn-%n", "logStreamName": "2026/08/01/[$LATEST]%k"}),
    (6, "sqs", "SendMessage", "AWS::SQS::Queue", False, {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q-%n", "messageBody": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
    (5, "ec2", "DescribeInstances", None, True, {"instancesSet": {"items": [{"instanceId": "i-%n"}]}, "filterSet": {}}),
    (4, "lambda", "Invoke", "AWS::Lambda::Function", False, {"functionName": "arn:aws:lambda:eu-west-1:111122223333:function:fn-%n"}),
    (4, "secretsmanager", "GetSecretValue", None, True, {"secretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-%n"}),
)  # fmt: skip


def _fill(value: Any, few: str, fresh: str) -> Any:
    if isinstance(value, str):
        return value.replace("%n", few).replace("%k", fresh)
    if isinstance(value, dict):
        return {key: _fill(item, few, fresh) for key, item in value.items()}
    return [_fill(item, few, fresh) for item in value] if isinstance(value, list) else value


def record(rng: random.Random, account: str, region: str, time: datetime) -> dict[str, Any]:
    """Make one record of `account` at `time`."""
    _, source, name, data_type, read_only, parameters = rng.choices(CALLS, weights=[call[0] for call in CALLS])[0]
    number = min(int(rng.expovariate(0.015)), 399)
    role, few, fresh = f"role-{number}", str(number % 40), f"{rng.getrandbits(48):012x}"
    key = f"ASIA{number:04d}{time:%d%H}EXAMPLE0"[:20]
    denied = rng.random() < 0.02
    principal = f"AROA{number:017d}"
    body: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{principal}:fn-{number}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/fn-{number}",
            "accountId": account,
            "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": principal,
                    "arn": f"arn:aws:iam::{account}:role/app/{role}",
                    "accountId": account,
                    "userName": role,
                },
                "attributes": {"creationDate": f"{time:%Y-%m-%dT%H}:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": f"10.{number % 7}.{number % 250}.{number % 200}",
        "userAgent": f"[Boto3/1.44.{number % 6} md/Botocore#1.44.{number % 6} ua/2.1 os/linux#5.10.240 md/arch#x86_64 lang/python#3.13 cfg/retry-mode#legacy exec-env/AWS_Lambda_python3.13]",
        "requestParameters": _fill(parameters, few, fresh),
        "responseElements": None if read_only or denied else {"x-amz-request-id": f"{rng.getrandbits(64):016X}", "x-amz-id-2": f"{rng.getrandbits(256):064x}"},
        "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": rng.randrange(4096), "AuthenticationMethod": "AuthHeader", "bytesTransferredOut": rng.randrange(65536)},
        "requestID": f"{rng.getrandbits(128):032x}",
        "eventID": f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}-a{rng.getrandbits(12):03x}-{rng.getrandbits(48):012x}",
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": data_type is None,
        "recipientAccountId": account,
        "eventCategory": "Data" if data_type else "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com"},
    }  # fmt: skip
    if denied:
        body["errorCode"] = "AccessDenied"
        body["errorMessage"] = (
            f"User: arn:aws:sts::{account}:assumed-role/{role}/fn-{number} is not authorized to perform: {source}:{name}"
        )
    if data_type == "AWS::S3::Object":
        bucket = f"data-{few}"
        body["resources"] = [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{body['requestParameters']['key']}"},
            {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ]
    elif data_type == "AWS::DynamoDB::Table":
        body["resources"] = [
            {"accountId": account, "type": data_type, "ARN": f"arn:aws:dynamodb:{region}:{account}:table/orders-{few}"}
        ]
    elif source == "kms":
        body["resources"] = [{"accountId": account, "type": "AWS::KMS::Key", "ARN": body["requestParameters"]["keyId"]}]
    return body


def write(folder: Path, files: int, per_file: int, *, accounts: int = 1, days: int = 1, seed: int = 1) -> None:
    """Write `files` objects of `per_file` records each under `folder`, in CloudTrail's own key layout."""
    rng = random.Random(seed)
    for number in range(files):
        account = f"{111122223333 + number % accounts:012d}"
        day = START + timedelta(days=number // accounts % days)
        region = REGIONS[number % len(REGIONS)]
        delivered = day + timedelta(minutes=10 + (number * 1420 // files))
        times = sorted(delivered - timedelta(seconds=rng.randrange(540)) for _ in range(per_file))
        body = {"Records": [record(rng, account, region, time) for time in times]}
        path = folder / f"AWSLogs/{account}/CloudTrail/{region}/{day:%Y/%m/%d}"
        path.mkdir(parents=True, exist_ok=True)
        name = f"{account}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_{rng.getrandbits(64):016x}.json.gz"
        (path / name).write_bytes(gzip.compress(json.dumps(body, separators=(",", ":")).encode(), 6, mtime=0))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("files", type=int)
    arguments.add_argument("records", type=int)
    arguments.add_argument("--accounts", type=int, default=1)
    arguments.add_argument("--days", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args(sys.argv[1:])
    write(given.folder, given.files, given.records, accounts=given.accounts, days=given.days, seed=given.seed)
