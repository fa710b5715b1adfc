"""What the principals of the demo do, and how often: habits, turned into calls day by day.

A habit draws from a generator seeded with its own name and the day, so adding one changes no other.
Names that keep changing are written as tokens (``reports/{date}/{uuid}.csv``): `render` fills them in for one
call, `pattern` puts ``*`` for each, which is how the ground truth says what a habit may need on another day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

Fault = Literal["", "denied", "denied-explicitly", "missing", "throttled"]
DAY = 86_400
TENANTS = ("alder", "birch", "cedar", "elm", "hazel", "larch", "maple", "rowan")
TOKEN = re.compile(r"{(\w+)}")
TOKENS: dict[str, Callable[[Random, datetime], str]] = {
    "date": lambda _rng, now: f"{now:%Y-%m-%d}",
    "ymd": lambda _rng, now: f"{now:%Y/%m/%d}",
    "month": lambda _rng, now: f"{now:%Y-%m}",
    "hour": lambda _rng, now: f"{now:%H}",
    "uuid": lambda rng, _now: uuid(rng),
    "hex": lambda rng, _now: f"{rng.getrandbits(128):032x}",
    "hex8": lambda rng, _now: f"{rng.getrandbits(32):08x}",
    "n": lambda rng, _now: f"{rng.randrange(10_000, 99_999)}",
    "tenant": lambda rng, _now: TENANTS[rng.randrange(len(TENANTS))],
}


def uuid(rng: Random) -> str:
    """Draw a version 4 UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def render(template: str, rng: Random, now: datetime) -> str:
    """Fill in the tokens of a name for one call."""
    return TOKEN.sub(lambda match: TOKENS[match[1]](rng, now), template) if "{" in template else template


def pattern(template: str) -> str:
    """Put ``*`` for every token of a name: all that the habit may ever name."""
    return TOKEN.sub("*", template)


# --- when -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a habit runs. `rate` is in runs a day (at scale 1); `at` is seconds after midnight UTC.

    ``steady`` runs all day, ``office`` on weekdays from 07:00 to 17:00; the other kinds run once, at `at`, on
    every day, on a weekday, on a day of the month or of the quarter's first month, or `on` days before the end.
    """

    kind: Literal["steady", "office", "daily", "weekly", "monthly", "quarterly", "once"]
    rate: float = 1.0
    on: int = 0
    at: int = 0

    def runs_on(self, day: date, end: date) -> bool:
        """Say whether the habit runs on this day at all."""
        match self.kind:
            case "office":
                return day.weekday() < 5
            case "weekly":
                return day.weekday() == self.on
            case "monthly":
                return day.day == self.on
            case "quarterly":
                return day.day == self.on and day.month % 3 == 1
            case "once":
                return (end - day).days == self.on
            case _:
                return True

    def times(self, day: date, end: date, rng: Random, scale: float) -> list[int]:
        """Draw the seconds of the day at which the habit runs, sorted."""
        if not self.runs_on(day, end):
            return []
        if self.kind not in {"steady", "office"}:
            return [self.at + rng.randrange(90)]
        first, last = (0, DAY) if self.kind == "steady" else (7 * 3600, 17 * 3600)
        expected = self.rate * scale * (0.6 if self.kind == "steady" and day.weekday() >= 5 else 1.0)
        return sorted(rng.randrange(first, last) for _ in range(int(expected + rng.random())))


def steady(rate: float) -> Cadence:
    """Run `rate` times a day, at any hour, less at the weekend."""
    return Cadence("steady", rate)


def office(rate: float) -> Cadence:
    """Run `rate` times on weekdays, in office hours."""
    return Cadence("office", rate)


def clock(text: str) -> int:
    """Turn ``HH:MM`` into seconds after midnight."""
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def daily(at: str) -> Cadence:
    """Run every day at a time of day."""
    return Cadence("daily", at=clock(at))


def weekly(weekday: int, at: str) -> Cadence:
    """Run on a weekday (Monday is 0)."""
    return Cadence("weekly", on=weekday, at=clock(at))


def monthly(day: int, at: str) -> Cadence:
    """Run on a day of the month."""
    return Cadence("monthly", on=day, at=clock(at))


def quarterly(day: int, at: str) -> Cadence:
    """Run on a day of January, April, July and October."""
    return Cadence("quarterly", on=day, at=clock(at))


def once(days_before_end: int, at: str) -> Cadence:
    """Run once, so many days before the end of the log."""
    return Cadence("once", on=days_before_end, at=clock(at))


# --- what -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One API call of a habit: a row of `apis.APIS` and its variables, as templates.

    `times` repeats it within a run. `fault` is how it ends. `via` is the service that makes it with the
    caller's permissions (a forward access session). `into` is the other account of a cross-account call.
    """

    api: str
    variables: Mapping[str, str]
    times: int = 1
    fault: Fault = ""
    via: str = ""
    into: str = ""
    region: str = ""


def call(
    api: str,
    *,
    times: int = 1,
    fault: Fault = "",
    via: str = "",
    into: str = "",
    region: str = "",
    **variables: str,
) -> Call:
    """Write a call in one line: the API, how it is made, then its variables by name."""
    return Call(api, variables, times, fault, via, into, region)


@dataclass(frozen=True, slots=True)
class Habit:
    """Calls that a principal makes together, and how often.

    A run makes every call in order, or, with `pick`, one of them at random. `session` is the role session's
    name, `key` the label of a user's access key (empty: the console). The habit lasts from `since` to `until`
    days before the end of the log (None: all along).
    """

    cadence: Cadence
    calls: tuple[Call, ...]
    session: str = ""
    key: str = ""
    agent: str = "Boto3/1.40.11 md/Botocore#1.40.11 ua/2.1 os/linux#5.10 md/arch#x86_64 lang/python#3.13.5"
    address: str = ""
    mfa: bool = False
    pick: bool = False
    since: int | None = None
    until: int | None = None
    region: str = ""


def does(cadence: Cadence, *calls: Call, pick: bool = False, **how: object) -> Habit:
    """Write a habit in one line: how often, then the calls, then anything else by name."""
    return Habit(cadence, calls, pick=pick, **how)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Moment:
    """One call of a habit at one second of a day, with its variables filled in."""

    second: int
    call: Call
    values: Mapping[str, str] = field(default_factory=dict)


def moments(habit: Habit, day: date, end: date, rng: Random, scale: float) -> Iterator[Moment]:
    """Draw all calls that a habit makes on a day. Only steady and office habits grow with `scale`."""
    ago = (end - day).days
    if (habit.since is not None and ago > habit.since) or (habit.until is not None and ago < habit.until):
        return
    midnight = datetime(day.year, day.month, day.day)
    for start in habit.cadence.times(day, end, rng, scale):
        second = start
        chosen = (habit.calls[rng.randrange(len(habit.calls))],) if habit.pick else habit.calls
        for item in chosen:
            for _ in range(item.times):
                now = midnight + timedelta(seconds=min(second, DAY - 1))
                values = {name: render(text, rng, now) for name, text in item.variables.items()}
                yield Moment(min(second, DAY - 1), item, values)
                second += rng.randrange(3)
