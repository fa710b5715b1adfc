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
@common
def command(out: Path, previous: Path | None) -> None:
    """Write report.html (one file, no network), report.md and the findings as CSV, SARIF and ASFF."""
    from trailfit.deliver import recommendations, report

    data = recommendations.load(out)
    last = recommendations.load(previous) if previous else None
    for path in report.write(data, out, previous=last):
        click.echo(path)
