"""Whether the places with logs can be listed and read: one object is looked for in each, and its first byte read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trailfit.model import Check
from trailfit.storage.places import client, split_uri, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def checks(sources: Iterable[str], *, ask: bool) -> Iterator[Check]:
    """Try each source; those in S3 only if `ask`."""
    for source in sources:
        if source.startswith("s3://"):
            yield _bucket(source) if ask else Check(source, "open", "not asked")
        else:
            there = Path(source).exists()
            yield Check(source, "good" if there else "bad", "is there" if there else "no such file or folder")


def _bucket(source: str) -> Check:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, prefix = split_uri(source)
    try:
        s3 = client("s3")
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/" if prefix else "", MaxKeys=1).get("Contents", ())
        for one in found:
            s3.get_object(Bucket=bucket, Key=one["Key"], Range="bytes=0-0")["Body"].close()
    except (BotoCoreError, ClientError) as problem:
        return Check(source, "bad", f"cannot be read: {why(problem)}")
    return Check(source, "good", "can be listed and read") if found else Check(source, "bad", "holds no object")
