"""``--validate`` from a bucket and from a folder: the honest trail passes, each tampering is found."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from tests.cloudtrail.test_digest import BUCKET, DER, KEYS, key_of, make
from tests.ingest.trails import compact, record

from trailfit.errors import SourceError
from trailfit.ingest.selection import Selection
from trailfit.ingest.validate import read_keys, validate


def log_key(hour: int) -> str:
    return f"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/31/111122223333_CloudTrail_eu-west-1_20261031T{hour:02d}05Z_x.json.gz"


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


def test_no_digest_is_said_to_be_no_proof(tmp_path):
    assert "no digest file" in validate(str(tmp_path), Selection(), KEYS).problems[0].reason


def test_keys_are_read_as_the_aws_command_prints_them(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"PublicKeyList": [{"Value": base64.b64encode(DER).decode(), "Fingerprint": "f00d"}]}))

    assert read_keys(str(file)) == KEYS
    file.write_text("[]")
    with pytest.raises(SourceError, match="not a list of CloudTrail public keys"):
        read_keys(str(file))
