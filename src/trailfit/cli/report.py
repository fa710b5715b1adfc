"""``trailfit report``: the report from ``recommendations.json``."""

from __future__ import annotations

from pathlib import Path

import click

from trailfit.cli.options import common


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("trailfit-out"), show_default=True,
    help="The folder of this run: recommendations.json is read there, the report written.",
)  # fmt: skip
@click.option(
    "--previous", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="The folder of the last run, for the trend.",
)  # fmt: skip
@click.option(
    "--lake", "lake_root", envvar="TRAILFIT_LAKE", metavar="LAKE",
    help="The lake, whose earlier runs are the trend where no --previous is given.  [env: TRAILFIT_LAKE]",
)  # fmt: skip
@common
def command(out: Path, previous: Path | None, lake_root: str | None) -> None:
    """Write the report, the findings for other tools, and the scripts for unused credentials.

    report.html is one file without network; report.md says the same; the findings are CSV, SARIF, ASFF and OCSF.
    Scripts for unused keys, passwords and users lie in credentials/, for a person to run.
    """
    from trailfit.deliver import recommendations, report, state
    from trailfit.deliver.view import run_of
    from trailfit.lake import Lake

    data = recommendations.load(out)
    if previous:
        before = [run_of(recommendations.load(previous))]
    else:
        before = state.history(Lake(lake_root), data["window"]["to"]) if lake_root else []
    for path in report.write(data, out, before=before):
        click.echo(path)
