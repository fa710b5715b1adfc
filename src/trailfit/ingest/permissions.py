"""The IAM actions that reading logs and keeping a lake need: those of its S3 calls, on its buckets, no more.

A trail that is encrypted with a KMS key of your own needs ``kms:Decrypt`` on that key besides, and a lake in such a
bucket ``kms:GenerateDataKey``: the key is not in trailfit's configuration.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.storage.places import split_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

_READ = ("s3:GetObject",)
#: A large part is sent in pieces; a run that is killed leaves none behind.
_WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def statements(sources: Iterable[str], lake: str | None, partition: str = "aws") -> list[dict[str, Any]]:
    """Write the least statements for reading `sources` and keeping `lake`; a folder needs none.

    >>> [each["Sid"] for each in statements(["s3://trail/AWSLogs", "logs"], "lake")]
    ['TrailfitListLogs', 'TrailfitReadLogs']
    """
    logs = sorted({each for each in sources if each.startswith("s3://")})
    lakes = [lake] if lake and lake.startswith("s3://") else []
    return [
        *_of("Logs", logs, "TrailfitReadLogs", _READ, partition),
        *_of("Lake", lakes, "TrailfitKeepLake", _WRITE, partition),
    ]


def _of(what: str, uris: list[str], sid: str, actions: tuple[str, ...], partition: str) -> list[dict[str, Any]]:
    if not uris:
        return []
    places = [split_uri(uri) for uri in uris]
    buckets = sorted({f"arn:{partition}:s3:::{bucket}" for bucket, _ in places})
    objects = sorted({f"arn:{partition}:s3:::{bucket}/{prefix}*" for bucket, prefix in places})
    return [
        {"Sid": f"TrailfitList{what}", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": buckets},
        {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": objects},
    ]
