"""``trailfit ingest``: CloudTrail logs into the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import (
    EXIT_FINDINGS,
    EXIT_OK,
    EXIT_PARTIAL,
    common,
    engine_option,
    is_quiet,
    lake_option,
    master_option,
    say,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from trailfit.engine.local import Engine
    from trailfit.ingest.listing import Listing
    from trailfit.ingest.run import Counts
    from trailfit.ingest.selection import Selection
    from trailfit.lake import Lake
    from trailfit.model import Unassessed, Unit


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
@click.option(
    "--validate", is_flag=True, help="Follow CloudTrail's digest files; exit 1 when something was tampered with."
)
@click.option(
    "--public-keys",
    type=click.Path(exists=True, dir_okay=False),
    help="Public keys to validate with, as `aws cloudtrail list-public-keys` prints them.  [default: ask CloudTrail]",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be read, and what the requests cost.")
@click.option(
    "--rebuild",
    is_flag=True,
    help="Read again the log objects of units made with another catalogue, and make these units from the beginning.",
)
@engine_option
@master_option
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
    validate: bool,
    public_keys: str | None,
    dry_run: bool,
    rebuild: bool,
    engine_name: str,
    master: str | None,
    request_payer: bool,
) -> None:
    """Read CloudTrail logs from SOURCE (s3://bucket/prefix, a folder or a file) into the lake.

    Each event counts once, however often it was delivered. Run it again at any time: only new log objects are read,
    and after an interruption it goes on where it stopped.
    """
    import os
    import signal
    import threading

    # Read when pyarrow and numpy load, here and in workers: the reasons stand in `preload`.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from trailfit.cli.progress import reporter
    from trailfit.ingest.listing import list_new, stale_units
    from trailfit.ingest.no_pandas import no_pandas
    from trailfit.ingest.run import run
    from trailfit.ingest.selection import select
    from trailfit.lake import Lake

    if threading.current_thread() is threading.main_thread():
        # A polite end from a scheduler is the same to us as Ctrl-C: stop the workers, leave nothing half-done.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    lake = Lake(lake_root)
    selection = select(first.date() if first else None, last.date() if last else None, accounts, regions)
    if dry_run:
        manifests = lake.manifests()
        stale = stale_units(manifests, selection) if rebuild else ()
        listing = list_new(sources, selection, manifests, payer=request_payer, stale=stale)
        for line in price(listing):
            click.echo(line)
        ctx.exit(_problems(listing.problems))
    with no_pandas(), _engine(engine_name, master, lake) as engine, reporter(quiet=is_quiet(ctx)) as progress:
        result = run(
            sources,
            lake,
            selection=selection,
            jobs=jobs,
            wait=wait,
            payer=request_payer,
            progress=progress,
            rebuild=rebuild,
            engine=engine,
        )
    code = _problems(result.problems)
    if not is_quiet(ctx):
        for line in summary(result.counts):
            click.echo(line)
    if result.stale:
        say(outdated(result.stale, rebuild=rebuild), ctx)
    if result.counts.errors:
        say(f'what could not be read is named in the lake: trailfit query "from skipped" --lake {lake_root}', ctx)
        code = EXIT_PARTIAL
    if validate:
        code = _validate(sources, lake, selection, public_keys, payer=request_payer) or code
    ctx.exit(code)


def _engine(name: str, master: str | None, lake: Lake) -> AbstractContextManager[Engine | None]:
    """Give Spark as the engine where it is asked for; None is this machine."""
    from contextlib import nullcontext

    from trailfit.errors import UsageError

    if name == "local":
        return nullcontext()
    if lake.root.startswith("s3://"):
        hint = "name a folder that all executors share, or ingest on this machine; sources may be in S3"
        raise UsageError("Spark writes no lake in S3 yet", where=lake.root, hint=hint)
    from trailfit.engine.spark import Spark

    return Spark(master)


def _problems(problems: list[Unassessed]) -> int:
    """Say what could not be listed or fetched."""
    for problem in problems:
        click.echo(f"not read: {problem.subject}: {problem.reason}", err=True)
    return EXIT_PARTIAL if problems else EXIT_OK


def _validate(
    sources: tuple[str, ...], lake: Lake, selection: Selection, public_keys: str | None, *, payer: bool
) -> int:
    """Follow the digests of each source; print what is wrong, and keep it in the lake."""
    from trailfit.ingest.integrity import keep
    from trailfit.ingest.validate import read_keys, validate

    keys = read_keys(public_keys) if public_keys else None
    results = {source: validate(source, selection, keys, payer=payer) for source in sources}
    keep(lake, results)
    for source, found in results.items():
        for wrong in found.findings:
            click.echo(f"{wrong.kind}  {wrong.object}  {wrong.detail}")
        click.echo(
            f"validated {source}: {found.digests:,} digests, {found.logs:,} log files, {len(found.findings):,} findings"
        )
        for problem in found.problems:
            click.echo(f"not validated: {problem.subject}: {problem.reason}", err=True)
    if any(found.findings for found in results.values()):
        return EXIT_FINDINGS
    return EXIT_PARTIAL if any(found.problems for found in results.values()) else EXIT_OK


def outdated(stale: dict[Unit, str], *, rebuild: bool) -> str:
    """Say how many units were understood with another catalogue, and what can be done about it."""
    made_with = ", ".join(sorted(set(stale.values())))
    what = (
        f"{len(stale):,} units were made with another catalogue ({made_with}); this one may read their events otherwise"
    )
    if rebuild:
        return f"{what}. They stay: not all of their log objects are among those listed, or some could not be had"
    return f"{what}. Make them anew with --rebuild, which reads their log objects again"


def price(listing: Listing) -> list[str]:
    """Lay out what would be read, and what S3 charges for the requests."""
    from trailfit.catalog.tables import rows

    usd = {row["request"]: float(row["usd_per_1000"]) for row in rows("s3_prices")}
    remote = [one for one in listing.todo if one.uri.startswith("s3://")]
    cost = len(remote) * usd["GET"] / 1000
    return [
        f"objects to read                {len(listing.todo):>16,}",
        f"objects in the lake already    {listing.done:>16,}",
        f"bytes to read                  {sum(one.size for one in listing.todo):>16,}",
        f"GET requests                   {len(remote):>16,}",
        f"their price, about             {f'${cost:,.4f}':>16}",
    ]


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
    if counts.rebuilt:
        rows.append(("  of them from the beginning", counts.rebuilt))
    if counts.conflicts:
        rows.append(("event IDs with different records, all kept", counts.conflicts))
    width = max(len(f"{value:,}") for _, value in rows)
    lines = [f"{name:<42} {value:>{width},}" for name, value in rows]
    if counts.objects:
        from trailfit.ingest.kernel import library

        lines.append(f"{'decoder':<42} {'native' if library() else 'Python':>{width}}")
    return lines
