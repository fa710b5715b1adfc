"""Log objects in S3: listed in parallel, only the days asked for; fetched many at a time.

Key layout: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import re
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from trailfit.errors import SourceError
from trailfit.ingest.source import asked_for
from trailfit.model import LogObject, Unassessed
from trailfit.storage.places import bucket_store, forget, split_uri, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trailfit.ingest.held import Version
    from trailfit.ingest.selection import Selection
    from trailfit.ingest.source import Found

_LISTERS = 16
_FETCHERS = 16
#: Objects, and bytes of them, that one thread fetches in a row; batches and bytes fetched ahead of the decoder.
_BATCH, _BATCH_BYTES = 16, 1024 * 1024
_AHEAD, _AHEAD_BYTES = 24, 32 * 1024 * 1024
_TRIES = 5

_LAYOUT = re.compile(
    r"(?:^|/)AWSLogs(?:/(?P<org>o-[a-z0-9]{10,32}))?(?:/(?P<account>\d{12})(?:/(?P<kind>[^/]+)(?:/(?P<region>[a-z0-9-]+))?)?)?\Z"
)
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}\Z")
_Got = tuple[LogObject, bytes | None, str | None]
#: How many folders deep an ``AWSLogs`` folder is looked for before everything beneath is listed flat.
_DEPTH = 4


class Bucket:
    """A bucket, or a prefix of it."""

    def __init__(self, uri: str, *, payer: bool = False) -> None:
        self.uri = uri
        self.bucket, self.prefix = split_uri(uri)
        self._store = bucket_store(self.bucket, request_payer=payer)

    def list(self, selection: Selection) -> Iterator[Found | Unassessed]:
        """List log objects; a prefix that cannot be listed gives an Unassessed and the rest goes on.

        Raises SourceError when the bucket does not exist.
        """
        found = False
        with ThreadPoolExecutor(_LISTERS) as pool:
            waiting: set[Future[_Listed]] = {pool.submit(self._visit, self.prefix, 0, selection)}
            while waiting:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ready:
                    listed = future.result()
                    waiting |= {pool.submit(self._visit, prefix, depth, selection) for prefix, depth in listed.deeper}
                    waiting |= {pool.submit(self._flat, prefix) for prefix in listed.flat}
                    if listed.problem is not None:
                        found = True
                        yield listed.problem
                    found = found or bool(listed.objects)
                    yield from self._asked_for(listed.objects, selection)
        if not found and selection.first is None and selection.last is None:
            yield Unassessed(self.uri, "no log object lies under this prefix")

    def _asked_for(self, items: Sequence[Any], selection: Selection) -> Iterator[Found]:
        """Put objects together by folder, and leave out what is not asked for."""
        start = f"s3://{self.bucket}/"
        folders: dict[str, list[Version]] = {}
        for item in items:
            path = item["path"]
            version = (start + path, (item["e_tag"] or "").strip('"'), item["size"])
            folders.setdefault(path.rpartition("/")[0], []).append(version)
        for folder, versions in folders.items():
            yield from asked_for(folder, versions, selection)

    def _visit(self, prefix: str, depth: int, selection: Selection) -> _Listed:
        """Look at one folder of the layout: what lies in it, and which folders beneath may hold what is asked for."""
        place = _LAYOUT.search(prefix)
        if place is None and depth >= _DEPTH:
            return _Listed(flat=[prefix])
        if place is not None and place["region"] and depth:
            return self._visit_region(prefix, selection)
        try:
            answer = self._folder(prefix)
            folders, objects = list(answer["common_prefixes"]), list(answer["objects"])
            if not folders and not objects and depth == 0 and prefix:
                return self._visit_partial(prefix)
            if place is not None and place["region"]:
                return self._visit_region(prefix, selection)
        except Exception as problem:  # noqa: BLE001 - obstore's own classes, said per prefix
            return self._refused(prefix, problem)
        deeper = [(folder, depth + 1) for folder in folders if _may_hold(folder, selection)]
        if place is None and "AWSLogs" not in prefix:
            # Dates and the like, not the layout: listing flat costs one request a thousand objects, not one a folder.
            if any(re.fullmatch(r"\d{4}|\d{2}", folder.rpartition("/")[2]) for folder in folders):
                return _Listed(flat=[prefix])
        elif place is None:
            return _Listed(flat=[prefix])
        return _Listed(objects=objects, deeper=deeper)

    def _visit_region(self, prefix: str, selection: Selection) -> _Listed:
        """Give the day prefixes asked for; without both ends, the months there are."""
        if selection.first is not None and selection.last is not None:
            days = (selection.last - selection.first).days + 2
            return _Listed(flat=[f"{prefix}/{selection.first + timedelta(days=n):%Y/%m/%d}" for n in range(days)])
        months: list[str] = []
        try:
            for year in self._folder(prefix)["common_prefixes"]:
                months += self._folder(year)["common_prefixes"]
        except Exception as problem:  # noqa: BLE001 - obstore's own classes, said per prefix
            return self._refused(prefix, problem)
        return _Listed(flat=[month for month in months if _month_asked(month, selection)])

    def _visit_partial(self, prefix: str) -> _Listed:
        """Take a prefix that is no folder: one object's key, or the beginning of several names."""
        parent, _, start = prefix.rpartition("/")
        answer = self._folder(parent)
        folders = [(path, 1) for path in answer["common_prefixes"] if path.rpartition("/")[2].startswith(start)]
        objects = [item for item in answer["objects"] if item["path"].rpartition("/")[2].startswith(start)]
        return _Listed(objects=objects, deeper=folders)

    def _flat(self, prefix: str) -> _Listed:
        import obstore

        def everything() -> list[Any]:
            return [item for chunk in obstore.list(self._store, prefix=prefix or None) for item in chunk]

        try:
            return _Listed(objects=_insist(everything))
        except Exception as problem:  # noqa: BLE001 - obstore's own classes, said per prefix
            return self._refused(prefix, problem)

    def _folder(self, prefix: str) -> Any:
        """List one folder: the objects in it, and the folders."""
        import obstore

        return _insist(lambda: obstore.list_with_delimiter(self._store, prefix or None))

    def _refused(self, prefix: str, problem: Exception) -> _Listed:
        reason = why(problem)
        if "NoSuchBucket" in reason:
            raise SourceError(reason, where=f"s3://{self.bucket}") from problem
        return _Listed(problem=Unassessed(f"s3://{self.bucket}/{prefix}", reason))


def _insist(listing: Callable[[], Any]) -> Any:
    """List again where an answer was cut off on the way: obstore tries again only what S3 refused."""
    import obstore

    final = (FileNotFoundError, obstore.exceptions.PermissionDeniedError, obstore.exceptions.UnauthenticatedError)
    for attempt in range(_TRIES - 1):
        try:
            return listing()
        except final:
            raise
        except Exception as problem:
            if re.match("NoSuch|Invalid|AccessDenied", why(problem)):
                raise
            time.sleep(0.2 * 2**attempt)
    return listing()


class _Listed:
    """What looking at one prefix gave."""

    def __init__(
        self,
        *,
        objects: Sequence[Any] = (),
        deeper: Iterable[tuple[str, int]] = (),
        flat: Iterable[str] = (),
        problem: Unassessed | None = None,
    ) -> None:
        self.objects, self.deeper, self.flat, self.problem = objects, deeper, flat, problem


def _may_hold(folder: str, selection: Selection) -> bool:
    """Tell whether a folder inside AWSLogs may hold log objects asked for."""
    place = _LAYOUT.search(folder)
    if place is None:
        # Inside AWSLogs nothing but accounts and organizations is CloudTrail's; outside, anything may hold an AWSLogs.
        return "AWSLogs" not in folder or bool(_ORGANIZATION.search(folder))
    if place["account"] and selection.accounts is not None and place["account"] not in selection.accounts:
        return False
    if place["kind"] and (not place["kind"].startswith("CloudTrail") or place["kind"] == "CloudTrail-Digest"):
        return False
    return not (place["region"] and selection.regions is not None and place["region"] not in selection.regions)


def _month_asked(prefix: str, selection: Selection) -> bool:
    try:
        year, month = (int(part) for part in prefix.split("/")[-2:])
        first = date(year, month, 1)
    except ValueError:
        return True
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    if selection.first is not None and last < selection.first:
        return False
    return selection.last is None or first <= selection.last + timedelta(days=1)


def read_objects(objects: list[LogObject], *, payer: bool) -> Iterator[tuple[LogObject, bytes | None, str | None]]:
    """Yield each object with its bytes, or why it cannot be had: in order, fetched ahead, bounded in memory."""
    ahead: deque[tuple[int, Future[list[_Got]]]] = deque()
    size = 0
    left = _batches(objects)
    upcoming = next(left, None)
    with ThreadPoolExecutor(_FETCHERS) as pool:
        while upcoming is not None or ahead:
            while upcoming is not None and (not ahead or (len(ahead) < _AHEAD and size < _AHEAD_BYTES)):
                bytes_of_it = sum(one.size for one in upcoming)
                ahead.append((bytes_of_it, pool.submit(_get_all, upcoming, payer)))
                size += bytes_of_it
                upcoming = next(left, None)
            bytes_of_it, future = ahead.popleft()
            yield from future.result()
            size -= bytes_of_it


def _batches(objects: list[LogObject]) -> Iterator[list[LogObject]]:
    """Cut objects into runs that one thread fetches: handing them over one by one costs as much as fetching them."""
    batch: list[LogObject] = []
    size = 0
    for one in objects:
        batch.append(one)
        size += one.size
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _get_all(objects: list[LogObject], payer: bool) -> list[_Got]:
    return [(one, *_get(one, payer)) for one in objects]


def _get(one: LogObject, payer: bool) -> tuple[bytes | None, str | None]:
    """Fetch one object whole; try again what may pass (obstore itself tries again what S3 throttled)."""
    import obstore

    bucket, key = one.uri.removeprefix("s3://").split("/", 1)
    problem = ""
    for attempt in range(_TRIES):
        store = bucket_store(bucket, request_payer=payer)
        try:
            data = bytes(obstore.get(store, key).bytes())
        except FileNotFoundError:
            return None, "gone: it was deleted after it was listed"
        except (obstore.exceptions.PermissionDeniedError, obstore.exceptions.UnauthenticatedError) as refused:
            problem = why(refused)
            if not re.search("Expired|TokenRefresh|InvalidToken", problem):
                return None, problem
            # boto3 is asked anew for credentials: the old ones ended while we were reading.
            forget(store)
        except Exception as failed:  # noqa: BLE001 - said with the object, after the last try
            problem = why(failed)
            if "Expired" in problem:
                forget(store)
        else:
            if len(data) == one.size:
                return data, None
            problem = f"{len(data):,} of {one.size:,} bytes came"
        time.sleep(min(4.0, 0.2 * 2**attempt))
    return None, f"{problem} (tried {_TRIES} times)"
