"""Digest files: a chain signed with a key of our own holds; every tampering with it is found and named."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.ingest.trails import compact, record

from trailfit.cloudtrail.digest import LogFile, check_chain, check_log, check_signature, parse, signed_text, verify

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DER = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
KEYS = {"f00d": DER}
BUCKET = "logs"


def sign(text: bytes) -> str:
    return KEY.sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()


def key_of(hour: int) -> str:
    return f"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/10/31/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20261031T{hour:02d}0000Z.json.gz"


def make(hour: int, previous: tuple[bytes, str] | None, logs: dict[str, bytes]) -> tuple[bytes, str]:
    """Make the digest of one hour and its signature, as CloudTrail does."""
    before = json.loads(gzip.decompress(previous[0])) if previous else {}
    body = {
        "awsAccountId": "111122223333",
        "digestStartTime": f"2026-10-31T{hour - 1:02d}:00:00Z",
        "digestEndTime": f"2026-10-31T{hour:02d}:00:00Z",
        "digestS3Bucket": BUCKET,
        "digestS3Object": key_of(hour),
        "digestPublicKeyFingerprint": "f00d",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": before.get("digestS3Bucket"),
        "previousDigestS3Object": before.get("digestS3Object"),
        "previousDigestHashValue": hashlib.sha256(gzip.decompress(previous[0])).hexdigest() if previous else None,
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": previous[1] if previous else None,
        "logFiles": [
            {
                "s3Bucket": BUCKET,
                "s3Object": name,
                "hashValue": hashlib.sha256(data).hexdigest(),
                "hashAlgorithm": "SHA-256",
            }
            for name, data in sorted(logs.items())
        ],
    }
    data = gzip.compress(json.dumps(body).encode())
    return data, sign(signed_text(parse(data)))


def chain(hours: int = 4) -> list[tuple[bytes, str]]:
    made: list[tuple[bytes, str]] = []
    for hour in range(1, hours + 1):
        made.append(make(hour, made[-1] if made else None, {f"log-{hour}": compact(record(str(hour)))}))
    return made


def kinds(found) -> list[str]:
    return [one.kind for one in found]


def test_the_signed_text_is_as_aws_documents_it():
    digest = parse(chain(1)[0][0])

    assert signed_text(digest).decode().split("\n") == [
        "2026-10-31T01:00:00Z",
        f"{BUCKET}/{key_of(1)}",
        digest.sha256,
        "null",
    ]


def test_a_whole_chain_holds():
    made = [(parse(data), signature) for data, signature in chain()]

    assert check_chain(made) == []
    assert [check_signature(digest, f"{BUCKET}/{digest.key}", signature, KEYS) for digest, signature in made] == [
        []
    ] * 4


def test_keys_in_x509_form_work_too():
    der = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    assert verify(b"text", bytes.fromhex(sign(b"text")), der)


@pytest.mark.parametrize("position", [0, 100, 255])
def test_a_signature_with_one_bit_changed_is_refused(position):
    signature = bytearray.fromhex(sign(b"text"))
    signature[position] ^= 1

    assert not verify(b"text", bytes(signature), DER)
    assert not verify(b"texts", bytes.fromhex(sign(b"text")), DER)


def test_a_signature_with_short_padding_is_refused():
    """Bleichenbacher 2006: with exponent 3, padding must fill the whole block, or signatures can be made up."""
    key = rsa.generate_private_key(public_exponent=3, key_size=2048)
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    hashed = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(b"text").digest()
    block = int.from_bytes(b"\x00\x01\xff\x00" + hashed + b"\x00" * (256 - 4 - len(hashed)), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < block else (low, middle)
    forged = low

    assert (forged**3).to_bytes(256, "big").startswith(b"\x00\x01\xff\x00" + hashed)
    assert not verify(b"text", forged.to_bytes(256, "big"), der)


def test_a_key_that_is_none_is_said():
    with pytest.raises(ValueError, match="RSA"):
        verify(b"", b"", b"\x30\x03abc")


def test_an_altered_digest_fails_its_signature():
    data, signature = chain(1)[0]
    forged = gzip.compress(gzip.decompress(data).replace(b"log-1", b"log-x"))

    assert kinds(check_signature(parse(forged), "", signature, KEYS)) == ["InvalidDigestSignature"]


def test_a_digest_without_signature_key_or_in_another_place_is_named():
    digest = parse(chain(1)[0][0])

    assert kinds(check_signature(digest, "", None, KEYS)) == ["MissingDigestSignature"]
    assert kinds(check_signature(digest, "", "00", {})) == ["UnknownPublicKey"]
    assert kinds(check_signature(digest, "other/place", "00", KEYS)) == ["MovedDigest"]
    assert kinds(check_signature(digest, "", "no hex", KEYS)) == ["InvalidDigestSignature"]


def test_a_deleted_digest_is_found_by_the_one_after_it():
    made = [(parse(data), signature) for data, signature in chain()]

    found = check_chain([made[0], made[1], made[3]])

    assert [(one.kind, one.object) for one in found] == [("DeletedDigest", f"{BUCKET}/{key_of(3)}")]


def test_a_digest_replaced_by_a_rightly_signed_other_one_is_found():
    made = chain()
    other = make(2, made[0], {})

    found = check_chain([(parse(data), signature) for data, signature in (made[0], other, made[2], made[3])])

    assert [(one.kind, one.object) for one in found] == [("AlteredDigest", f"{BUCKET}/{key_of(2)}")]


def test_a_chain_that_starts_anew_is_a_gap():
    first, anew = make(1, None, {}), make(4, None, {})

    assert kinds(check_chain([(parse(first[0]), first[1]), (parse(anew[0]), anew[1])])) == ["DigestGap"]


def test_log_files_are_held_to_their_hash():
    plain = compact(record("a"))
    log = LogFile(BUCKET, "x", hashlib.sha256(plain).hexdigest())

    assert check_log(log, gzip.compress(plain, mtime=0)) is None
    assert check_log(log, gzip.compress(plain, 1, mtime=0)) is None
    assert check_log(log, None).kind == "DeletedLogFile"
    assert check_log(log, gzip.compress(plain + b" ", mtime=0)).kind == "AlteredLogFile"
    assert check_log(log, gzip.compress(plain, mtime=0)[:-3]).kind == "AlteredLogFile"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"logFiles": 7}', gzip.compress(b"x", mtime=0), b"\x1f\x8bxx"])
def test_what_is_no_digest_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"."):
        parse(data)
