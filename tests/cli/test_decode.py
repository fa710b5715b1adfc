"""`trailfit decode`: one JSON line a record, in order, nothing dropped."""

import json

RECORD = {
    "eventID": "e1",
    "eventTime": "2026-10-31T08:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "CopyObject",
    "awsRegion": "eu-west-1",
    "recipientAccountId": "012345678901",
    "eventType": "AwsApiCall",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::012345678901:user/u", "accessKeyId": "AKIAEXAMPLE"},
    "requestParameters": {"bucketName": "dst", "key": "a.csv", "x-amz-copy-source": "src/a.csv"},
}


def test_event_is_written_as_the_contract_says(tmp_path, trailfit):
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"Records": [RECORD]}))

    line = json.loads(trailfit("decode", path).stdout)

    assert list(line) == [
        "event_id", "time", "account", "region", "event_source", "event_name", "principal", "principal_kind", "session",
        "access_key_id", "outcome", "error_code", "counts_as_use", "why", "uses",
    ]  # fmt: skip
    assert line["account"] == "012345678901"
    assert [(use["action"], use["resource"], use["role"]) for use in line["uses"]] == [
        ("s3:PutObject", "arn:aws:s3:::dst/a.csv", "required"),
        ("s3:GetObject", "arn:aws:s3:::src/a.csv", "required"),
    ]
    assert all(use["basis"].startswith("rule:") for use in line["uses"])


def test_what_cannot_be_read_is_a_line_and_exit_3(tmp_path, trailfit):
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"a": 1}, RECORD]))

    lines = [json.loads(line) for line in trailfit("decode", path, code=3).stdout.splitlines()]

    assert [sorted(line)[0] for line in lines] == ["error", "access_key_id"]
    assert "log.json" in lines[0]["where"]


def test_files_keep_their_order(tmp_path, trailfit):
    for name in ("b", "a"):
        (tmp_path / name).write_text(json.dumps(RECORD | {"eventID": name}))

    out = trailfit("decode", tmp_path / "b", tmp_path / "a").stdout

    assert [json.loads(line)["event_id"] for line in out.splitlines()] == ["b", "a"]
