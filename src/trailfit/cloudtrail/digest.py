"""CloudTrail digest files: what is signed, and whether a chain of them and their log files hold.

Pure: bytes and keys in, findings out. Each digest names the log files of an hour with their SHA-256, and the digest
before it with its SHA-256 and signature; its own signature is RSASSA-PKCS1-v1_5 with SHA-256 and lies in the
object's metadata. All hashes are of the inflated contents. Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from trailfit.cloudtrail.inflate import inflate

#: DER of AlgorithmIdentifier and OCTET STRING header for SHA-256, as RFC 8017 section 9.2 note 1 gives it.
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file that a digest vouches for: where it lies and the SHA-256 of its inflated contents (hex)."""

    bucket: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest file. Times are as written (``2026-10-31T08:00:00Z``); `sha256` is of its own inflated contents."""

    bucket: str
    key: str
    start: str
    end: str
    fingerprint: str
    previous_bucket: str | None
    previous_key: str | None
    previous_sha256: str | None
    previous_signature: str | None
    logs: tuple[LogFile, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Tampering:
    """What is wrong with an object: `kind` is one of KINDS."""

    kind: str
    object: str
    detail: str


KINDS = (
    "InvalidDigestSignature",
    "MissingDigestSignature",
    "UnknownPublicKey",
    "AlteredDigest",
    "DeletedDigest",
    "DigestGap",
    "UnreadableDigest",
    "MovedDigest",
    "AlteredLogFile",
    "DeletedLogFile",
    "UnnamedLogFile",
)


def parse(data: bytes) -> Digest:
    """Read a digest file, as it lies in S3 (gzip) or inflated. Raises ValueError for what is none."""
    documents = list(inflate(data))
    if len(documents) != 1 or documents[0].problem:
        raise ValueError(documents[0].problem or "more than one document")
    plain = bytes(documents[0].data)
    try:
        found: Any = msgspec.json.decode(plain)
        logs = tuple(LogFile(one["s3Bucket"], one["s3Object"], one["hashValue"].lower()) for one in found["logFiles"])
        return Digest(
            bucket=found["digestS3Bucket"],
            key=found["digestS3Object"],
            start=found["digestStartTime"],
            end=found["digestEndTime"],
            fingerprint=found["digestPublicKeyFingerprint"],
            previous_bucket=found.get("previousDigestS3Bucket"),
            previous_key=found.get("previousDigestS3Object"),
            previous_sha256=found.get("previousDigestHashValue"),
            previous_signature=found.get("previousDigestSignature"),
            logs=logs,
            sha256=hashlib.sha256(plain).hexdigest(),
        )
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(f"not a digest file: {type(problem).__name__}: {problem}") from None


def signed_text(digest: Digest) -> bytes:
    """Build the text whose signature the digest carries: its end, its place, its hash, the signature before it."""
    previous = digest.previous_signature or "null"
    return f"{digest.end}\n{digest.bucket}/{digest.key}\n{digest.sha256}\n{previous}".encode()


def verify(text: bytes, signature: bytes, public_key: bytes) -> bool:
    """Verify RSASSA-PKCS1-v1_5 with SHA-256; `public_key` is DER, PKCS #1 (as ListPublicKeys gives it) or X.509.

    The expected encoding is built and compared whole, as RFC 8017 section 8.2.2 has it, so that no malformed padding
    passes. Raises ValueError for a key that is no RSA key.
    """
    modulus, exponent = _rsa_key(public_key)
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= modulus:
        return False
    hashed = _SHA256_PREFIX + hashlib.sha256(text).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(hashed) - 3) + b"\x00" + hashed
    return pow(number, exponent, modulus).to_bytes(size, "big") == expected


def _rsa_key(der: bytes) -> tuple[int, int]:
    """Read modulus and exponent of a DER RSA public key."""
    body, _ = _element(der, 0x30)
    if body[:1] == b"\x30":
        # SubjectPublicKeyInfo: the algorithm, then the PKCS #1 key in a bit string.
        _, rest = _element(body, 0x30)
        bits, _ = _element(rest, 0x03)
        body, _ = _element(bits[1:], 0x30)
    modulus, rest = _element(body, 0x02)
    exponent, _ = _element(rest, 0x02)
    found = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
    if found[0].bit_length() < 1024 or found[1] < 3:
        raise ValueError("not an RSA public key that can be trusted")
    return found


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split off one DER element with this tag: its contents, and what follows."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("not an RSA public key in DER")
    length, start = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + count], "big"), 2 + count
    if len(der) < start + length:
        raise ValueError("an RSA public key that is cut off")
    return der[start : start + length], der[start + length :]


def check_signature(digest: Digest, place: str, signature: str | None, keys: dict[str, bytes]) -> list[Tampering]:
    """Check one digest, found at `place` (``bucket/key``; empty: not known), against `keys` by fingerprint."""
    name = f"{digest.bucket}/{digest.key}"
    if place and place != name:
        return [Tampering("MovedDigest", place, f"it says that it is {name}")]
    if not signature:
        return [Tampering("MissingDigestSignature", name, "the object's metadata hold no signature")]
    key = keys.get(digest.fingerprint)
    if key is None:
        return [Tampering("UnknownPublicKey", name, f"no public key has the fingerprint {digest.fingerprint}")]
    try:
        valid = verify(signed_text(digest), bytes.fromhex(signature), key)
    except ValueError as problem:
        return [Tampering("InvalidDigestSignature", name, str(problem))]
    return [] if valid else [Tampering("InvalidDigestSignature", name, "the signature is not that of its contents")]


def check_chain(digests: list[tuple[Digest, str | None]]) -> list[Tampering]:
    """Check the links of one trail's digests, oldest first, each with its signature.

    A digest before the first, or one whose previous is null (validation was turned on anew), starts a chain.
    """
    found: list[Tampering] = []
    by_name = {f"{digest.bucket}/{digest.key}": (digest, signature) for digest, signature in digests}
    for index, (digest, _) in enumerate(digests):
        name = f"{digest.bucket}/{digest.key}"
        earlier = digests[index - 1][0] if index else None
        if digest.previous_key is None:
            if earlier is not None:
                detail = (
                    f"no digest covers {earlier.end} to {digest.start}: validation was turned off, or digests are gone"
                )
                found.append(Tampering("DigestGap", name, detail))
            continue
        previous = by_name.get(f"{digest.previous_bucket}/{digest.previous_key}")
        if previous is None:
            if earlier is not None:
                detail = f"named by {name}"
                found.append(Tampering("DeletedDigest", f"{digest.previous_bucket}/{digest.previous_key}", detail))
            continue
        before, signature = previous
        if before.sha256 != (digest.previous_sha256 or "").lower() or (signature or "") != (
            digest.previous_signature or ""
        ):
            found.append(Tampering("AlteredDigest", f"{before.bucket}/{before.key}", f"it is not what {name} names"))
    return found


def check_log(log: LogFile, data: bytes | None) -> Tampering | None:
    """Check one log file's bytes (None: it is not there) against what a digest says of it."""
    name = f"{log.bucket}/{log.key}"
    if data is None:
        return Tampering("DeletedLogFile", name, "a digest names it, and it is not there")
    hashed = hashlib.sha256()
    for document in inflate(data):
        hashed.update(document.data)
        if document.problem:
            return Tampering("AlteredLogFile", name, document.problem)
    if hashed.hexdigest() != log.sha256:
        return Tampering("AlteredLogFile", name, "its contents are not those that were delivered")
    return None
