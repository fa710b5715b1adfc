"""``trailfit recommend``: tightened policies, with their proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_FINDINGS, EXIT_PARTIAL, common, lake_option, out_option, to_option

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_LEVELS = ["low", "medium", "high", "critical"]


@click.command(short_help="Propose tightened policies, with their proofs.")
@lake_option
@click.option("--days", type=click.IntRange(min=1), help="Length of the window in days.  [default: 90]")
@to_option
@out_option
@click.option(
    "--level",
    type=click.Choice(["exact", "balanced", "relaxed"]),
    default="balanced",
    show_default=True,
    help="How readily names that keep coming become patterns.",
)
@click.option("--fail-on", type=click.Choice(_LEVELS), help="Exit 1 when there is a finding of this severity or above.")
@common
@click.pass_context
def command(
    ctx: click.Context,
    lake_root: str,
    days: int | None,
    to: datetime | None,
    out: Path,
    level: str,
    fail_on: str | None,
) -> None:
    """Judge every role and user of the lake's snapshot by the lake's log.

    Writes recommendations.json and policies/ to the run's folder. Exit 3: something could not be judged; it is
    listed, and stands in the JSON under `unassessed`. The configuration's [[exclude]] rules hold here too; what they
    cover does not count for --fail-on.
    """
    from trailfit import pipeline
    from trailfit.cli import config
    from trailfit.lake import Lake
    from trailfit.recommend.learnt import Levels

    settings = config.find(ctx)
    done = pipeline.recommend(
        Lake(lake_root),
        out,
        days=days,
        to=to.date() if to else None,
        levels=Levels(level),
        rules=settings.rules if settings else None,
    )
    click.echo(pipeline.describe(done))
    if fail_on and any(_LEVELS.index(each["severity"]) >= _LEVELS.index(fail_on) for each in done.data["findings"]):
        ctx.exit(EXIT_FINDINGS)
    ctx.exit(EXIT_PARTIAL if done.is_partial else 0)
