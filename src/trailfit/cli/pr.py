"""``trailfit pr``: the proposals as edits of the team's own code, on a branch."""

from __future__ import annotations

from pathlib import Path

import click

from trailfit.cli.options import EXIT_FINDINGS, EXIT_OK, EXIT_PARTIAL, common, out_option, say


@click.command(short_help="Edit the team's own infrastructure code on a branch.")
@click.option(
    "--repo",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A local clone of the team's repository.",
)
@out_option
@click.option("--dry-run", is_flag=True, help="Print the diff; write nothing to the repository.")
@click.option("--fail-on", type=click.Choice(["changes"]), help="Exit 1 when --dry-run finds changes.")
@common
@click.pass_context
def command(ctx: click.Context, repo: Path, out: Path, dry_run: bool, fail_on: str | None) -> None:
    """Put the safe recommendations of the run's folder on a branch, one commit a role.

    Edits Terraform, SAM and CloudFormation and JSON policies in place, puts the new policies of roles that no file
    defines below policies/, and writes the pull request's text to the run's folder. The work tree and the current
    branch are never touched.
    Exit 3: some role's code was not edited; the reason is printed and stands in the pull request.
    """
    from trailfit.deliver import branch, recommendations

    done = branch.propose(recommendations.load(out), repo, out, dry_run=dry_run)
    if dry_run:
        click.echo(done.diff, nl=False)
        say(done.summary())
        if done.has_changes and fail_on:
            ctx.exit(EXIT_FINDINGS)
    else:
        click.echo(done.summary())
    ctx.exit(EXIT_PARTIAL if done.not_edited else EXIT_OK)
