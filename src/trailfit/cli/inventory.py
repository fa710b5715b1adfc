"""``trailfit inventory``: a snapshot of IAM into the lake, from AWS or from files."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_PARTIAL, common, is_quiet, lake_option, say
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trailfit.inventory.settings import Settings
    from trailfit.model import Snapshot

_EVERY = 10.0
_CLEAR = "\r\x1b[2K"


def _names(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Accept an option given several times, each with one name or several between commas."""
    return tuple(sorted({name.strip() for value in values for name in value.split(",") if name.strip()}))


@click.command(short_help="Take a snapshot of IAM, from AWS or from files.")
@lake_option
@click.option("--profile", metavar="P", help="The profile in your AWS configuration to ask AWS with.")
@click.option("--role-name", metavar="R", help="The role to assume in every account but your own.")
@click.option(
    "--accounts",
    multiple=True,
    callback=_names,
    metavar="ID[,ID]|org",
    help="The accounts to read; `org`: all of your organization.  [default: your own]",
)
@click.option(
    "--regions",
    multiple=True,
    callback=_names,
    metavar="REGION[,REGION]",
    help="Only these regions.  [default: all enabled]",
)
@click.option(
    "--from-files",
    "folder",
    type=click.Path(exists=True),
    metavar="DIR",
    help="Read what the AWS CLI printed into files below DIR, instead of asking AWS.",
)
@common
@click.pass_context
def command(
    ctx: click.Context,
    lake_root: str,
    profile: str | None,
    role_name: str | None,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    folder: str | None,
) -> None:
    """Take a snapshot of who is granted what.

    From AWS it only reads; a run that was stopped or throttled goes on where it stopped when it is run again.
    From files: the output of `aws iam get-account-authorization-details`, `get-credential-report` (or its CSV),
    `get-service-last-accessed-details` (one file for each role or user, named after it), `aws lambda
    list-functions`, `aws cloudtrail describe-trails` and `get-event-selectors`, in one folder for each account.
    """
    from trailfit.inventory import from_files, store, summary
    from trailfit.inventory.settings import Settings
    from trailfit.lake import Lake

    if folder and (profile or role_name or accounts or regions):
        message = "--from-files asks no AWS account"
        raise UsageError(message, hint="leave out --profile, --role-name, --accounts and --regions")
    lake = Lake(lake_root)
    if folder:
        snapshot = from_files.read(folder)
    else:
        snapshot = _from_aws(ctx, lake_root, profile, Settings(role_name, accounts, regions))
    earlier = [stamp for stamp in store.stamps(lake) if stamp < store.stamp(snapshot)]
    store.save(lake, snapshot)
    for line in summary.lines(snapshot):
        click.echo(line)
    if earlier:
        click.echo(summary.since(store.load_at(lake, earlier[-1]), snapshot))
    for one in snapshot.unassessed:
        say(f"not assessed: {one.subject}: {one.reason}", ctx)
    ctx.exit(EXIT_PARTIAL if snapshot.unassessed else 0)


def _from_aws(ctx: click.Context, lake_root: str, profile: str | None, settings: Settings) -> Snapshot:
    from trailfit.inventory import from_aws, sessions

    work = from_aws.work_folder(lake_root, profile, settings)
    taken = from_aws.take(sessions.named(profile), settings, work, _progress(quiet=is_quiet(ctx)))
    if sys.stderr.isatty():
        click.echo(_CLEAR, err=True, nl=False)
    say(f"{sum(taken.sent.values()):,} requests sent to AWS", ctx)
    if taken.unfinished:
        say(f"AWS throttled or failed some requests: run again to go on (kept in {_shown(work)})", ctx)
    return taken.snapshot


def _shown(path: Path) -> str:
    return click.format_filename(path)


def _progress(*, quiet: bool) -> Callable[[str], None]:
    """Return the function that shows what is asked: one changing line on a terminal, else a line in ten seconds."""
    told = time.monotonic()
    terminal = sys.stderr.isatty()

    def show(text: str) -> None:
        nonlocal told
        if not quiet and time.monotonic() - told >= (0.2 if terminal else _EVERY):
            told = time.monotonic()
            click.echo(_CLEAR + text if terminal else text, err=True, nl=not terminal)

    return show
