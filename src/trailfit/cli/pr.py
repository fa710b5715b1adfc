"""``trailfit pr``: the proposals as edits of the team's own code, on a branch, in one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_FINDINGS, EXIT_OK, EXIT_PARTIAL, common, out_option, say

if TYPE_CHECKING:
    from pathlib import Path

    from trailfit.deliver.forge.remote import Kind


@click.command(short_help="Edit the team's own infrastructure code; open or update one pull request.")
@click.option(
    "--repo",
    metavar="PATH|URL",
    help="A clone of the team's repository, or its address.  [default: pr.repo of trailfit.toml]",
)
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab"]),
    help="Where the pull request is opened.  [default: as the remote's name tells]",
)
@click.option("--base", metavar="BRANCH", help="The branch to merge into.  [default: the forge's default branch]")
@out_option
@click.option(
    "--lake", "lake_root", envvar="TRAILFIT_LAKE", metavar="LAKE",
    help="The lake: remembers what was proposed, merged, rejected and taken back.  [env: TRAILFIT_LAKE]",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the diff; write nothing to the repository.")
@click.option("--fail-on", type=click.Choice(["changes"]), help="Exit 1 when --dry-run finds changes.")
@common
@click.pass_context
def command(
    ctx: click.Context,
    repo: str | None,
    forge: Kind | None,
    base: str | None,
    out: Path,
    lake_root: str | None,
    dry_run: bool,
    fail_on: str | None,
) -> None:
    """Put the safe recommendations of the run's folder on a branch, one commit a role, and ask for its merge.

    Edits Terraform, SAM, CloudFormation, Serverless Framework and JSON policies in place, puts the new policies of
    roles that no file defines below policies/, and writes the pull request's text to the run's folder. The work tree
    and the current branch are never touched. With TRAILFIT_FORGE_TOKEN set the branch is pushed, and its one pull or
    merge request opened, or updated where it is open (GitHub Enterprise, self-managed GitLab: TRAILFIT_FORGE_URL).
    Exit 3: some role's code was not edited; the reason is printed and stands in the pull request.
    """
    from dataclasses import replace

    from trailfit.cli import config
    from trailfit.deliver import pull_requests, recommendations
    from trailfit.deliver.state import Memory
    from trailfit.errors import UsageError
    from trailfit.lake import Lake

    told = config.find(ctx)
    target = repo or (told.repo if told else None)
    if target is None:
        raise UsageError("no repository is named", hint="give --repo PATH or URL, or pr.repo in trailfit.toml")
    settings = told.pull_request if told else pull_requests.Settings()
    settings = replace(settings, forge=forge or settings.forge, base=base or settings.base)
    lake = Lake(lake_root) if lake_root else None
    memory = Memory.load(lake) if lake else None
    try:
        done = pull_requests.run(recommendations.load(out), target, out, settings, memory=memory, dry_run=dry_run)
    finally:  # what was opened before the forge refused something is remembered
        if lake and memory and not dry_run:
            memory.save(lake)
    if dry_run:
        for one in done:
            click.echo(one.diff, nl=False)
        say(pull_requests.summary(done))
        if fail_on and any(one.has_changes for one in done):
            ctx.exit(EXIT_FINDINGS)
    else:
        click.echo(pull_requests.summary(done))
    ctx.exit(EXIT_PARTIAL if any(one.not_edited for one in done) else EXIT_OK)
