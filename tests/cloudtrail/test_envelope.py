"""Every envelope gives its records; damage is named and the readable rest is kept; nothing is lost in silence."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.trails import compact, event_id, record

from trailfit.cloudtrail.envelope import Unreadable, raw_records, records
from trailfit.cloudtrail.record import Record

A, B = record("a"), record("b")
LOOKUP = {
    "Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(A)}, {"EventId": "2", "CloudTrailEvent": json.dumps(B)}]
}
LOGS = {
    "messageType": "DATA_MESSAGE",
    "logEvents": [{"id": "1", "message": json.dumps(A)}, {"id": "2", "message": json.dumps(B)}],
}

ENVELOPES = {
    "Records": compact(A, B),
    "Records, pretty": json.dumps({"Records": [A, B]}, indent=2).encode(),
    "array": json.dumps([A, B]).encode(),
    "NDJSON": "\n".join(json.dumps(one) for one in (A, B)).encode(),
    "NDJSON of Records": compact(A) + b"\n" + compact(B) + b"\n",
    "objects in a row": (json.dumps(A) + json.dumps(B)).encode(),
    "EventBridge in a row": "\n".join(json.dumps({"detail-type": "AWS API Call via CloudTrail", "detail": one}) for one in (A, B)).encode(),
    "EventBridge list": json.dumps([{"detail": A}, {"detail": B}]).encode(),
    "CloudWatch Logs": json.dumps(LOGS).encode(),
    "GetLogEvents": json.dumps({"events": LOGS["logEvents"], "nextForwardToken": "f/1"}).encode(),
    "lookup-events": json.dumps(LOOKUP).encode(),
    "lookup-events, NDJSON": "\n".join(json.dumps(one) for one in LOOKUP["Events"]).encode(),
    "SNS message": json.dumps({"Type": "Notification", "Message": json.dumps({"Records": [A, B]})}).encode(),
    "nested": json.dumps({"test_events": [{"name": "x", "event": A}, {"name": "y", "event": B}]}).encode(),
    "byte order mark": b"\xef\xbb\xbf" + compact(A, B),
    "UTF-16": json.dumps([A, B]).encode("utf-16"),
}  # fmt: skip


def ids(data: bytes) -> list[str | None]:
    return [one.eventID if isinstance(one, Record) else None for one in records(data, "f")]


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_every_envelope_gives_its_records(name, pack):
    assert ids(pack(ENVELOPES[name])) == [event_id("a"), event_id("b")]


def test_one_object_is_one_record():
    assert ids(json.dumps(A).encode()) == [event_id("a")]


@pytest.mark.parametrize(
    "data", [b"[]", b'{"Records":[]}', b'{"Records": []}', gzip.compress(b'{"Records":[]}', mtime=0), b" \n "]
)
def test_no_record_is_no_error(data):
    assert list(records(data, "f")) == []


BAD = {
    "empty file": (b"", [None]),
    "no JSON": (b"hello world", [None]),
    "a number": (b"12", [None]),
    "other JSON": (b'{"Version": "2012-10-17", "Statement": []}', [None]),
    "empty object": (b"{}", [None]),
    "null among records": (b'{"Records":[null,' + compact(A)[12:], [None, "a"]),
    "cut in the second record": (compact(A, B)[:-300], ["a", None]),
    "cut right after a record": (compact(A, B)[:-2], ["a", "b"]),
    "damage in the first record": (compact(A, B).replace(b'"PutItem"', b"\x01", 1), [None, "b"]),
    "a bad line": (json.dumps(A).encode() + b"\n{oops}\n" + json.dumps(B).encode(), ["a", None, "b"]),
    "invalid UTF-8": (compact({**A, "userAgent": "AGENT"}, B).replace(b"AGENT", b"\xff\xfe"), ["a", "b"]),
    "duplicate keys": (compact(A).replace(b'"eventName":', b'"eventName":"GetItem","eventName":'), ["a"]),
    "a record of wrong types": (compact({**A, "readOnly": "false", "userAgent": 7}, B), ["a", "b"]),
    "a userIdentity that is text": (compact({**A, "userIdentity": "me"}, B), ["a", "b"]),
    "no eventName": (compact({"eventSource": "s3.amazonaws.com"}, B), [None, "b"]),
    "cut gzip": (gzip.compress(compact(*[record(str(n), requestParameters={"k": n * 7919}) for n in range(200)]))[:-60], None),
    "nested without end": (b'{"Records":[' + b'{"a":' * 100_000 + b"}" * 100_000 + b"," + compact(B)[12:], None),
    "a digest file": (b'{"digestS3Object": "x", "logFiles": []}', [None]),
    "brackets": (b"[" * 100_000, [None]),
    "a message that is cut": (json.dumps({"logEvents": [{"message": json.dumps(A)[:-9]}, {"message": json.dumps(B)}]}).encode(), [None, "b"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_the_readable_records_are_kept(name):
    data, expected = BAD[name]
    found = list(records(data, "f"))

    if expected is not None:
        assert ids(data) == [event_id(one) if one else None for one in expected]
    bad = [one for one in found if isinstance(one, Unreadable)]
    assert all(one.reason and one.where.startswith("f") for one in bad)
    if expected is None or None in expected:
        assert bad


def test_a_cut_gzip_keeps_the_records_before_the_cut():
    data, _ = BAD["cut gzip"]

    found = ids(data)

    assert found[:100] == [event_id(str(number)) for number in range(100)]
    assert found[-1] is None


def test_the_place_of_what_cannot_be_read_counts_from_one():
    data, _ = BAD["a bad line"]

    [bad] = [one for one in records(data, "logs/x.json") if isinstance(one, Unreadable)]

    assert bad.where == "logs/x.json:2"


def test_a_record_of_a_hundred_megabytes_is_read():
    data = compact({**A, "requestParameters": {"blob": "x" * 100_000_000}}, B)

    assert ids(data) == [event_id("a"), event_id("b")]


def test_many_broken_lines_take_time_in_proportion():
    found = list(records(b"{broken\n" * 20_000, "f"))

    assert len(found) == 20_000


@given(st.binary(max_size=300))
def test_nothing_crashes_it(data):
    list(records(data, "f"))


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda c: st.lists(c, max_size=3) | st.dictionaries(st.sampled_from(["Records", "eventName", "eventSource", "detail", "message", "x"]), c, max_size=3)))  # fmt: skip
def test_no_json_crashes_it_and_each_piece_is_a_record_or_a_reason(value):
    for one in records(json.dumps(value).encode(), "f"):
        assert isinstance(one, Record) or one.reason


@given(st.integers(0, 2000))
def test_records_before_a_cut_are_kept_wherever_the_cut_is(cut):
    data = compact(A, B)[: min(cut, len(compact(A, B)) - 1)]

    whole = sum(len(compact(one)) - 14 for one in (A,))
    if len(data) >= 12 + whole:
        assert ids(data)[0] == event_id("a")


def test_text_of_records_is_compact_whatever_the_file_looks_like():
    pretty = json.dumps({"Records": [A]}, indent=4).encode()

    assert list(raw_records(pretty, "f")) == list(raw_records(compact(A), "f"))


def test_every_record_of_the_corpus_is_an_event_or_a_named_error(corpus):
    """Counts from the corpus's own README: every source reconciles to the record."""
    found: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for path in sorted((corpus / "cloudtrail").rglob("*")):
        if path.is_file() and "_LICENSES" not in path.parts:
            source = path.relative_to(corpus / "cloudtrail").parts[0]
            for one in records(path.read_bytes(), path.name):
                (found if isinstance(one, Record) else bad)[source] += 1

    assert found == {
        "traildiscover": 563, "stratus-red-team": 310, "cribl-pack": 44, "cloud-custodian-cwe": 25, "s3-layout-sample": 11,
        "fivexl-cloudtrail-to-slack": 9, "trailscraper": 7, "datadog-serverless-functions": 7, "plaso": 6, "mozdef": 3,
        "aws-docs-cloudtrail-user-guide": 3, "cloudgrep": 2, "aws-cli-examples": 1,
    }  # fmt: skip
    assert bad["cloud-custodian-cwe"] == 11
    assert bad["cloudgrep"] == 1
