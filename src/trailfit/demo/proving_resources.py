"""Which resources a need of the proving ground touches: closed sets, and spaces that keep growing.

Each knows the truth, the patterns that its role may legitimately name on any day; the learner sees only what
`draw` gives. `kind` is ``service:resource-type``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trailfit.demo.proving_names import stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from random import Random

    from trailfit.demo.proving_names import Names

_TOKEN = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class Moment:
    """One day of one need: the `index`th of the timeline, on which it arises `runs` times."""

    rng: Random
    index: int
    day: date
    runs: int


class Resources(Protocol):
    """What a need touches."""

    kind: str

    @property
    def truth(self) -> tuple[str, ...]:
        """Give the patterns of all that may legitimately be touched."""

    def draw(self, moment: Moment) -> list[str]:
        """Draw the distinct ARNs of one day's runs."""


@dataclass(slots=True)
class Fixed:
    """A closed set, of which some members are touched far more often than others."""

    kind: str
    arns: tuple[str, ...]
    skew: float = 1.2

    @property
    def truth(self) -> tuple[str, ...]:
        """Give the members."""
        return self.arns

    def draw(self, moment: Moment) -> list[str]:
        """Draw by rank: the kth member with weight 1 / k ** skew."""
        if len(self.arns) == 1:
            return [self.arns[0]]
        weights = [1 / (rank + 1) ** self.skew for rank in range(len(self.arns))]
        return sorted(set(moment.rng.choices(self.arns, weights, k=min(moment.runs, 6))))


@dataclass(slots=True)
class Fresh:
    """Names made anew: ``{date}``, ``{id}``, ``{hash}``, ``{hash2}`` of a template are filled in for each run."""

    kind: str
    template: str
    names: Names
    date_format: str
    id_kind: str
    most: int = 5

    @property
    def truth(self) -> tuple[str, ...]:
        """Give the template with ``*`` for what is filled in."""
        return (_TOKEN.sub("*", self.template),)

    def draw(self, moment: Moment) -> list[str]:
        """Fill in the template for each run, up to `most` a day."""
        return sorted({self._fill(moment.rng, moment.day) for _ in range(min(moment.runs, self.most))})

    def _fill(self, rng: Random, day: date) -> str:
        digest = f"{rng.getrandbits(256):064x}"
        values = {
            "date": stamp(self.date_format, day, rng.randrange(24), rng.randrange(60)),
            "id": self.names.identifier(rng, self.id_kind),
            "hash": digest,
            "hash2": digest[:2],
            "small": f"{rng.getrandbits(24):06x}",
        }
        return _TOKEN.sub(lambda match: values[match[1]], self.template)


@dataclass(slots=True)
class Growing:
    """Members that are born as time goes, at `rate` a day, and that stay or (after `life` days) go.

    `make` names the nth member; `truth_patterns` is what the role may name.
    """

    kind: str
    make: Callable[[int], str]
    truth_patterns: tuple[str, ...]
    births: tuple[int, ...]
    life: int = 10_000
    share: float = 0.5

    @property
    def truth(self) -> tuple[str, ...]:
        """Give the pattern of the whole space."""
        return self.truth_patterns

    def draw(self, moment: Moment) -> list[str]:
        """Draw among the living members; a newborn is always touched on its first day."""
        alive = [number for number, birth in enumerate(self.births) if birth <= moment.index < birth + self.life]
        new = [number for number in alive if self.births[number] == moment.index and moment.index]
        rng = moment.rng
        chosen = set(new) | {number for number in rng.sample(alive, min(len(alive), 6)) if rng.random() < self.share}
        return sorted(self.make(number) for number in chosen)


def births(rng: Random, already: int, rate: float, days: int) -> tuple[int, ...]:
    """Draw the days on which members are born: `already` on day 0, then `rate` a day."""
    return tuple([0] * already + [day for day in range(1, days) if rng.random() < rate])
