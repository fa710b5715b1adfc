"""``trailfit inventory``: a snapshot of IAM into the lake, from AWS or from files."""

from __future__ import annotations

import click

from trailfit.cli.options import EXIT_PARTIAL, common, lake_option, say


@click.command(short_help="Take a snapshot of IAM, from AWS or from files.")
@lake_option
@click.option(
    "--from-files",
    "folder",
    required=True,
    type=click.Path(exists=True),
    help="Read what the AWS CLI printed into files below DIR, instead of asking AWS.",
    metavar="DIR",
)
@common
@click.pass_context
def command(ctx: click.Context, lake_root: str, folder: str) -> None:
    """Take a snapshot of who is granted what.

    From files: the output of `aws iam get-account-authorization-details`, `get-credential-report` (or its CSV),
    `get-service-last-accessed-details` (one file for each role or user, named after it), `aws lambda
    list-functions`, `aws cloudtrail describe-trails` and `get-event-selectors`, in one folder for each account.
    """
    from trailfit.inventory import from_files, store, summary
    from trailfit.lake import Lake

    snapshot = from_files.read(folder)
    store.save(Lake(lake_root), snapshot)
    for line in summary.lines(snapshot):
        click.echo(line)
    for one in snapshot.unassessed:
        say(f"not assessed: {one.subject}: {one.reason}", ctx)
    ctx.exit(EXIT_PARTIAL if snapshot.unassessed else 0)
