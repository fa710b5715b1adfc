"""``trailfit ingest``: CloudTrail logs into the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_PARTIAL, common, is_quiet, lake_option, say

if TYPE_CHECKING:
    from datetime import datetime

    from trailfit.ingest.run import Counts


def _names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Accept an option given several times, each with one name or several between commas."""
    return sorted({name.strip() for value in values for name in value.split(",") if name.strip()})


@click.command("ingest")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@lake_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC) to read.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day (UTC) to read.")
@click.option("--accounts", multiple=True, callback=_names, metavar="ID[,ID]", help="Only these accounts.")
@click.option("--regions", multiple=True, callback=_names, metavar="REGION[,REGION]", help="Only these regions.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that decode.  [default: one a processor]")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for another ingest on this lake."
)
@click.option("--request-payer", is_flag=True, help="Pay for the requests to a requester-pays bucket.")
@common
@click.pass_context
def command(
    ctx: click.Context,
    sources: tuple[str, ...],
    lake_root: str,
    first: datetime | None,
    last: datetime | None,
    accounts: list[str],
    regions: list[str],
    jobs: int | None,
    wait: float,
    request_payer: bool,
) -> None:
    """Read CloudTrail logs from SOURCE (s3://bucket/prefix, a folder or a file) into the lake.

    Each event counts once, however often it was delivered. Run it again at any time: only new log objects are read,
    and after an interruption it goes on where it stopped.
    """
    import signal
    import threading

    from trailfit.cli.progress import reporter
    from trailfit.ingest.run import run
    from trailfit.lake import Lake

    if threading.current_thread() is threading.main_thread():
        # A polite end from a scheduler is the same to us as Ctrl-C: stop the workers, leave nothing half-done.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    lake = Lake(lake_root)
    with reporter(quiet=is_quiet(ctx)) as progress:
        result = run(
            sources,
            lake,
            first=first.date() if first else None,
            last=last.date() if last else None,
            accounts=accounts,
            regions=regions,
            jobs=jobs,
            wait=wait,
            payer=request_payer,
            progress=progress,
        )
    for problem in result.problems:
        click.echo(f"not read: {problem.subject}: {problem.reason}", err=True)
    if not is_quiet(ctx):
        for line in summary(result.counts):
            click.echo(line)
    if result.counts.errors:
        say(f'what could not be read is named in the lake: trailfit query "from skipped" --lake {lake_root}', ctx)
    if result.problems or result.counts.errors:
        ctx.exit(EXIT_PARTIAL)


def summary(counts: Counts) -> list[str]:
    """Lay out a run's counts as a table whose sums can be checked by eye."""
    rows = [
        ("objects read", counts.objects),
        ("objects in the lake already", counts.objects_done_before),
        ("bytes read", counts.bytes),
        ("records read", counts.read),
        ("  kept", counts.kept),
        ("  duplicates", counts.duplicates),
        ("  skipped (not asked for)", counts.skipped),
        ("  errors (not readable)", counts.errors),
        ("units written", counts.units),
    ]
    if counts.conflicts:
        rows.append(("event IDs with different records, all kept", counts.conflicts))
    width = max(len(f"{value:,}") for _, value in rows)
    return [f"{name:<42} {value:>{width},}" for name, value in rows]
