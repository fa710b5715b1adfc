"""Digest objects, which lie beside a trail's logs and hold no events: ingest must tell them apart.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from trailfit.demo.cast import HOME, ORGANISATION, Json, Trail

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def write(logs: Path, trail: Trail, end: date) -> None:
    """Write the digests of the trail's last hours: each names the log objects delivered then, with their hashes."""
    delivered = sorted((logs / trail.bucket).glob(f"**/CloudTrail/{HOME}/{end:%Y/%m/%d}/*.json.gz"))
    own = [path for path in delivered if f"/{ORGANISATION}/{trail.account}/" in path.as_posix()]
    previous: Json = {}
    for hour, path in enumerate(own[-2:], start=21):
        previous = _digest(logs, trail, end, hour, path, previous)


def _digest(logs: Path, trail: Trail, end: date, hour: int, log: Path, previous: Json) -> Json:
    folder = f"{trail.prefix}AWSLogs/{ORGANISATION}/{trail.account}/CloudTrail-Digest/{HOME}/{end:%Y/%m/%d}"
    stamp = f"{end:%Y%m%d}T{hour:02d}0000Z"
    key = f"{folder}/{trail.account}_CloudTrail-Digest_{HOME}_{trail.name}_{HOME}_{stamp}.json.gz"
    entry = {
        "s3Bucket": trail.bucket,
        "s3Object": log.relative_to(logs / trail.bucket).as_posix(),
        "hashValue": hashlib.sha256(gzip.decompress(log.read_bytes())).hexdigest(),
        "hashAlgorithm": "SHA-256",
        "newestEventTime": f"{end}T{hour:02d}:00:00Z",
        "oldestEventTime": f"{end - timedelta(days=1)}T23:50:00Z",
    }
    digest: Json = {
        "awsAccountId": trail.account,
        "digestStartTime": f"{end}T{hour - 1:02d}:00:00Z",
        "digestEndTime": f"{end}T{hour:02d}:00:00Z",
        "digestS3Bucket": trail.bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": hashlib.md5(trail.arn.encode(), usedforsecurity=False).hexdigest(),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": previous.get("digestS3Bucket"),
        "previousDigestS3Object": previous.get("digestS3Object"),
        "previousDigestHashValue": (previous and hashlib.sha256(json.dumps(previous).encode()).hexdigest()) or None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": None,
        "logFiles": [entry],
    }
    target = logs / trail.bucket / key
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(json.dumps(digest).encode(), 6, mtime=0))
    return digest
