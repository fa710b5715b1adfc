"""CloudTrail objects on disk, in the layout of a trail's bucket.

An organisation trail writes ``[prefix/]AWSLogs/O-ID/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/…``, an account's own
``[prefix/]AWSLogs/ACCOUNT/CloudTrail/…``; the date in a key is the day of delivery, so that events of five
minutes to midnight lie in the next day's folder. Objects are streamed: memory does not grow with the volume.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, BinaryIO

from trailfit.demo.cast import ORGANISATION, Trail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trailfit.demo.history import Event

SLOTS = (4, 8, 12, 16, 20)
LATE = 86_400 - 600
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class _Object:
    """One log object being written: ``{"Records":[…]}``, gzip without a name or time, so that bytes repeat."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file: BinaryIO = path.open("wb")
        self.stream = gzip.GzipFile("", "wb", 3, self.file, 0)
        self.buffer: list[str] = []
        self.first = True

    def add(self, text: str) -> None:
        self.buffer.append(text)
        if len(self.buffer) >= 200:
            self.flush()

    def flush(self) -> None:
        if self.buffer:
            head = '{"Records":[' if self.first else ","
            self.first = False
            self.stream.write((head + ",".join(self.buffer)).encode())
            self.buffer.clear()

    def close(self) -> None:
        self.flush()
        self.stream.write(b"]}")
        self.stream.close()
        self.file.close()


class Bucketeer:
    """Delivers events to the buckets of all trails that log them. Close it to finish the last objects."""

    def __init__(self, folder: Path, trails: Sequence[Trail]) -> None:
        self.folder = folder
        self.trails = trails
        self.open: dict[str, tuple[date, _Object]] = {}

    def deliver(self, day: date, event: Event) -> int:
        """Write an event to every trail that logs it; say to how many."""
        text = json.dumps(event.record, separators=(",", ":"))
        data_type = ""
        if event.record["eventCategory"] == "Data":
            data_type = event.record["resources"][0]["type"]
        name, copies = self._delivery(day, event.second), 0
        for trail in self.trails:
            if not (trail.organisation or trail.account == event.account):
                continue
            if data_type not in trail.data_types if data_type else not trail.management:
                continue
            key = self._key(trail, event.account, event.region, name)
            if key not in self.open:
                self.open[key] = (name[0], _Object(self.folder / key))
            self.open[key][1].add(text)
            copies += 1
        return copies

    def end_day(self, day: date) -> None:
        """Finish all objects delivered by the end of a day; those after midnight wait for the next day's events."""
        for key in [key for key, (delivered, _) in self.open.items() if delivered <= day]:
            self.open.pop(key)[1].close()

    def close(self) -> None:
        """Finish every object."""
        for _, item in self.open.values():
            item.close()
        self.open.clear()

    @staticmethod
    def _delivery(day: date, second: int) -> tuple[date, str]:
        """Name the delivery that carries a second of a day: its date and ``HHMM``."""
        if second >= LATE:
            return day + timedelta(days=1), "0005"
        if second < 300:
            return day, "0005"
        hour = next((slot for slot in SLOTS if second < slot * 3600), None)
        return day, f"{hour:02d}00" if hour else "2350"

    @staticmethod
    def _key(trail: Trail, account: str, region: str, name: tuple[date, str]) -> str:
        day, minute = name
        owner = f"{ORGANISATION}/{account}" if trail.organisation else account
        folder = f"{trail.bucket}/{trail.prefix}AWSLogs/{owner}/CloudTrail/{region}/{day:%Y/%m/%d}"
        digest = hashlib.sha256(f"{folder}/{minute}".encode()).digest()
        tail = "".join(ALPHABET[byte % 62] for byte in digest[:16])
        return f"{folder}/{account}_CloudTrail_{region}_{day:%Y%m%d}T{minute}Z_{tail}.json.gz"
