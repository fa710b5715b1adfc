"""A snapshot from AWS: collect, then read what was collected."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trailfit.inventory import from_files
from trailfit.inventory.collect import Collection
from trailfit.inventory.sessions import Caller

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    import boto3

    from trailfit.inventory.settings import Settings
    from trailfit.model import Snapshot


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot, the requests sent for it (service, operation → how often, retries too), and whether it is whole.

    `unfinished`: AWS throttled or failed somewhere; a run with the same folder goes on there.
    """

    snapshot: Snapshot
    sent: Counter[tuple[str, str]]
    unfinished: bool


def work_folder(lake: str, profile: str | None, settings: Settings) -> Path:
    """Return the folder in which a run keeps its answers: one for each lake, profile and settings.

    It lies in the user's cache: a lake in S3 has no place for half a run.
    """
    said = json.dumps([lake, profile, settings.role_name, settings.accounts, settings.regions])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "trailfit" / "inventory" / hashlib.sha256(said.encode()).hexdigest()[:16]


def take(session: boto3.Session, settings: Settings, folder: Path, progress: Callable[[str], None]) -> Taken:
    """Take a snapshot with a session's credentials. `folder` holds the answers while the run lasts.

    A run that was stopped goes on with the same folder; the folder is removed once nothing is left to ask.
    Raises `SourceError` where AWS cannot be asked at all, or not any longer.
    """
    caller = Caller(session, settings)
    folder /= caller.account  # another caller's half of a run is no part of this one
    collection = Collection(folder, caller, progress)
    collection.run()
    snapshot = from_files.read(folder)
    unfinished = collection.unfinished()
    if not unfinished:
        shutil.rmtree(folder)
    return Taken(snapshot, caller.sent, unfinished)
