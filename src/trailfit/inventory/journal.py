"""A collection on disk: one file a step, one line an answer; what a killed or throttled run resumes from.

A line holds the request and the answer, an item's last line says so, and the file's last line says that the
step is whole. Resuming keeps the items that are whole and asks again for the rest.
"""

from __future__ import annotations

import base64
import json
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

END = "end"


class Journal:
    """The file of one step in one account and region. Its methods may be called from several threads."""

    def __init__(self, path: Path, account: str, region: str | None) -> None:
        self.path = path
        self.account = account
        self.region = region
        self._lock = threading.Lock()
        self._done: set[str] = set()
        self._file: Any = None

    def whole(self) -> bool:
        """Tell whether an earlier run finished this step, with nothing left to try again."""
        last: dict[str, Any] = {}
        again = False
        for last in self.lines():
            again |= bool((last.get("error") or {}).get("again"))
        return last.get("kind") == END and not again

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that were written whole."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for text in file:
                try:
                    yield json.loads(text)
                except ValueError:  # killed while it was written
                    return

    def open(self) -> None:
        """Begin, or go on where an earlier run stopped: keep its whole items, drop the rest."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for line in self.lines():
            if line.get("last") and not (line.get("error") or {}).get("again"):
                self._done.add(line["key"])
        kept = self.path.with_suffix(".kept")
        with kept.open("w", encoding="utf-8") as file:
            for line in self.lines():
                if line.get("key") in self._done:
                    file.write(json.dumps(line) + "\n")
        kept.replace(self.path)
        self._file = self.path.open("a", encoding="utf-8")

    def has(self, key: str) -> bool:
        """Tell whether an item is whole, or under way; it is under way from now on."""
        with self._lock:
            if key in self._done:
                return True
            self._done.add(key)
            return False

    def write(self, **line: object) -> None:
        """Write one line; it is on its way to the disk when this returns."""
        text = json.dumps({"account": self.account, "region": self.region, **line}, default=plain)
        with self._lock:
            self._file.write(text + "\n")
            self._file.flush()

    def close(self, *, whole: bool) -> None:
        """End the file; `whole`: every item was tried."""
        if whole:
            self.write(kind=END, params={})
        self._file.close()


def plain(value: object) -> object:
    """Write botocore's times and bytes as the AWS CLI prints them."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


def key_of(request: Mapping[str, Any]) -> str:
    """Return an item's key in its journal: its request."""
    return json.dumps(request, sort_keys=True, default=plain)
