"""How the proving ground's organisations name things: three families of grammars that share no word or format.

A family says what may be drawn; each organisation of it draws its own separator, the place of the environment's
word, identifiers and date formats. What is tuned on one family is judged on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from random import Random

Family = Literal["A", "B", "C"]
FAMILIES: tuple[Family, ...] = ("A", "B", "C")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one family may draw from. `dates` are strftime formats, plus ``epoch`` and ``epoch-ms``."""

    separators: tuple[str, ...]
    environments: tuple[tuple[str, str, str], ...]
    places: tuple[str, ...]
    apps: tuple[str, ...]
    things: tuple[str, ...]
    tenants: tuple[str, ...]
    ids: tuple[str, ...]
    dates: tuple[str, ...]
    shards: tuple[str, ...]
    branches: tuple[str, ...]


GRAMMARS: dict[Family, Grammar] = {
    "A": Grammar(
        separators=("-",),
        environments=(("prod", "stage", "dev"), ("production", "staging", "development")),
        places=("last", "first"),
        apps=("orders", "billing", "search", "catalog", "payments", "users", "shipping", "mailer", "media", "ledger"),
        things=("events", "exports", "images", "invoices", "state", "jobs", "raw", "curated", "audit", "cache"),
        tenants=("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell", "cyberdyne",
                 "aperture", "blackmesa", "soylent", "oscorp", "massive", "vandelay"),
        ids=("uuid", "hex12", "hex40"),
        dates=("%Y/%m/%d", "%Y-%m-%d", "dt=%Y-%m-%d", "%Y/%m/%d/%H", "%Y-%m"),
        shards=("part-{:05d}", "shard-{:02d}"),
        branches=("pr-{}", "pr-{}-preview"),
    ),
    "B": Grammar(
        separators=("",),
        environments=(("Live", "Preprod", "Sandbox"), ("Prd", "Uat", "Dev")),
        places=("first", "middle"),
        apps=("Checkout", "Loyalty", "Pricing", "Stock", "Returns", "Fraud", "Delivery", "Profile", "Reviews", "Gifts"),
        things=("Feed", "Archive", "Snapshots", "Inbox", "Landing", "Report", "Journal", "Uploads", "Models", "Docs"),
        tenants=("Norway", "Sweden", "Denmark", "Iceland", "Estonia", "Latvia", "Poland", "Austria", "Ireland",
                 "Malta", "Cyprus", "Greece", "Croatia", "Slovenia", "Hungary", "Spain"),
        ids=("hex32", "base62", "uuid-upper"),
        dates=("year=%Y/month=%m/day=%d", "%Y%m%d", "%Y%m%dT%H", "%d-%m-%Y", "%Y-%j"),
        shards=("p{}", "Chunk{:03d}"),
        branches=("Feature{}", "Branch{}Env"),
    ),
    "C": Grammar(
        separators=("_", "."),
        environments=(("p", "a", "t"), ("prd", "acc", "tst")),
        places=("first", "last"),
        apps=("claims", "quotes", "policies", "risk", "brokers", "treaty", "actuary", "portal", "scans", "letters"),
        things=("intake", "outbox", "batches", "mirror", "stage0", "facts", "dims", "blobs", "forms", "ticks"),
        tenants=("1007", "1013", "1029", "1044", "1058", "1061", "1083", "1102", "1120", "1135", "1151", "1166",
                 "1178", "1193", "1205", "1219"),
        ids=("ulid", "sequence", "base62-27", "hex24"),
        dates=("%Y.%m.%d", "%y%m%d", "%Y-W%V", "%d%b%Y", "%Y_%m_%d_%H", "epoch", "epoch-ms", "%Y/%j"),
        shards=("{:04d}", "slice.{}"),
        branches=("mr{}", "{}_review"),
    ),
}  # fmt: skip


class Names:
    """One organisation's way of naming, drawn from its family's grammar."""

    def __init__(self, rng: Random, family: Family) -> None:
        """Draw the organisation's habits."""
        self.grammar = GRAMMARS[family]
        self.separator = rng.choice(self.grammar.separators)
        self.environments = rng.choice(self.grammar.environments)
        self.place = rng.choice(self.grammar.places)
        self.company = rng.choice(("northwind", "contoso", "fabrikam", "tailspin", "litware"))
        self.ids = rng.sample(self.grammar.ids, 2)
        self.dates = rng.sample(self.grammar.dates, 3)
        self._sequence = rng.randrange(1_000, 90_000)

    def name(self, app: str, thing: str = "", environment: int = 0) -> str:
        """Name a thing of `app`: environment 0 is the one that the roles work in, 1 and 2 are its siblings."""
        env = self.environments[environment]
        words = [word for word in (app, thing) if word]
        at = {"first": 0, "middle": 1, "last": len(words)}[self.place]
        words.insert(at, env)
        return self.separator.join(words)

    def bucket(self, app: str, thing: str, environment: int = 0) -> str:
        """Name a bucket: as any other thing, with the company, in lower case and without `_`."""
        return f"{self.company}-{self.name(app, thing, environment)}".lower().replace("_", "-")

    def identifier(self, rng: Random, kind: str) -> str:
        """Draw a fresh identifier of one of the family's kinds."""
        if kind == "sequence":
            self._sequence += rng.randrange(1, 4)
            return f"{self._sequence:09d}"
        if kind.startswith("hex"):
            length = int(kind[3:])
            return f"{rng.getrandbits(4 * length):0{length}x}"
        if kind.startswith("base62"):
            return "".join(rng.choices(_BASE62, k=int(kind[7:] or 16)))
        if kind == "ulid":
            return "01J" + "".join(rng.choices(_CROCKFORD, k=23))
        text = f"{rng.getrandbits(128):032x}"
        text = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
        return text.upper() if kind == "uuid-upper" else text


def stamp(fmt: str, day: date, hour: int, minute: int = 0) -> str:
    """Write a time in one of the grammars' formats."""
    now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    if fmt.startswith("epoch"):
        return str(int(now.timestamp()) * (1000 if fmt == "epoch-ms" else 1))
    return now.strftime(fmt)
