"""Where log objects come from: what a source can do, and how one is opened from what the user wrote."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trailfit.errors import SourceError
from trailfit.ingest.keys import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailfit.ingest.held import Version
    from trailfit.ingest.keys import Key
    from trailfit.ingest.selection import Selection
    from trailfit.model import LogObject, Unassessed


@dataclass(frozen=True, slots=True)
class Found:
    """Log objects whose keys say the same of account, region and day; each by name, etag and size."""

    key: Key
    versions: list[Version]

    def log_object(self, version: Version) -> LogObject:
        """Give one of them as a LogObject."""
        # Loaded when there is something new: all of the model takes as long as to walk ten thousand files.
        from trailfit.model import LogObject

        uri, etag, size = version
        return LogObject(uri, etag, size, self.key.account, self.key.region, self.key.day)


class Source(Protocol):
    """A place with log objects."""

    def list(self, selection: Selection) -> Iterator[Found | Unassessed]:
        """List the objects that may hold what is asked for; an Unassessed for each prefix that cannot be listed."""
        ...


def asked_for(folder: str, versions: list[Version], selection: Selection) -> Iterator[Found]:
    """Give those of one folder's objects that may hold what is asked for: the folder says it of all, or each name does.

    Digests are not logs. A folder of CloudTrail's layout is read once, not once a name: names come by the ten thousand.
    """
    # Only the folders of a key say something of a name such as this one.
    key = describe(f"{folder}/-")
    found = [Found(key, versions)] if key.account else [Found(describe(one[0]), [one]) for one in versions]
    for group in found:
        if group.key.kind != "CloudTrail-Digest" and selection.takes_key(group.key):
            yield group


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

    def list(self, selection: Selection) -> Iterator[Found | Unassessed]:
        """Walk the folder; hidden files and folders are left out."""
        path = Path(self.root)
        if path.is_dir():
            yield from self._walk(self.root, selection)
        else:
            yield from asked_for(str(path.parent), [_version(self.root, path.stat())], selection)

    def _walk(self, folder: str, selection: Selection) -> Iterator[Found | Unassessed]:
        folders: list[str] = []
        versions: list[Version] = []
        problems: list[tuple[str, OSError]] = []
        start = "" if folder == "." else f"{folder.rstrip('/')}/"
        try:
            # By its descriptor: by name, the system would look up all folders above each file anew.
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with os.scandir(descriptor) as entries:
                    for entry in entries:
                        name = entry.name
                        if name.startswith("."):
                            continue
                        try:
                            if entry.is_file():
                                versions.append(_version(start + name, entry.stat()))
                            elif entry.is_dir():
                                folders.append(start + name)
                        except OSError as problem:
                            problems.append((start + name, problem))
            finally:
                os.close(descriptor)
        except OSError as problem:
            problems.append((folder, problem))
        for path, failure in problems:
            yield _unassessed(path, failure)
        yield from asked_for(folder, versions, selection)
        for deeper in sorted(folders):
            yield from self._walk(deeper, selection)


def _unassessed(path: str, problem: OSError) -> Unassessed:
    from trailfit.model import Unassessed

    return Unassessed(path, problem.strerror or str(problem))


def _version(path: str, stat: os.stat_result) -> Version:
    """Name a file's version: its time of change, for reading 20,000 files to compare them would be the whole work."""
    return path, f"{stat.st_mtime_ns:x}", stat.st_size


def read_files(objects: Sequence[LogObject]) -> Iterator[tuple[LogObject, bytes | None, str | None]]:
    """Yield each file's bytes, or why they cannot be read."""
    for one in objects:
        try:
            with open(one.uri, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as the reading
                data = file.read()
            yield one, data, None
        except OSError as problem:
            yield one, None, problem.strerror or str(problem)
