"""``trailfit run``: the monthly run."""

from __future__ import annotations

from pathlib import Path

import click

from trailfit.cli.options import EXIT_PARTIAL, common


@click.command(short_help="The monthly run: all of the above, from trailfit.toml.")
@common
@click.pass_context
def command(ctx: click.Context) -> None:
    """Ingest, take inventory, recommend, report, and put the edits on a branch, as trailfit.toml says."""
    from trailfit import pipeline
    from trailfit.cli import config

    path = Path((ctx.find_root().obj or {}).get("config") or config.FILE_NAME)
    done = pipeline.run(config.read(path), click.echo)
    ctx.exit(EXIT_PARTIAL if done.is_partial else 0)
