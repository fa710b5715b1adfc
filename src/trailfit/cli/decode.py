"""``trailfit decode``: one JSON line an event, how it is understood."""

from __future__ import annotations

import click

from trailfit.cli.options import EXIT_PARTIAL, common


@click.command("decode")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=str))
@common
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Show how each record of FILES is understood: one JSON object a line, in input order.

    FILES hold CloudTrail records in any envelope: {"Records": […]}, an array, JSON lines, one object, EventBridge,
    CloudWatch Logs, lookup-events; each plain, gzip or zstd. What cannot be read gives {"error": …, "where": …}
    and exit 3.
    """
    from pathlib import Path

    from trailfit.cloudtrail.envelope import Unreadable, records
    from trailfit.cloudtrail.lines import event_line, unreadable_line
    from trailfit.cloudtrail.meaning import understand

    unreadable = 0
    for name in files:
        for found in records(Path(name).read_bytes(), name):
            if isinstance(found, Unreadable):
                unreadable += 1
                click.echo(unreadable_line(found.reason, found.where))
            else:
                click.echo(event_line(understand(found)))
    if unreadable:
        ctx.exit(EXIT_PARTIAL)
