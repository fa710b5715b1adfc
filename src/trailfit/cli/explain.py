"""``trailfit explain``: why each permission is kept, narrowed or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailfit.cli.options import common, out_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@click.command(short_help="Why each permission is kept, narrowed or dropped.")
@click.argument("principal")
@click.argument("action", required=False)
@out_option
@common
def command(principal: str, action: str | None, out: Path) -> None:
    """Explain the last run's judgement of PRINCIPAL (an ARN or a name), or of one ACTION of it."""
    from trailfit.deliver import recommendations
    from trailfit.errors import UsageError

    data = recommendations.load(out)
    judged = [each for each in data.get("principals", []) if principal in (each["principal"], each["name"])]
    if not judged:
        raise UsageError(f"no principal `{principal}` was judged in this run", where=str(out))
    for each in judged:
        for line in _lines(each, action):
            click.echo(line)


def _lines(judged: Mapping[str, Any], action: str | None) -> Iterator[str]:
    rows = [row for row in judged["permissions"] if action is None or row["action"].lower() == action.lower()]
    rows = rows or [row for row in judged["permissions"] if action is not None and _stands_for(row, action)]
    yield judged["principal"]
    if action is None:
        yield from (f"  contradiction: {text}" for text in judged.get("contradictions", ()))
        for one in judged.get("trust", ()):
            named = ", ".join(f"{kind} {value}" for kind, value in one["principal"].items())
            yield f"  {one['class']:13} trusts {named}: {one['reason']}"
    if not rows:
        yield f"  {action}: not granted"
    for row in rows:
        count = f" ({row['count']} actions)" if "count" in row else ""
        yield f"  {row['class']:13} {row['action']}{count}: {row['reason']}"
        if row.get("contradiction"):
            yield f"  {'':13} contradiction: {row['contradiction']}"
        if row.get("calls"):
            yield f"  {'':13} {row['first_used']} to {row['last_used']}, for example event {row['example_event']}"
            for resource in row["resources"][:5]:
                yield f"  {'':13} {resource}"
            if len(row["resources"]) > 5:
                yield f"  {'':13} and {len(row['resources']) - 5} more"


def _stands_for(row: Mapping[str, Any], action: str) -> bool:
    """Tell whether a row that tells of many actions of one service may be about this one."""
    return "count" in row and row["action"].removesuffix("*").lower() == action.lower().partition(":")[0] + ":"
