"""A real S3 server on loopback, with authentication on."""

from __future__ import annotations

import logging
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.storage import places as storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-1"


@dataclass
class S3:
    """A server, and a client of it that may do anything."""

    host: str
    port: int
    client: Any

    def make(self, bucket: str) -> str:
        self.client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        return bucket

    def upload(self, bucket: str, folder: Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*.gz")):
            self.client.put_object(
                Bucket=bucket, Key=f"{prefix}{path.relative_to(folder).as_posix()}", Body=path.read_bytes()
            )


def forget_clients() -> None:
    """Drop what the product remembers of endpoints and credentials."""
    storage.forget()
    for cached in (storage.client, storage.arrow_filesystem):
        cached.cache_clear()


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, int, dict[str, str]]]:
    """moto's server with authentication on: one user, who may do all of S3 and nothing else."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    import boto3

    iam = boto3.client(
        "iam",
        endpoint_url=f"http://{host}:{port}",
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    iam.create_user(UserName="tester")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_user_policy(UserName="tester", PolicyName="s3", PolicyDocument=policy)
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    request = urllib.request.Request(
        f"http://{host}:{port}/moto-api/reset-auth", b"0", {"Content-Type": "application/octet-stream"}, method="POST"
    )
    urllib.request.urlopen(request).read()
    yield host, port, {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    moto.stop()


@pytest.fixture
def s3(server: tuple[str, int, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The server, with the product's environment pointing to it and its buckets emptied afterwards."""
    import boto3

    host, port, keys = server
    for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    client = boto3.client("s3")
    yield S3(host, port, client)
    for bucket in client.list_buckets()["Buckets"]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for item in page.get("Contents", []):
                client.delete_object(Bucket=bucket["Name"], Key=item["Key"])
        client.delete_bucket(Bucket=bucket["Name"])
    forget_clients()
