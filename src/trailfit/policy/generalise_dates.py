"""Dates inside names: where a resource's name carries the day on which it was used, in whatever order.

A key like ``logs/2026/10/31/07/x.gz`` will have another name tomorrow. A date counts only when it agrees with the
days of the calls themselves, so that a version number or an account id is not mistaken for one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Stands for a date in a masked name: a character of Unicode's private use, which no ARN of AWS's holds.
DATE = "\ue001"

_SEP = r"(?:[-_./ ]|[-_./]?[A-Za-z]{1,6}=)?"
_YEAR, _MONTH, _DAY = r"(?P<y>20\d\d)", r"(?P<m>0[1-9]|1[0-2])", r"(?P<d>0[1-9]|[12]\d|3[01])"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?P<b>{'|'.join(_MONTHS)})[a-z]{{0,6}}"
#: The hour, and perhaps minutes and seconds, that may follow a day.
_CLOCK = (
    r"(?:(?:[-_./ T:]|[-_./]?(?:hour|hh|h)=)?(?:[01]\d|2[0-3])"
    r"(?:[-_.:]?[0-5]\d(?:[-_.:]?[0-5]\d(?:[.]\d+)?)?)?Z?(?![0-9A-Za-z]))?"
)
_EDGE = r"(?!\d)"
_NEAR = 1  # days: time zones, and jobs that run past midnight
_SHORT_CENTURY = 2000


def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    days = (
        rf"{_YEAR}{_SEP}{_MONTH}{_SEP}{_DAY}{_CLOCK}",
        rf"{_DAY}{_SEP}{_MONTH}{_SEP}{_YEAR}{_CLOCK}",
        rf"{_MONTH}{_SEP}{_DAY}{_SEP}{_YEAR}{_CLOCK}",
        rf"{_DAY}{_SEP}{_NAME}{_SEP}{_YEAR}{_CLOCK}",
        rf"{_YEAR}{_SEP}{_NAME}{_SEP}{_DAY}{_CLOCK}",
        rf"(?P<s>\d\d){_SEP}{_MONTH}{_SEP}{_DAY}{_CLOCK}",
    )
    others = (
        (rf"{_YEAR}{_SEP}(?P<j>[0-3]\d\d)", "day"),
        (rf"{_YEAR}{_SEP}[Ww]?(?P<w>[0-5]\d)(?:[-.]?[1-7])?", "week"),
        (rf"{_YEAR}{_SEP}{_MONTH}", "month"),
        (rf"{_MONTH}{_SEP}{_YEAR}", "month"),
        (rf"{_YEAR}{_SEP}[Qq](?P<q>[1-4])", "quarter"),
        (r"(?P<e>1\d{9})(?:\d{3}|\d{6})?", "day"),
        (rf"(?<![A-Za-z]){_YEAR}(?![A-Za-z])", "year"),
    )
    return tuple(
        (re.compile(rf"(?<!\d){text}{_EDGE}", re.IGNORECASE), unit)
        for text, unit in (*((d, "day") for d in days), *others)
    )


_FORMS = _forms()
#: A name without any of these holds no date: most are told at once. A year, a short date, or seconds since 1970.
_HINT = re.compile(
    r"(?<!\d)20\d\d|\d[-_./= a-zA-Z]{0,10}20\d\d(?!\d)|(?<!\d)\d{4}20\d\d(?!\d)"
    r"|(?<!\d)\d\d[-_./ ]?[01]\d[-_./ ]?[0-3]\d(?!\d)|(?<!\d)1\d{9}(?:\d{3}|\d{6})?(?!\d)"
)


def mask(name: str, days: Sequence[date]) -> tuple[str, str] | None:
    """Put `DATE` for a date in `name` that is the day of one of the calls (or the day beside it).

    Returns the masked name and how exact the date is (``day``, ``week``, ``month``, ``quarter``, ``year``); None
    when the name carries no such date. `days` are the days of the calls on this very name.

    >>> mask("in/2026/10/31/07/x.gz", [date(2026, 10, 31)]) == (f"in/{DATE}/x.gz", "day")
    True
    """
    if not _HINT.search(name):
        return None
    for form, unit in _FORMS:
        spans = [match.span() for match in form.finditer(name) if _agrees(match, unit, days)]
        if spans:
            return _without(name, spans), unit
    return None


def lagging(name: str) -> tuple[str, date] | None:
    """Put `DATE` for a date in `name` whatever the day of its calls, and give that date; None when there is none.

    For names that are used some time after the day that they carry; the caller judges whether they move on.
    """
    if not _HINT.search(name):
        return None
    for form, unit in _FORMS:
        if unit not in ("day", "month"):
            continue
        for match in form.finditer(name):
            part = match.groupdict()
            try:
                read = _read(part) if unit == "day" else date(int(part["y"] or 0), int(part["m"] or 0), 1)
            except (ValueError, OverflowError):
                continue
            return _without(name, [match.span()]), read
    return None


def _without(name: str, spans: Sequence[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [name[at:start], DATE]
        at = end
    return "".join([*pieces, name[at:]])


def _agrees(match: re.Match[str], unit: str, days: Sequence[date]) -> bool:
    try:
        return _UNITS[unit](match.groupdict(), days)
    except (ValueError, OverflowError):
        return False


def _same_day(part: dict[str, str | None], days: Sequence[date]) -> bool:
    read = _read(part)
    return any(abs((day - read).days) <= _NEAR for day in days)


def _read(part: dict[str, str | None]) -> date:
    if part.get("e"):
        return datetime.fromtimestamp(int(part["e"] or 0), UTC).date()
    year = int(part.get("y") or 0) or _SHORT_CENTURY + int(part.get("s") or 0)
    if part.get("j"):
        return date.fromordinal(date(year, 1, 1).toordinal() + int(part["j"] or 0) - 1)
    name = part.get("b")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(part.get("m") or 0)
    return date(year, month, int(part.get("d") or 0))


def _near(days: Sequence[date]) -> Iterator[date]:
    for day in days:
        for shift in (0, -_NEAR, _NEAR):
            yield date.fromordinal(day.toordinal() + shift)


def _same_month(part: dict[str, str | None], days: Sequence[date]) -> bool:
    wanted = (int(part["y"] or 0), int(part["m"] or 0))
    return any((day.year, day.month) == wanted for day in _near(days))


def _same_week(part: dict[str, str | None], days: Sequence[date]) -> bool:
    wanted = (int(part["y"] or 0), int(part["w"] or 0))
    return any((year, week) == wanted for day in _near(days) for year, week, _ in (day.isocalendar(),)) or any(
        (day.year, int(day.strftime(each))) == wanted for day in _near(days) for each in ("%U", "%V", "%W")
    )


def _same_quarter(part: dict[str, str | None], days: Sequence[date]) -> bool:
    wanted = (int(part["y"] or 0), int(part["q"] or 0))
    return any((day.year, (day.month + 2) // 3) == wanted for day in _near(days))


def _same_year(part: dict[str, str | None], days: Sequence[date]) -> bool:
    return all(int(part["y"] or 0) == day.year for day in days)


_UNITS: dict[str, Callable[[dict[str, str | None], Sequence[date]], bool]] = {
    "day": _same_day,
    "week": _same_week,
    "month": _same_month,
    "quarter": _same_quarter,
    "year": _same_year,
}
