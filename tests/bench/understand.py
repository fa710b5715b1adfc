"""Print how many records per CPU second `understand` takes, beside the decoder's own rate, on one process.

Run: ``python tests/bench/understand.py``. The records are made up: half S3 reads of ever new keys, a quarter DynamoDB writes,
the rest KMS and EC2 management calls; so hardly a request repeats.
"""

import json
import random
import time

import msgspec

from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import Record

ACCOUNT = "111122223333"
BASE = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-fn/orders-fn",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/app/orders-fn"}},
    },
    "eventTime": "2026-10-31T08:00:00Z",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "10.0.0.1",
    "userAgent": "aws-sdk",
    "eventType": "AwsApiCall",
    "recipientAccountId": ACCOUNT,
}


def records(count):
    draw = random.Random(1)
    for number in range(count):
        share, some = draw.random(), draw.randrange(10**7)
        if share < 0.5:
            call = {
                "eventSource": "s3.amazonaws.com",
                "eventName": "GetObject",
                "requestParameters": {"bucketName": "orders", "Host": "orders.s3.amazonaws.com", "key": f"o/{some}"},
                "resources": [
                    {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::orders/o/{some}"},
                    {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::orders"},
                ],
                "eventCategory": "Data",
            }
        elif share < 0.75:
            call = {
                "eventSource": "dynamodb.amazonaws.com",
                "eventName": "PutItem",
                "requestParameters": {"tableName": "orders", "key": {"id": str(some)}},
                "eventCategory": "Data",
            }
        elif share < 0.9:
            call = {
                "eventSource": "kms.amazonaws.com",
                "eventName": "Decrypt",
                "requestParameters": {"encryptionContext": {"n": str(some)}},
                "resources": [{"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"}],
            }
        else:
            call = {
                "eventSource": "ec2.amazonaws.com",
                "eventName": "DescribeInstances",
                "requestParameters": {"instancesSet": {}, "filterSet": {}},
            }
        yield json.dumps(BASE | {"eventID": str(number)} | call).encode()


def rate(work, items):
    start = time.process_time()
    for item in items:
        work(item)
    return len(items) / (time.process_time() - start)


def main():
    raw = list(records(30_000))
    decode = msgspec.json.Decoder(Record).decode
    typed = [decode(one) for one in raw]
    for one in typed[:1000]:
        understand(one)
    decoding, understanding = rate(decode, raw), rate(understand, typed)
    print(f"decode     {decoding:>12,.0f} records per CPU second")
    print(f"understand {understanding:>12,.0f} records per CPU second ({understanding / decoding:.3f} of decoding)")


if __name__ == "__main__":
    main()
