"""``trailfit athena-ddl``: the lake as tables of Athena."""

from __future__ import annotations

from pathlib import Path

import click

from trailfit.cli.options import common, lake_option, say


@click.command("athena-ddl", short_help="Print the DDL that registers a lake in S3 with Athena.")
@lake_option
@click.option("--database", default="trailfit", show_default=True, help="The database (Glue) to register it in.")
@click.option(
    "--queries", "folder", type=click.Path(file_okay=False), metavar="DIR",
    help="Also write the named queries in Athena's dialect here.",
)  # fmt: skip
@common
@click.pass_context
def command(ctx: click.Context, lake_root: str, database: str, folder: str | None) -> None:
    """Print the DDL that registers a lake in S3 as tables of Athena, with partition projection.

    Nothing is sent to AWS. The queries are transpiled and parsed, and were never run on Athena; those over the views of
    IAM and of judgements are left out, for only events, usage and skipped are registered.
    """
    from trailfit import sql, views
    from trailfit.engine.athena import ddl
    from trailfit.engine.dialect import to_athena
    from trailfit.lake import Lake

    click.echo(";\n\n".join(ddl(Lake(lake_root), database)) + ";")
    if folder is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    others = {*views.COLUMNS, "units", "coverage"}
    written = 0
    for query in map(sql.load, sql.names()):
        if not others & set(query.text.replace("(", " ").split()):
            (Path(folder) / f"{query.name}.sql").write_text(f"-- {query.question}\n{to_athena(query.text)};\n", "utf-8")
            written += 1
    say(f"wrote {written} queries to {folder}", ctx)
