"""Where bytes lie: a folder or a bucket, behind one small interface.

boto3 says who we are and where the bucket is (credentials, assumed roles, region, endpoint); obstore moves the
bytes (measured: eight times boto3's small objects per CPU second).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from trailfit.errors import LakeError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


#: obstore asks for new credentials five minutes before the time it is told that they end.
_ASK_AGAIN = timedelta(minutes=10)
_BACKOFF: Any = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=15), "base": 2}


class Storage(Protocol):
    """A tree of objects. Paths are relative, with ``/``."""

    root: str

    def read(self, path: str) -> bytes | None:
        """Read an object whole; None where there is none."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write an object; others see all of it or nothing of it."""
        ...

    def put_file(self, path: str, file: Path) -> None:
        """Move or upload a local file to `path`; others see all of it or nothing of it."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        ...

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield (path, size) of every object beneath `prefix`, sorted by path."""
        ...


def open_storage(root: str) -> Storage:
    """Open a folder (which need not exist yet) or ``s3://bucket/prefix``."""
    if root.startswith("s3://"):
        return BucketStorage(root)
    if "://" in root:
        raise LakeError("only folders and s3:// can hold a lake", where=root)
    return FolderStorage(root)


class FolderStorage:
    """A folder on this machine."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._base = Path(root)

    def read(self, path: str) -> bytes | None:
        """Read a file whole; None where there is none."""
        try:
            return (self._base / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes) -> None:
        """Write beside, flush to the disk, rename."""
        target = self._base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.tmp")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)

    def put_file(self, path: str, file: Path) -> None:
        """Rename `file`, which must lie on the same file system, to its place."""
        target = self._base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, and the folders that this leaves empty."""
        for path in paths:
            target = self._base / path
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for parent in (target.parent, target.parent.parent):
                    if parent != self._base:
                        parent.rmdir()

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield (path, size) of every file beneath `prefix`; half-written ones too."""
        base = self._base / prefix
        for folder, folders, files in os.walk(base):
            folders.sort()
            for name in sorted(files):
                full = Path(folder) / name
                yield full.relative_to(self._base).as_posix(), full.stat().st_size

    def remove_tree(self, path: str) -> None:
        """Delete a folder with all that is in it."""
        shutil.rmtree(self._base / path, ignore_errors=True)


class BucketStorage:
    """A prefix of a bucket."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.bucket, self.prefix = split_uri(self.root)

    @property
    def _store(self) -> Any:
        return bucket_store(self.bucket)

    def _key(self, path: str) -> str:
        return str(PurePosixPath(self.prefix) / path) if self.prefix else path

    def read(self, path: str) -> bytes | None:
        """Get an object whole; None where there is none."""
        import obstore

        try:
            return bytes(obstore.get(self._store, self._key(path)).bytes())
        except FileNotFoundError:
            return None
        except Exception as problem:
            raise LakeError(why(problem), where=f"{self.root}/{path}") from problem

    def write(self, path: str, data: bytes) -> None:
        """Put an object: atomic in S3."""
        import obstore

        try:
            obstore.put(self._store, self._key(path), data)
        except Exception as problem:
            raise LakeError(why(problem), where=f"{self.root}/{path}") from problem

    def put_file(self, path: str, file: Path) -> None:
        """Upload a local file; the object appears when it is whole."""
        import obstore

        try:
            obstore.put(self._store, self._key(path), file)
        except Exception as problem:
            raise LakeError(why(problem), where=f"{self.root}/{path}") from problem

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects."""
        import obstore

        keys = [self._key(path) for path in paths]
        if keys:
            try:
                obstore.delete(self._store, keys)
            except FileNotFoundError:
                return
            except Exception as problem:
                raise LakeError(why(problem), where=self.root) from problem

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """List every object beneath `prefix`."""
        import obstore

        start = len(self.prefix) + 1 if self.prefix else 0
        try:
            for chunk in obstore.list(self._store, prefix=self._key(prefix)):
                for item in chunk:
                    yield item["path"][start:], item["size"]
        except Exception as problem:
            raise LakeError(why(problem), where=f"{self.root}/{prefix}") from problem


def split_uri(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/some/prefix`` into its bucket and prefix (without slashes at the ends)."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise SourceError("no bucket is named", where=uri, hint="write s3://bucket/prefix")
    return bucket, prefix.strip("/")


class _Credentials:
    """What obstore asks for credentials: boto3's own chain, asked again before they end.

    botocore refreshes assumed-role, SSO and instance credentials itself; obstore asks anew every few minutes.
    """

    def __init__(self, session: Any) -> None:
        self.config: Any = {}
        found = session.get_credentials()
        if found is None:
            raise SourceError("no AWS credentials were found", hint="set AWS_PROFILE or the AWS_… variables")
        self._credentials = found

    def __call__(self) -> dict[str, Any]:
        frozen = self._credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _ASK_AGAIN,
        }


@cache
def client(service: str, region: str | None = None) -> Any:
    """Make a boto3 client of the default session, with adaptive retries."""
    import boto3
    from botocore.config import Config

    return boto3.Session().client(
        service,
        region_name=region,
        config=Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=10, read_timeout=60),
    )


_opening = threading.Lock()
_stores: dict[tuple[str, bool], Any] = {}


def bucket_store(bucket: str, *, request_payer: bool = False) -> Any:
    """Open `bucket` with obstore, as boto3 would: its credentials, endpoint and the bucket's own region.

    Once a process, whatever number of threads ask at the same time: boto3 takes a fifth of a CPU second to say who we
    are. Raises SourceError where there are no credentials.
    """
    with _opening:
        store = _stores.get((bucket, request_payer))
        if store is None:
            store = _stores[bucket, request_payer] = _open_bucket(bucket, request_payer)
        return store


def forget(store: Any = None) -> None:
    """Forget a store whose credentials ended (None: all of them), so that boto3 is asked for new ones."""
    with _opening:
        for key in [key for key, held in _stores.items() if store is None or held is store]:
            del _stores[key]


def _open_bucket(bucket: str, request_payer: bool) -> Any:
    import boto3
    from obstore.store import S3Store

    session = boto3.Session()
    try:
        endpoint = client("s3", session.region_name or "us-east-1").meta.endpoint_url
    except Exception as problem:
        raise SourceError(why(problem), where=f"s3://{bucket}") from problem
    custom = ".amazonaws.com" not in endpoint
    config: Any = {
        "region": _region(bucket, session.region_name, custom=custom),
        "virtual_hosted_style_request": not custom,
    }
    if custom:
        config["endpoint"] = endpoint
    if request_payer:
        config["request_payer"] = True
    credentials: Any = _Credentials(session)
    return S3Store(
        bucket,
        config=config,
        credential_provider=credentials,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60s", "connect_timeout": "10s"},
        retry_config={"max_retries": 8, "retry_timeout": timedelta(minutes=3), "backoff": _BACKOFF},
    )


@cache
def arrow_filesystem(bucket: str) -> Any:
    """Open S3 with pyarrow, for DuckDB to read Parquet through; same credentials, region and endpoint."""
    import boto3
    from pyarrow.fs import S3FileSystem

    session = boto3.Session()
    endpoint = client("s3", session.region_name or "us-east-1").meta.endpoint_url
    custom = ".amazonaws.com" not in endpoint
    frozen = session.get_credentials().get_frozen_credentials()
    scheme, _, host = endpoint.partition("://")
    return S3FileSystem(
        access_key=frozen.access_key,
        secret_key=frozen.secret_key,
        session_token=frozen.token,
        region=_region(bucket, session.region_name, custom=custom),
        **({"endpoint_override": host, "scheme": scheme} if custom else {}),
    )


def _region(bucket: str, default: str | None, *, custom: bool) -> str:
    """Ask S3 where a bucket is: HeadBucket answers with the region even when it refuses."""
    if custom:
        return default or "us-east-1"
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = client("s3", default or "us-east-1").head_bucket(Bucket=bucket)
    except ClientError as problem:
        answer = problem.response
    except BotoCoreError as problem:
        raise SourceError(str(problem), where=f"s3://{bucket}") from problem
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region") or default or "us-east-1")


def why(problem: Exception) -> str:
    """Say in one line what an S3 client's exception means, AWS's own error code first."""
    import re

    text = str(problem)
    code = re.search(r"<Code>([A-Za-z]+)</Code>", text)
    message = re.search(r"<Message>([^<]*)</Message>", text)
    if code:
        return f"{code.group(1)}: {message.group(1)}" if message else code.group(1)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(problem).__name__)[:300]
