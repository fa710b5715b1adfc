"""One writer at a time: a lock on a lake, in a folder (the kernel's) or in S3 (a conditional put that expires)."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.errors import LakeError
from trailfit.storage.places import BucketStorage, FolderStorage, Storage, bucket_store, why

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A lock in S3 whose holder has not renewed it for this long is held by nobody (seconds).
LEASE = 120.0
_HINT = "wait until it has ended, then run again"


@contextlib.contextmanager
def hold(storage: Storage, wait: float) -> Iterator[None]:
    """Hold the lake's lock; try for `wait` seconds. Raises LakeError when another process keeps it."""
    if isinstance(storage, BucketStorage):
        holder: contextlib.AbstractContextManager[None] = _hold_bucket(storage, wait)
    else:
        assert isinstance(storage, FolderStorage)
        holder = _hold_folder(Path(storage.root), wait)
    with holder:
        yield


@contextlib.contextmanager
def _hold_folder(root: Path, wait: float) -> Iterator[None]:
    """Lock LAKE/.lock with flock: the kernel releases it however the holder ends."""
    import fcntl

    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("a+")
    except OSError as problem:
        raise LakeError(problem.strerror or str(problem), where=str(root)) from problem
    with file:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    file.seek(0)
                    holder = file.read(200).strip() or "another process"
                    raise LakeError(
                        f"another ingest ({holder}) is writing this lake", where=str(root), hint=_HINT
                    ) from None
                time.sleep(0.2)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextlib.contextmanager
def _hold_bucket(storage: BucketStorage, wait: float) -> Iterator[None]:
    """Put LAKE/.lock if it does not exist, or if its lease has ended; renew it from a thread while held."""
    import obstore

    store = bucket_store(storage.bucket)
    key = f"{storage.prefix}/.lock" if storage.prefix else ".lock"
    until = time.monotonic() + wait
    version = _take(obstore, store, key, storage.root)
    while version is None:
        if time.monotonic() >= until:
            raise LakeError(
                "another ingest is writing this lake",
                where=storage.root,
                hint=f"{_HINT}; a lock nobody renews ends after {LEASE:.0f} s",
            )
        time.sleep(min(1.0, max(0.05, until - time.monotonic())))
        version = _take(obstore, store, key, storage.root)
    done = threading.Event()

    def renew() -> None:
        current = version
        while not done.wait(LEASE / 4):
            with contextlib.suppress(Exception):
                current = obstore.put(store, key, _body(), mode=_update(current))

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with contextlib.suppress(Exception):
            obstore.delete(store, key)


def _take(obstore: Any, store: Any, key: str, root: str) -> Any:
    """Try to take the lock once; its version, or None when somebody holds it."""
    try:
        return obstore.put(store, key, _body(), mode="create")
    except obstore.exceptions.AlreadyExistsError:
        pass
    except Exception as problem:
        raise LakeError(why(problem), where=root) from problem
    try:
        found = obstore.get(store, key)
        meta, body = found.meta, json.loads(bytes(found.bytes()))
    except (FileNotFoundError, ValueError):
        return None
    if float(body.get("until", 0)) > time.time():
        return None
    try:
        return obstore.put(store, key, _body(), mode={"e_tag": meta["e_tag"]})
    except obstore.exceptions.PreconditionError:
        return None


def _update(version: Any) -> Any:
    return {"e_tag": version["e_tag"]}


def _body() -> bytes:
    return json.dumps(
        {"until": time.time() + LEASE, "holder": f"process {os.getpid()} on {os.uname().nodename}"}
    ).encode()
