"""The fast decoder means what the slow definition means: parse one record, understand it."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.trails import compact, record

from trailfit.cloudtrail.envelope import raw_records
from trailfit.cloudtrail.meaning import understand
from trailfit.cloudtrail.record import parse_record
from trailfit.ingest.decode import Decoder
from trailfit.ingest.fields import read_time
from trailfit.ingest.parts import expand
from trailfit.model import LogObject

EPOCH, MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
PLAIN = (
    "event_id", "region", "event_source", "event_name", "event_category", "event_type", "data_type", "read_only", "principal",
    "principal_kind", "session", "access_key_id", "outcome", "error_code", "error_message", "counts_as_use", "why", "source_ip",
    "user_agent", "invoked_by", "shared_event_id", "request_parameters",
)  # fmt: skip


def decoded(data: bytes) -> list[dict[str, Any]]:
    decoder = Decoder()
    decoder.add(data, LogObject("f", "", len(data), None, None, None))
    return [row for _, table in decoder.take() for row in expand(table).to_pylist()]


def slowly(data: bytes) -> list[dict[str, Any]]:
    rows = []
    for raw in raw_records(data, "f"):
        event = understand(parse_record(raw))
        row = {name: getattr(event, name) for name in PLAIN}
        row["uses"] = [
            {
                "action": u.action,
                "resource": u.resource,
                "role": u.role,
                "basis": u.basis,
                "context": json.dumps(dict(u.context), sort_keys=True) if u.context else None,
            }
            for u in event.uses
        ]
        rows.append(row)
    return rows


def same(data: bytes) -> None:
    def order(row: dict[str, Any]) -> str:
        return json.dumps(row, sort_keys=True)

    fast = [{name: row[name] for name in (*PLAIN, "uses")} for row in decoded(data)]
    assert sorted(fast, key=order) == sorted(slowly(data), key=order)


IDENTITIES = st.sampled_from(
    [
        record("x")["userIdentity"],
        {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "accountId": "111122223333", "accessKeyId": "AKIAEXAMPLE"},
        {"type": "AWSService", "invokedBy": "s3.amazonaws.com"},
        {"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROAX:job"},
        {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root", "invokedBy": "kms.amazonaws.com"},
        {**record("x")["userIdentity"], "invokedBy": "dynamodb.amazonaws.com"},
        "text",
        None,
    ]
)  # fmt: skip
CALLS = st.sampled_from(
    [
        ("dynamodb", "PutItem", {"tableName": "orders"}), ("s3", "CopyObject", {"bucketName": "b", "key": "k", "x-amz-copy-source": "src/a"}),
        ("kms", "Decrypt", {"keyId": "arn:aws:kms:eu-west-1:111122223333:key/1"}), ("sts", "GetCallerIdentity", None),
        ("lambda", "CreateFunction20150331", {"functionName": "f", "role": "arn:aws:iam::111122223333:role/r"}),
        ("ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-1"}]}}), ("nowhere", "DoThing", {"a": [1, {"b": None}]}),
    ]
)  # fmt: skip
RECORDS = st.builds(
    lambda identity, call, region, error, category, read_only, response, resources, kind, name, recipient: {
        **record(name),
        "userIdentity": identity,
        "eventSource": f"{call[0]}.amazonaws.com",
        "eventName": call[1],
        "requestParameters": call[2],
        "awsRegion": region,
        "eventCategory": category,
        "readOnly": read_only,
        "responseElements": response,
        "resources": resources,
        "eventType": kind,
        "recipientAccountId": recipient,
        **({"errorCode": error, "errorMessage": "User: x is not authorized to perform: s3:GetObject on resource: y"} if error else {}),
    },
    IDENTITIES, CALLS, st.sampled_from(["eu-west-1", "cn-north-1", None]),
    st.sampled_from([None, "AccessDenied", "ThrottlingException", "NoSuchKey", "Client.UnauthorizedOperation"]),
    st.sampled_from(["Management", "Data", "Insight", None]), st.sampled_from([True, False, None, "true"]),
    st.sampled_from([None, {"functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f"}, {"instancesSet": {"items": [{"instanceId": "i-1"}]}}]),
    st.sampled_from([None, [{"ARN": "arn:aws:s3:::b/k", "type": "AWS::S3::Object"}]]), st.sampled_from(["AwsApiCall", "AwsServiceEvent"]),
    st.text(max_size=3), st.sampled_from(["111122223333", "012345678901", None]),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_the_fast_decoder_gives_what_understanding_each_record_gives(records):
    same(gzip.compress(compact(*records)))


def test_on_the_corpus_too(corpus):
    for path in sorted((corpus / "cloudtrail").rglob("*.json.gz")):
        same(path.read_bytes())


def test_a_damaged_letter_does_not_cost_the_record():
    data = (
        compact(record("a", userAgent="AGENT", requestParameters={"k": "VALUE"}))
        .replace(b"AGENT", b"\xff")
        .replace(b"VALUE", b"\xfe")
    )

    [row] = decoded(data)

    assert (row["user_agent"], row["request_parameters"]) == ("�", '{"k":"�"}')


def test_times_are_read_in_the_forms_that_tools_write():
    noon = read_time("2026-10-31T12:00:00Z")

    for text in (
        "2026-10-31T12:00:00+00:00",
        "2026-10-31T21:00:00+09:00",
        "2026-10-31 12:00:00",
        "1793448000",
        "1793448000000",
    ):
        assert read_time(text) == noon
    for text in ("", "soon", "2026-13-01T00:00:00Z", "9" * 10 + "x"):
        assert read_time(text) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["2026-10-31T12:00:", "2026-10-31T12:01:", "2026-W44-6T12:00:", "20261031T120030.5", "20261031T1200+09:", ""]
        ).flatmap(lambda start: st.sampled_from(["00Z", "07Z", "59Z", "60Z", "7Z", "00+01:00", "30", "٠٠Z"]).map(start.__add__)),
        min_size=1,
        max_size=12,
    )
)  # fmt: skip
def test_a_time_whose_minute_is_known_is_the_time_it_says(times):
    rows = decoded(gzip.compress(compact(*(record(f"{n}", text) for n, text in enumerate(times)))))

    assert sorted((row["event_time"] - EPOCH) // MICROSECOND for row in rows) == sorted(
        found[0] for text in times if (found := read_time(understand(parse_record(record("x", text))).time))
    )
