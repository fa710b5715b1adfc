"""Which compute resource runs as which role: the rows of ``compute.csv`` applied to AWS's answers.

A row says where an answer of one operation holds the resource's ARN, name and role, as JMESPath. An ARN that
AWS does not print is written as a template. A row with `of` adds to a resource found by another row: its
aliases or what triggers it. A new service is a new row.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from trailfit.inventory.paths import search
from trailfit.inventory.values import REGION, account_of, objects, region_of
from trailfit.model import Function, Unassessed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """A row of compute.csv. `signature`: the names that stand at the top of the answer."""

    kind: str
    service: str
    operation: str
    signature: frozenset[str]
    each: str
    arn: str
    name: str
    role: str
    region: str
    log_group: str
    of: str
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Addition:
    """An alias or a trigger of the resource `of` (an ARN or a name)."""

    of: str
    what: str
    arn: str
    account: str | None


@cache
def rows() -> tuple[Row, ...]:
    """Return the rows of compute.csv."""
    with files("trailfit.inventory").joinpath("compute.csv").open(encoding="utf-8") as lines:
        return tuple(
            Row(**{**line, "signature": frozenset(line["signature"].split())})  # type: ignore[arg-type]
            for line in csv.DictReader(lines)
        )


def rows_for(data: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the rows whose signature an answer bears."""
    return tuple(row for row in rows() if row.signature <= data.keys())


def read(
    data: Mapping[str, Any], params: Mapping[str, Any], account: str | None, region: str | None
) -> Iterator[Function | Addition | Unassessed]:
    """Yield the resources of an answer that have a role, and additions to them.

    `account` and `region` are those of the request; they fill what the answer's ARNs do not say. A resource
    with a role and no ARN to be told from the answer is `Unassessed`.
    """
    for row in rows_for(data):
        for item in objects(search(row.each, data)):
            item = {**item, "params": dict(params)}
            found = _one(row, item, account, region)
            if found is not None:
                yield found


def _one(
    row: Row, item: dict[str, Any], account: str | None, region: str | None
) -> Function | Addition | Unassessed | None:
    name = str(search(row.name, item) or "")
    if row.of:
        of, arn = search(row.of, item), search(row.arn, item)
        return Addition(str(of), row.what, str(arn), account) if of and arn else None
    role = search(row.role, item)
    if not role:
        return None
    zone = REGION.match(str(search(row.region, item) or "")) if row.region else None
    place = {"region": zone.group() if zone else region or "", "account": account or account_of(role) or ""}
    partition = str(role).split(":")[1] if str(role).startswith("arn:") else "aws"
    arn = str(row.arn if row.arn.startswith("arn:") else search(row.arn, item) or "")
    if "{partition}" in arn:
        arn = arn.format(partition=partition, name=name, **place)
    if not arn:
        return Unassessed(str(role), f"runs a resource ({row.kind}) that {row.operation} does not name")
    return Function(
        arn=arn,
        name=name,
        account=account_of(arn) or place["account"],
        region=region_of(arn) or place["region"],
        role=str(role),
        log_group=search(row.log_group, item) if row.log_group else None,
        kind=row.kind,
    )


def joined(
    functions: Iterable[Function],
    additions: Iterable[Addition],
    profiles: Mapping[str, str],
    roles: Mapping[tuple[str, str], str],
) -> tuple[Function, ...]:
    """Return the resources with their aliases and triggers, each once, sorted; roles as ARNs.

    `profiles` gives the role of an instance profile's ARN, `roles` the ARN of (account, role name): Glue
    prints either, EC2 the profile.
    """
    extra: dict[tuple[str, str | None, str], set[str]] = {}
    for one in additions:
        key = _unqualified(one.of)
        extra.setdefault((key, None if key.startswith("arn:") else one.account, one.what), set()).add(one.arn)
    done = set()
    for function in functions:
        role = profiles.get(function.role, function.role)
        role = role if role.startswith("arn:") else roles.get((function.account, role.rsplit("/", 1)[-1]), role)
        found = {
            what: extra.get((function.arn, None, what), set())
            | extra.get((function.name, function.account, what), set())
            for what in ("alias", "trigger")
        }
        done.add(
            replace(
                function, role=role,
                aliases=tuple(sorted(found["alias"])), triggers=tuple(sorted(found["trigger"])),
            )
        )  # fmt: skip
    return tuple(sorted(done, key=lambda f: (f.account, f.kind, f.arn, f.role)))


def _unqualified(arn: str) -> str:
    """Return a Lambda function's ARN without version or alias; anything else as it is."""
    parts = arn.split(":")
    return ":".join(parts[:7]) if len(parts) == 8 and parts[2] == "lambda" and parts[5] == "function" else arn
