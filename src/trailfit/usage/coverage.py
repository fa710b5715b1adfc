"""When silence is evidence: what the trails logged, and so what "never seen" means for an action.

A permission that nobody used leaves no event. So does one that was used where no trail looked. This module
tells the two apart, per account and action, from the log itself and, where the snapshot has them, from the
trails' event selectors. The reason always comes with the answer.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trailfit import sql
from trailfit.catalog.judgement import prerequisites
from trailfit.catalog.observability import observability, source_of
from trailfit.model import Coverage, Silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from duckdb import DuckDBPyConnection

    from trailfit.model import TrailSelector, Window


def gaps(con: DuckDBPyConnection, window: Window) -> dict[str, tuple[date, ...]]:
    """List, per account in the lake, the days of the window without any management event."""
    logged: dict[str, set[date]] = {}
    for account, day in sql.run(con, "logged_days", **window.parameters()).fetchall():
        logged.setdefault(account, set()).add(day)
    asked = [window.first + timedelta(days=n) for n in range(window.days)]
    return {account: tuple(day for day in asked if day not in days) for account, days in logged.items()}


def read(con: DuckDBPyConnection, window: Window) -> list[Coverage]:
    """Read what the lake's events say was logged in `window`."""
    missing = gaps(con, window)
    return [
        Coverage(
            account=account,
            region=region,
            category=category,
            data_type=data_type,
            first_day=first,
            last_day=last,
            days_seen=seen,
            days_asked=window.days,
            gaps=missing.get(account, ()),
        )
        for account, region, category, data_type, first, last, seen, _calls in sql.run(
            con, "coverage", **window.parameters()
        ).fetchall()
    ]


class Silences:
    """Answer, per account and action, whether silence over the window is evidence.

    >>> from datetime import date
    >>> from trailfit.model import Window
    >>> Silences(Window(date(2026, 8, 3), date(2026, 10, 31)), [], []).of("111122223333", "sqs:CreateQueue")
    Silence(is_evidence=False, reason='no event of account 111122223333 is in the lake', kind='uncovered')
    """

    def __init__(
        self,
        window: Window,
        coverage: Iterable[Coverage],
        selectors: Sequence[TrailSelector],
        unread: Mapping[str, int] | None = None,
    ) -> None:
        self._window = window
        self._unread = unread or {}
        self._gaps: dict[str, tuple[date, ...]] = {}
        self._seen: dict[tuple[str, str], tuple[date, date]] = {}
        for row in coverage:
            self._gaps[row.account] = row.gaps
            if row.category == "Data" and row.data_type:
                key = (row.account, row.data_type)
                first, last = self._seen.get(key, (row.first_day, row.last_day))
                self._seen[key] = (min(first, row.first_day), max(last, row.last_day))
        # An organization's trail logs every member; a trail that was stopped logs nobody.
        self._selectors = [each for each in selectors if each.logging is not False]
        self._answers: dict[tuple[str, str], Silence] = {}

    def of(self, account: str, action: str) -> Silence:
        """Tell whether `action` would have been seen in `account`, had it been used in the window."""
        key = (account, action)
        if key not in self._answers:
            self._answers[key] = self._judge(account, action)
        return self._answers[key]

    def _judge(self, account: str, action: str) -> Silence:
        if account not in self._gaps:
            return Silence(False, f"no event of account {account} is in the lake")
        gaps = self._gaps[account]
        if gaps:
            some = ", ".join(day.isoformat() for day in gaps[:3]) + (", …" if len(gaps) > 3 else "")
            return Silence(
                False,
                f"management events are missing on {len(gaps)} of {self._window.days} days ({some})",
            )
        if self._unread.get(account):
            return Silence(False, f"{self._unread[account]} pieces of the log of account {account} could not be read")
        before, why = prerequisites().get(action, ((), ""))
        if before and all(self.of(account, each).is_evidence for each in before):
            return Silence(True, f"{why}, and none was made", "logged")
        seen = observability(action)
        if seen.kind == "never":
            return Silence(False, seen.reason, "unobservable")
        blind = [kind for kind in seen.data_types if not self._data_type_logged(account, kind)]
        if seen.kind == "data" and len(blind) == len(seen.data_types):
            return Silence(False, f"data events of {' or '.join(blind)} are not logged in account {account}")
        hidden = None if seen.kind == "data" else self._management_blind(account, action)
        if hidden:
            return Silence(False, hidden)
        logged = f"logged on all {self._window.days} days"
        if seen.kind == "management":
            return Silence(True, f"management events are {logged}, and none was this", "logged")
        if seen.kind == "data":
            return Silence(True, f"data events of {', '.join(seen.data_types)} are logged, and none was this", "logged")
        return Silence(True, f"{seen.reason}: such calls are {logged}, and none needed this", "logged")

    def _of(self, account: str) -> list[TrailSelector]:
        return [each for each in self._selectors if each.organization or each.account == account]

    def _management_blind(self, account: str, action: str) -> str | None:
        """Say why the known trails would not have logged a management event, or None when one would, or none is known.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
        """
        trails = [each for each in self._of(account) if each.management or "Management" in each.partial]
        whole = [each for each in trails if each.management]
        if trails and not whole:
            return "the trails log management events only in part (reads or writes alone)"
        if whole and not any(each.multi_region for each in whole):
            regions = ", ".join(sorted({each.region for each in whole}))
            return f"the trails log management events of {regions} only: a call elsewhere leaves no event"
        source = source_of(action.partition(":")[0])
        if whole and all(source in each.excluded for each in whole):
            return f"the trails leave out the management events of {source}"
        return None

    def _data_type_logged(self, account: str, data_type: str) -> bool:
        """Tell whether data events of this type were logged all window long.

        A selector says so outright, where the lake holds any data event of the account at all; or it says that it logs
        only some of them, or those of one region. Without one, the type must have been seen near both ends of the
        window: a week, or a tenth of the window where that is longer, leaves room for work that is not daily.
        """
        trails = self._of(account)
        if any(data_type in each.data_types and each.multi_region for each in trails):
            # What a trail is set to log may be delivered to a bucket that nobody read into the lake.
            return any(seen == account for seen, _ in self._seen)
        if any(data_type in (*each.data_types, *each.partial) for each in trails):
            return False
        if (account, data_type) not in self._seen:
            return False
        slack = timedelta(days=max(7, self._window.days // 10))
        first, last = self._seen[account, data_type]
        return first <= self._window.first + slack and last >= self._window.last - slack
