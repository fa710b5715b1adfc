"""``--validate`` from a bucket and from a folder: the honest trail passes, each tampering is found."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cloudtrail.test_digest import BUCKET, DER, KEYS, key_of, make
from tests.ingest.trails import compact, record

from trailfit.cli.ingest import command
from trailfit.errors import SourceError
from trailfit.ingest.selection import Selection
from trailfit.ingest.validate import read_keys, validate
from trailfit.lake import Lake


def log_key(hour: int) -> str:
    """Name the log file of the hour that ends at `hour`, which that hour's digest names."""
    return f"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/31/111122223333_CloudTrail_eu-west-1_20261031T{hour - 1:02d}05Z_x.json.gz"


@pytest.fixture
def trail() -> dict[str, tuple[bytes, str | None]]:
    """Objects by key, with the signature in the metadata of digests."""
    objects: dict[str, tuple[bytes, str | None]] = {}
    previous = None
    for hour in range(1, 5):
        plain = compact(record(f"h{hour}", f"2026-10-31T{hour:02d}:01:00Z"))
        objects[log_key(hour)] = (gzip.compress(plain), None)
        previous = make(hour, previous, {log_key(hour): plain})
        objects[key_of(hour)] = previous
    return objects


def upload(s3, objects: dict[str, tuple[bytes, str | None]]) -> None:
    s3.make(BUCKET)
    for key, (data, signature) in objects.items():
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"} if signature else {}
        s3.client.put_object(Bucket=BUCKET, Key=key, Body=data, Metadata=metadata)


def copy(folder: Path, objects: dict[str, tuple[bytes, str | None]]) -> None:
    for key, (data, _) in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_an_honest_trail_in_a_bucket_passes(s3, trail):
    upload(s3, trail)

    found = validate(f"s3://{BUCKET}", Selection(), KEYS)

    assert (found.digests, found.logs, found.findings, found.problems) == (4, 4, [], [])


def test_a_folder_takes_signatures_from_the_digests_that_follow(tmp_path, trail):
    copy(tmp_path, trail)

    found = validate(str(tmp_path), Selection(), KEYS)

    assert (found.digests, found.logs, found.findings) == (4, 4, [])
    assert [Path(problem.subject).name for problem in found.problems] == [Path(key_of(4)).name]


def test_a_signature_beside_a_digest_is_read(tmp_path, trail):
    copy(tmp_path, trail)
    (tmp_path / f"{key_of(4)}.signature").write_text(trail[key_of(4)][1])

    found = validate(str(tmp_path), Selection(), KEYS)

    assert (found.findings, found.problems) == ([], [])


TAMPERING = {
    "AlteredLogFile": lambda t: t.update({log_key(2): (gzip.compress(compact(record("forged"))), None)}),
    "DeletedLogFile": lambda t: t.pop(log_key(2)),
    "DeletedDigest": lambda t: t.pop(key_of(2)),
    "InvalidDigestSignature": lambda t: t.update({key_of(4): (t[key_of(4)][0], t[key_of(3)][1])}),
    "UnreadableDigest": lambda t: t.update({key_of(4): (b"rubbish", None)}),
    "MissingDigestSignature": lambda t: t.update({key_of(4): (t[key_of(4)][0], None)}),
    "MovedDigest": lambda t: t.update({key_of(9): t[key_of(4)]}),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_every_tampering_in_a_bucket_is_found(s3, trail, kind):
    TAMPERING[kind](trail)
    upload(s3, trail)

    found = validate(f"s3://{BUCKET}", Selection(), KEYS)

    assert {one.kind for one in found.findings} == {kind}


@pytest.mark.parametrize("kind", ["AlteredLogFile", "DeletedLogFile", "DeletedDigest", "UnreadableDigest"])
def test_tampering_in_a_folder_is_found(tmp_path, trail, kind):
    TAMPERING[kind](trail)
    copy(tmp_path, trail)

    assert {one.kind for one in validate(str(tmp_path), Selection(), KEYS).findings} == {kind}


def at(time: str, region: str = "eu-west-1") -> str:
    """Name a log file delivered at this time (``20261031T0105``)."""
    day = f"{time[:4]}/{time[4:6]}/{time[6:8]}"
    return f"AWSLogs/111122223333/CloudTrail/{region}/{day}/111122223333_CloudTrail_{region}_{time}Z_forged.json.gz"


@pytest.mark.parametrize("place", ["bucket", "folder"])
def test_a_log_file_that_no_digest_of_its_hour_names_is_found(request, tmp_path, trail, place):
    trail[at("20261031T0130")] = (gzip.compress(compact(record("forged"))), None)
    if place == "bucket":
        upload(request.getfixturevalue("s3"), trail)
        found = validate(f"s3://{BUCKET}", Selection(), KEYS)
    else:
        copy(tmp_path, trail)
        found = validate(f"{tmp_path}/", Selection(), KEYS)

    assert [(one.kind, Path(one.object).name) for one in found.findings] == [
        ("UnnamedLogFile", Path(at("20261031T0130")).name)
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (
            at("20261030T2350"),
            "delivered before the first digest begins (2026-10-31T00:00Z): validation was not yet on",
        ),
        (at("20261031T0310"), "the digest that may name them had not come: the last one ends 2026-10-31T04:00Z"),
        (at("20261031T0905"), "the digest that may name them had not come: the last one ends 2026-10-31T04:00Z"),
        (at("20261031T0130", "us-east-1"), "no digest of this account and region lies beside them"),
    ],
)
def test_a_log_file_that_no_digest_covers_yet_is_said_not_suspected(tmp_path, trail, key, reason):
    trail[key] = (gzip.compress(compact(record("early or late"))), None)
    copy(tmp_path, trail)
    (tmp_path / f"{key_of(4)}.signature").write_text(trail[key_of(4)][1])

    found = validate(str(tmp_path), Selection(), KEYS)

    assert found.findings == []
    assert [problem.reason for problem in found.problems] == [f"1 log files that no digest names: {reason}"]


def test_what_was_found_stays_in_the_lake_and_the_command_exits_1(tmp_path, trail):
    TAMPERING["AlteredLogFile"](trail)
    copy(tmp_path / "logs", trail)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"PublicKeyList": [{"Value": base64.b64encode(DER).decode(), "Fingerprint": "f00d"}]}))
    options = ["--lake", str(tmp_path / "lake"), "--validate", "--public-keys", str(keys), "--jobs", "1"]

    tampered = CliRunner().invoke(command, [str(tmp_path / "logs"), *options])
    rows = Lake(tmp_path / "lake").connect().sql("select result, kind, object from integrity order by all").fetchall()
    (tmp_path / "other").mkdir()
    CliRunner().invoke(command, [str(tmp_path / "other"), *options])
    sources = Lake(tmp_path / "lake").connect().sql("select distinct source from integrity order by 1").fetchall()

    assert tampered.exit_code == 1
    assert [(result, kind, where and Path(where).name) for result, kind, where in rows] == [
        ("not validated", None, Path(key_of(4)).name),
        ("tampering", "AlteredLogFile", Path(log_key(2)).name),
        ("validated", None, None),
    ]
    assert sources == [(str(tmp_path / "logs"),), (str(tmp_path / "other"),)]


def test_no_digest_is_said_to_be_no_proof(tmp_path):
    assert "no digest file" in validate(str(tmp_path), Selection(), KEYS).problems[0].reason


def test_keys_are_read_as_the_aws_command_prints_them(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"PublicKeyList": [{"Value": base64.b64encode(DER).decode(), "Fingerprint": "f00d"}]}))

    assert read_keys(str(file)) == KEYS
    file.write_text("[]")
    with pytest.raises(SourceError, match="not a list of CloudTrail public keys"):
        read_keys(str(file))
