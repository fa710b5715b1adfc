"""The native decoder gives what the Python decoder gives, from whatever an object holds."""

from __future__ import annotations

import gzip
import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.test_decode import RECORDS
from tests.ingest.trails import compact, record, tree

from trailfit.catalog.actions import every
from trailfit.catalog.tables import rows as catalog_rows
from trailfit.cloudtrail.meaning import reads
from trailfit.ingest.careful import Careful
from trailfit.ingest.decode import Decoder
from trailfit.ingest.kernel import LIBRARY, library
from trailfit.ingest.parts import expand
from trailfit.ingest.run import run
from trailfit.lake import Lake
from trailfit.model import LogObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

if library() is None:
    wanted = os.environ.get("TRAILFIT_DECODER") != "python"
    pytest.skip(f"{LIBRARY.name} is {'not built' if wanted else 'not wanted'}", allow_module_level=True)

SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rows(tables: Iterable[tuple[Any, pa.Table]]) -> list[str]:
    """List the rows of tables with the unit of each, as text, sorted."""
    return sorted(
        json.dumps([str(unit), row], sort_keys=True, default=str)
        for unit, table in tables
        for row in expand(table).to_pylist()
    )


def both(*objects: bytes) -> int:
    """Decode objects both ways, hold that the results are the same, and tell how many were decoded natively."""
    fast, slow = Decoder(), Careful()
    files = [LogObject(f"f{number}", "", len(data), None, None, None) for number, data in enumerate(objects)]
    here = [fast.add(data, file) for data, file in zip(objects, files, strict=True)]
    there = [slow.add(data, file) for data, file in zip(objects, files, strict=True)]
    natively = fast.taken_natively
    mine, others = rows(fast.take()), rows(slow.take().items())
    # Not the lists: pytest takes minutes to show how long ones differ.
    assert [pair for pair in zip(mine, others, strict=True) if pair[0] != pair[1]] == []
    assert here == there
    return natively


@SLOW
@given(st.lists(st.lists(RECORDS, min_size=1, max_size=12), min_size=1, max_size=3))
def test_records_mean_the_same(objects):
    both(*(gzip.compress(compact(*records)) for records in objects))


CLEAN = RECORDS.map(
    lambda one: (
        {**one, "readOnly": None if one["readOnly"] == "true" else one["readOnly"]}
        | ({"userIdentity": None} if one["userIdentity"] == "text" else {})
    )
).filter(lambda one: one["eventName"])


@SLOW
@given(st.lists(CLEAN, min_size=1, max_size=12))
def test_records_as_cloudtrail_delivers_them_are_decoded_natively(records):
    assert both(gzip.compress(compact(*records))) == 1


LEAVES = st.sampled_from(
    ["a", "b", "", "arn:aws:s3:::b/k", "arn:aws:sqs:eu-west-1:111122223333:q", "é", 'q"\\', "\\u0061rn:x", 1, 1.5, True, None]
)  # fmt: skip
WORDS = st.sampled_from(
    ["tableName", "TableName", "key", "Key", "id", "keyId", "bucketName", "name", "functionName", "role", "items", "arn",
     "logGroupName", "policyDocument", "x-amz-copy-source", "K", "é", 'a"b', "statement", "transactItems", "put"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
NAMES = st.sampled_from(
    [("s3", "GetObject"), ("s3", "PutObject"), ("s3", "CopyObject"), ("dynamodb", "TransactWriteItems"), ("dynamodb", "PutItem"),
     ("dynamodb", "ExecuteStatement"), ("kms", "Decrypt"), ("kms", "GenerateDataKey"), ("sts", "AssumeRole"), ("iam", "PassRole"),
     ("lambda", "Invoke"), ("lambda", "CreateFunction20150331"), ("ec2", "RunInstances"), ("ec2", "DescribeInstances"),
     ("ec2", "CreateTags"), ("logs", "CreateLogStream"), ("sqs", "SendMessage"), ("ssm", "SendCommand"), ("bedrock", "InvokeModel"),
     ("elasticloadbalancing", "CreateLoadBalancer"), ("ecs", "RunTask"), ("monitoring", "PutMetricAlarm"), ("s3", "DeleteObjects")]
)  # fmt: skip
RESOURCE = st.fixed_dictionaries(
    {},
    optional={
        "ARN": st.sampled_from(
            ["arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/k/l", "arn:aws:kms:eu-west-1:111122223333:key/1", "x", None, 5,
             "arn:aws:dynamodb:eu-west-1:111122223333:table/t", "arn:aws:dynamodb:eu-west-1:111122223333:table/t/index/i", "", "arn:é"]
        ),
        "arn": st.sampled_from(["arn:aws:s3:::c/k", "arn:aws:s3:::b/k", "", None]),
        "type": st.sampled_from(["AWS::S3::Object", "AWS::DynamoDB::Table", None]),
        "more": VALUES,
    },
)  # fmt: skip
LISTED = st.lists(RESOURCE, max_size=4) | st.sampled_from(
    [None, {}, "arn:aws:s3:::b", [[{"ARN": "arn:aws:s3:::b"}]], ["arn:x"]]
)


@settings(SLOW, max_examples=200)
@given(
    st.lists(
        st.tuples(NAMES, VALUES, LISTED, st.sampled_from(["Management", "Data"]), st.sampled_from([None, "AccessDenied"])),
        min_size=1,
        max_size=16,
    )
)  # fmt: skip
def test_requests_of_any_form_are_on_the_same_resources(calls):
    records = [
        record(
            str(number),
            eventSource=f"{source}.amazonaws.com",
            eventName=name,
            requestParameters=request,
            resources=listed,
            eventCategory=category,
            errorCode=error,
        )
        for number, ((source, name), request, listed, category, error) in enumerate(calls)
    ]
    assert both(gzip.compress(compact(*records))) == 1


TEXTS = ["a", "b", "a/b", "arn:aws:s3:::b/k", "x:y", "", "5", 5, None, True, "$LATEST"]


def requests(rng: random.Random, keys: list[str]) -> Any:
    """Make a request out of the keys that a plan reads, and of others: nested, in lists, of one text or several."""

    def value(depth: int) -> Any:
        kind = rng.random()
        if depth and kind < 0.15:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        if depth and kind < 0.35:
            return {rng.choice(keys): value(depth - 1) for _ in range(rng.randrange(3))}
        return rng.choice(TEXTS)

    return {rng.choice(keys): value(2) for _ in range(rng.randrange(5))}


def test_actions_of_the_catalogue_are_on_the_same_resources():
    rng = random.Random(3)
    records = []
    ruled = {(row["service"], row["event_name"]) for row in catalog_rows("event_rules")}
    some = {tuple(action.split(":")) for action in rng.sample(every(), 2000)}
    for service, name in sorted(some | ruled):
        keys = sorted(reads(f"{service}.amazonaws.com", name) - {"@keys", "@values"}) or ["name"]
        for _ in range(3):
            request = requests(rng, [*rng.sample(keys, min(4, len(keys))), "other"])
            listed = [{"ARN": rng.choice(["arn:aws:s3:::b", f"arn:aws:{service}:eu-west-1:111122223333:table/t"])}]
            records.append(
                record(
                    str(len(records)),
                    eventSource=f"{service}.amazonaws.com",
                    eventName=name,
                    requestParameters=request,
                    resources=rng.choice([None, listed]),
                    eventCategory="Management",
                )
            )

    assert len(records) > 6_000
    assert both(gzip.compress(compact(*records))) == 1


@settings(SLOW, max_examples=150)
@given(st.data())
def test_damaged_objects_are_read_the_same(data):
    whole = compact(*data.draw(st.lists(RECORDS, min_size=1, max_size=3)))
    place = data.draw(st.integers(0, len(whole) - 1))
    piece = data.draw(
        st.sampled_from(
            [b"", b" ", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"1", b"null", b"\xff", b"\x00", b"\n", b"-", b"\\u00e9",
             b"\\ud800", b'"eventID":"x",', b'"eventName":"y",', b"tru", b"1e999", b"0123"]
        )
    )  # fmt: skip
    both(gzip.compress(whole[:place] + piece + whole[place + data.draw(st.integers(0, 3)) :]))


ODD = [
    b'{"Records":[]}', b'{"Records":[{}]}', b'{"Records":[1]}', b'{"Records":{}}', b"{}", b"[]", b" ", b'{"records":[]}',
    b'{"Records":[' + b"[" * 200 + b"]" * 200 + b"]}", b'{"Records":[],"x":1}', b'{"x":1,"Records":[]}',
]  # fmt: skip


@pytest.mark.parametrize("plain", ODD)
def test_odd_documents_are_left_to_python(plain):
    assert both(gzip.compress(plain)) == 0


@pytest.mark.parametrize(
    ("change", "natively"),
    [
        ({"eventTime": "2026-10-31T12:00:00.5Z"}, 0), ({"eventTime": "2026-02-29T12:00:00Z"}, 0), ({"eventTime": "2028-02-29T12:00:00Z"}, 1),
        ({"eventTime": "0001-01-01T00:00:00Z"}, 1), ({"eventTime": "0000-01-01T00:00:00Z"}, 0), ({"eventTime": "9999-12-31T23:59:59Z"}, 1),
        ({"eventTime": "1969-12-31T23:59:59Z"}, 1), ({"eventTime": "2026-10-31T12:00:60Z"}, 0), ({"eventTime": None}, 0),
        ({"eventName": ""}, 0), ({"eventName": None}, 0), ({"eventID": None}, 1), ({"eventID": 'a"b'}, 0), ({"errorMessage": 'a"\nb'}, 1),
        ({"userAgent": "é😀\\"}, 1), ({"userAgent": "\ud83d"}, 0), ({"userAgent": "\ude00\ud83d"}, 0), ({"requestParameters": {"😀": "😀"}}, 1), ({"sourceIPAddress": 5}, 0), ({"readOnly": "true"}, 0), ({"userIdentity": [1]}, 1),
        ({"requestParameters": "text"}, 1), ({"requestParameters": 5}, 1), ({"requestParameters": {"a": 1e300}}, 0),
        ({"additionalEventData": {"n": 12345678901234567890}}, 0), ({"resources": [{"ARN": f"arn:aws:s3:::b/{n}"} for n in range(20)]}, 1),
    ],
)  # fmt: skip
def test_values_at_the_edge(change, natively):
    assert both(gzip.compress(compact(record("a"), record("b", **change)))) == natively


def test_a_field_given_twice_or_in_parts_is_left_to_python():
    plain = compact(record("a"))

    assert both(gzip.compress(plain.replace(b'{"eventVersion"', b'{"eventName":"x","eventVersion"'))) == 0
    assert both(gzip.compress(plain[:200]) + gzip.compress(plain[200:])) == 0
    assert both(gzip.compress(plain)[:-9]) == 0
    assert both(gzip.compress(plain) + b"\0") == 0
    assert both(gzip.compress(plain + b" \n")) == 1
    assert both(gzip.compress(plain.replace(b":", b": "))) == 0


def test_what_was_learned_is_forgotten_when_it_is_much(monkeypatch):
    monkeypatch.setattr("trailfit.ingest.fast._MANY", 3)
    fast, slow = Decoder(), Careful()
    for batch in range(4):
        data = gzip.compress(
            compact(*(record(f"{batch}-{n}", requestParameters={"tableName": f"t{n % 5}"}) for n in range(20)))
        )
        for decoder in (fast, slow):
            decoder.add(data, LogObject(f"f{batch}", "", len(data), None, None, None))
        assert rows(fast.take()) == rows(slow.take().items())


@pytest.fixture
def in_python(monkeypatch) -> Iterator[None]:
    """Leave the native decoder unused."""
    monkeypatch.setenv("TRAILFIT_DECODER", "python")
    library.cache_clear()
    yield
    monkeypatch.delenv("TRAILFIT_DECODER")
    library.cache_clear()


def test_the_lake_is_the_same_byte_for_byte(tmp_path: Path, corpus, request):
    logs = str(corpus / "cloudtrail")
    run([logs], Lake(tmp_path / "native"), jobs=1)
    request.getfixturevalue("in_python")
    assert library() is None
    run([logs], Lake(tmp_path / "python"), jobs=1)

    assert tree(tmp_path / "native") == tree(tmp_path / "python")


def test_the_lake_of_the_demo_is_the_same_byte_for_byte(tmp_path: Path, request):
    from trailfit.demo.organisation import make

    made = make(tmp_path / "demo", scale=0.1)
    logs = str(tmp_path / "demo")
    assert made
    run([logs], Lake(tmp_path / "native"), jobs=1)
    request.getfixturevalue("in_python")
    run([logs], Lake(tmp_path / "python"), jobs=1)

    assert tree(tmp_path / "native") == tree(tmp_path / "python")
