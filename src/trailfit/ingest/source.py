"""Where log objects come from: what a source can do, and how one is opened from what the user wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trailfit.errors import SourceError
from trailfit.ingest.keys import describe
from trailfit.model import LogObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailfit.ingest.selection import Selection
    from trailfit.model import Unassessed


class Source(Protocol):
    """A place with log objects."""

    def list(self, selection: Selection) -> Iterator[LogObject | Unassessed]:
        """List the objects that may hold what is asked for; an Unassessed for each prefix that cannot be listed."""
        ...


def open_source(text: str, *, payer: bool = False) -> Source:
    """Open a folder, a file, or ``s3://bucket/prefix``. Raises SourceError when there is no such thing."""
    if text.startswith("s3://"):
        from trailfit.ingest.bucket import Bucket

        return Bucket(text, payer=payer)
    if "://" in text:
        raise SourceError("only s3://, folders and files can be read", where=text)
    if not Path(text).exists():
        raise SourceError("no such file or folder", where=text)
    return Folder(text)


class Folder:
    """A folder with everything beneath it, or one file."""

    def __init__(self, root: str) -> None:
        self.root = root

    def list(self, selection: Selection) -> Iterator[LogObject | Unassessed]:
        """Walk the folder, sorted; hidden files and folders are left out."""
        if not Path(self.root).is_dir():
            stat = Path(self.root).stat()
            found = self._object(self.root, stat, selection)
            if found is not None:
                yield found
            return
        yield from self._walk(self.root, selection)

    def _walk(self, folder: str, selection: Selection) -> Iterator[LogObject | Unassessed]:
        from trailfit.model import Unassessed

        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as problem:
            yield Unassessed(folder, problem.strerror or str(problem))
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir():
                    yield from self._walk(entry.path, selection)
                elif entry.is_file():
                    found = self._object(entry.path, entry.stat(), selection)
                    if found is not None:
                        yield found
            except OSError as problem:
                yield Unassessed(entry.path, problem.strerror or str(problem))

    def _object(self, path: str, stat: os.stat_result, selection: Selection) -> LogObject | None:
        key = describe(path)
        if not selection.takes_key(key) or key.kind == "CloudTrail-Digest":
            return None
        # A file's version is its time of change: reading 20,000 files to compare them would be the whole work again.
        return LogObject(path, f"{stat.st_mtime_ns:x}", stat.st_size, key.account, key.region, key.day)


def read_files(objects: Sequence[LogObject]) -> Iterator[tuple[LogObject, bytes | None, str | None]]:
    """Yield each file's bytes, or why they cannot be read."""
    for one in objects:
        try:
            yield one, Path(one.uri).read_bytes(), None
        except OSError as problem:
            yield one, None, problem.strerror or str(problem)
