"""Growth and shrinkage from run to run: in all, and for each role and user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.deliver import report
from trailfit.deliver.trend import Counts, Run, trend
from trailfit.deliver.view import run_of

from . import sample

if TYPE_CHECKING:
    from pathlib import Path

MARCH = Run("2026-01-01", "2026-03-31", {"a": (1, 0, 0, 9), "b": (2, 0, 0, 0)}, ("f1", "f2"))
APRIL = Run("2026-02-01", "2026-04-30", {"a": (1, 0, 0, 4), "b": (2, 0, 0, 3), "c": (1, 0, 0, 0)}, ("f2",))
MAY = Run("2026-03-01", "2026-05-31", {"a": (2, 0, 0, 0), "c": (1, 1, 0, 0)}, ("f2", "f3"))


def test_each_role_is_compared_with_the_last_run_and_shown_over_all() -> None:
    found = trend(MAY, [MARCH, APRIL])

    assert found is not None
    assert (found.since, found.counts) == ("2026-04-30", Counts(used=-1, kept=1, unused=-7))
    assert found.roles["a"].counts == Counts(used=1, unused=-4)
    assert found.roles["a"].months == (("2026-03-31", 10), ("2026-04-30", 5), ("2026-05-31", 2))
    assert (found.grew, found.shrank, found.came, found.went) == (1, 1, 0, 1)
    assert (found.findings_new, found.findings_gone) == (1, 0)
    assert found.months == (("2026-03-31", 12), ("2026-04-30", 11), ("2026-05-31", 4))


def test_the_first_run_has_no_trend() -> None:
    assert trend(MAY, []) is None


def test_the_pages_tell_how_a_role_went(tmp_path: Path) -> None:
    data = sample.recommendations()
    before = run_of({**data, "window": {"from": "2026-07-01", "to": "2026-09-30", "days": 90}})
    more = {arn: (*counts[:3], counts[3] + 7) for arn, counts in before.principals.items()}
    report.write(data, tmp_path, before=[Run(before.first, before.last, more, before.findings)])
    html, markdown = ((tmp_path / name).read_text() for name in ("report.html", "report.md"))

    assert "Granted at the end of each run: 26" in html
    assert "−7 since the last" in html
    assert "Granted at the end of each run: 2026-09-30 26, 2026-10-31 19." in markdown
