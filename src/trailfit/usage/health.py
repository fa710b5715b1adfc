"""Whether the log of each account can tell what was not used: trails, days, regions, kinds of data events."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from trailfit.catalog.observability import observability
from trailfit.model import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from trailfit.model import Coverage, TrailSelector, Window
    from trailfit.usage.coverage import Silences

_SHOWN = 5


def coverage_checks(
    accounts: Iterable[str],
    window: Window,
    covered: Sequence[Coverage],
    gaps: Mapping[str, tuple[date, ...]],
    unread: Mapping[str, int],
) -> Iterator[Check]:
    """Say of each account how much of its log of the window the lake holds."""
    seen: dict[str, list[Coverage]] = defaultdict(list)
    for row in covered:
        seen[row.account].append(row)
    for account in sorted({*accounts, *seen}):
        subject = f"account {account}"
        if account not in gaps:
            yield Check(subject, "bad", "no management event of the window is in the lake: nothing will be proposed")
            continue
        missing = gaps[account]
        if missing:
            days = ", ".join(day.isoformat() for day in missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
            told = f"no management event on {len(missing)} of {window.days} days ({days}): nothing will be proposed"
            yield Check(subject, "bad", told)
        else:
            regions = sorted({row.region for row in seen[account] if row.category == "Management"})
            told = f"management events on all {window.days} days, of {len(regions)} regions ({', '.join(regions)})"
            yield Check(subject, "good", told)
        if unread.get(account):
            told = f"{unread[account]} pieces of its log could not be read (`trailfit query unread`)"
            yield Check(subject, "bad", told)


def trail_checks(accounts: Iterable[str], selectors: Sequence[TrailSelector]) -> Iterator[Check]:
    """Say of each account what its trails are set to log, as far as the snapshot knows them."""
    for account in sorted(accounts):
        subject = f"account {account}"
        mine = [each for each in selectors if each.organization or each.account == account]
        if not mine:
            yield Check(subject, "open", "the snapshot holds no trail of it: what is logged is told by the log alone")
            continue
        stopped = sorted(each.trail for each in mine if each.logging is False)
        if stopped:
            yield Check(subject, "bad", f"stopped: {', '.join(stopped)}")
        whole = [each for each in mine if each.management and each.logging is not False]
        if not whole:
            yield Check(subject, "bad", "no trail logs all management events, reads and writes")
        elif not any(each.multi_region for each in whole):
            regions = ", ".join(sorted({each.region for each in whole}))
            yield Check(subject, "bad", f"no trail logs all regions, only {regions}")
        else:
            yield Check(subject, "good", "a trail logs all management events of all regions")
        left_out = sorted(set.intersection(*({*each.excluded} for each in whole))) if whole else []
        if left_out:
            yield Check(subject, "bad", f"every trail leaves out the management events of {', '.join(left_out)}")


def data_checks(granted: Mapping[str, Iterable[str]], silences: Silences) -> Iterator[Check]:
    """Say which data events the trails do not log although actions that only they show are granted.

    `granted` holds the actions granted to any principal, by account.
    """
    for account, actions in sorted(granted.items()):
        blind: Counter[str] = Counter()
        logged: Counter[str] = Counter()
        for action in set(actions):
            seen = observability(action)
            if seen.kind == "data":
                known = silences.of(account, action).is_evidence
                (logged if known else blind)[" or ".join(seen.data_types)] += 1
        subject = f"account {account}"
        if logged:
            yield Check(subject, "good", f"data events are logged: {_most(logged)}")
        if blind:
            told = f"data events are not logged, or not all window long: {_most(blind)}; what only they show stays open"
            yield Check(subject, "bad", told)


def _most(counted: Counter[str]) -> str:
    """Name the kinds that most of the granted actions need.

    >>> _most(Counter({"AWS::S3::Object": 12, "AWS::SQS::Queue": 1}))
    'AWS::S3::Object (12 granted actions), AWS::SQS::Queue (1 granted action)'
    """
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{kind} ({number} granted action{'s'[: number != 1]})" for kind, number in ordered[:_SHOWN]]
    return ", ".join(told) + (f" and {len(ordered) - _SHOWN} more kinds" if len(ordered) > _SHOWN else "")
