"""``trailfit backtest``: replay history against the proposals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_PARTIAL, common, lake_option, to_option

if TYPE_CHECKING:
    from datetime import datetime

    from trailfit.recommend.backtest import Backtest

_LEVELS = ["exact", "balanced", "relaxed"]
_SHOWN = 20


@click.command(short_help="Would the proposals have held? Replays history against them.")
@lake_option
@click.option("--train", type=click.IntRange(min=1), required=True, metavar="N", help="Tighten on this many days.")
@click.option(
    "--test", type=click.IntRange(min=1), required=True, metavar="M", help="Replay this many days after them."
)
@to_option
@click.option(
    "--level",
    "levels",
    type=click.Choice(_LEVELS),
    multiple=True,
    default=["balanced"],
    show_default=True,
    help="How readily resources are generalised; may be given several times.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common
@click.pass_context
def command(
    ctx: click.Context, lake_root: str, train: int, test: int, to: datetime | None, levels: tuple[str, ...], form: str
) -> None:
    """Tighten every principal on N days of the lake's log, then replay the M days that follow.

    Prints which share of the calls and of the principals would have been denied, by service, with examples and what
    would have kept them, and how much surface the proposals remove. Exit 3: some principals could not be judged.
    """  # fmt: skip
    from trailfit import pipeline
    from trailfit.lake import Lake
    from trailfit.recommend.backtest import as_dict

    outcomes = pipeline.backtest(Lake(lake_root), train, test, to=to.date() if to else None, levels=levels)
    if form == "json":
        click.echo(json.dumps([as_dict(each) for each in outcomes], indent=2))
    else:
        click.echo("\n\n".join(describe(each) for each in outcomes))
    ctx.exit(EXIT_PARTIAL if outcomes[0].unassessed else 0)


def describe(outcome: Backtest) -> str:
    """Tell one outcome in lines for a terminal."""
    wrong, hurt = outcome.denied, outcome.principals_denied()
    by_action, by_resource = outcome.principals_denied("action"), outcome.principals_denied("resource")
    train, test = outcome.train, outcome.test
    lines = [
        f"level {outcome.level}: tightened on {train.first} to {train.last} ({train.days} days)",
        f"replayed {test.first} to {test.last} ({test.days} days)",
        f"calls denied: {wrong:,} of {outcome.calls:,} ({_percent(wrong, outcome.calls)})",
        f"principals denied: {hurt} of {outcome.principals} ({_percent(hurt, outcome.principals)})",
        f"  because of an action {by_action}, because of a resource {by_resource}",
        f"surface removed: {100 * outcome.surface_removed:.2f} %",
    ]
    lines += [
        f"  {service}: {denied:,} of {calls:,} calls denied"
        for service, (calls, denied) in outcome.services.items()
        if denied
    ]
    lines += [
        f"  {each.principal}: {each.action} on {each.resource}, {each.calls} calls; kept by: {each.remedy}"
        for each in outcome.denials[:_SHOWN]
    ]
    if len(outcome.denials) > _SHOWN:
        lines.append(f"  and {len(outcome.denials) - _SHOWN} more (--format json lists all)")
    if outcome.unassessed:
        lines.append(f"{len(outcome.unassessed)} could not be judged:")
        lines += [f"  {each.subject}: {each.reason}" for each in outcome.unassessed]
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f} %" if whole else "none"
