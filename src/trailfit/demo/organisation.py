"""Make the demo organisation: its CloudTrail objects, IAM files, repository and ground truth, in one folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from trailfit.demo import data, digests, guardrails, iam_files, prod, repository, staging, truth
from trailfit.demo.cast import DATA, PROD, Trail
from trailfit.demo.history import Calendar, happen
from trailfit.demo.tally import Tally
from trailfit.demo.write import Bucketeer
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = (prod.ACCOUNT, staging.ACCOUNT, data.ACCOUNT)
DATA_TYPES = ("AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::SNS::Topic")
TRAILS = (
    Trail(PROD, "org-trail", "example-org-trail", "org/", organisation=True),
    Trail(PROD, "prod-trail", "example-prod-trail", data_types=DATA_TYPES),
    Trail(DATA, "lake-trail", "example-lake-trail", management=False, data_types=("AWS::S3::Object",)),
)
"""The organisation's trail logs management events everywhere; prod's own trail logs them again, and data events.

Staging has no data events at all: there, silence about a table or an object says nothing.
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo organisation's parts are."""

    logs: Path
    iam: Path
    repo: Path
    truth: Path


def make(folder: Path, *, seed: int = 7, scale: float = 1.0, end: date = date(2026, 10, 31), days: int = 90) -> Demo:
    """Write the demo organisation into `folder`: the same bytes for the same arguments.

    `end` is the last of the log's `days` days; `scale` multiplies what busy principals do, while scheduled jobs
    stay as they are. Memory does not grow with `scale` or `days`. An earlier demo in `folder` is replaced.
    Raises `UsageError` where files that are no demo's are in the way, or git is missing.
    """
    demo = Demo(folder / "logs", folder / "iam", folder / "repo", folder / "truth.json")
    _clear(demo)
    calendar, tally, bucketeer = Calendar(end, days), Tally(), Bucketeer(demo.logs, TRAILS)
    for day in calendar:
        for event in happen(ACCOUNTS, day, calendar, seed, scale):
            tally.add(day, event, copies=bucketeer.deliver(day, event))
        bucketeer.end_day(day)
    bucketeer.close()
    digests.write(demo.logs, TRAILS[0], end)
    for account in ACCOUNTS:
        iam_files.write(demo.iam / account.id, account, TRAILS, tally, end)
    guardrails.write(demo.iam / "organization.json", ACCOUNTS)
    repository.write(demo.repo, ACCOUNTS, end)
    truth.write(demo.truth, ACCOUNTS, TRAILS, tally, calendar, seed)
    return demo


def _clear(demo: Demo) -> None:
    """Remove an earlier demo, known by its ground truth; never a folder that somebody else made."""
    ours = demo.truth.exists()
    for folder in (demo.logs, demo.iam, demo.repo):
        if folder.exists() and not ours:
            raise UsageError("this folder is not empty, and no demo made it", where=str(folder), hint="name another")
        shutil.rmtree(folder, ignore_errors=True)
    demo.truth.parent.mkdir(parents=True, exist_ok=True)
    demo.truth.write_text("{}\n", encoding="utf-8")  # a demo that is interrupted from here on is still known as one
