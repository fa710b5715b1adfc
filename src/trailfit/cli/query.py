"""``trailfit query``: ask the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import common, engine_option, master_option, to_option

if TYPE_CHECKING:
    from datetime import datetime


@click.command(short_help="Ask the lake: a named query, or SQL.")
@click.argument("question", metavar="[NAME|SQL]", required=False)
@click.option(
    "--lake", "lake_root", envvar="TRAILFIT_LAKE", metavar="LAKE",
    help="The lake: a folder or s3://bucket/prefix.  [env: TRAILFIT_LAKE]",
)  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), help="Length of the window in days.  [default: 90]")
@to_option
@click.option("--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the query.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", "parquet"]), default="table", show_default=True,
    help="How to print.",
)  # fmt: skip
@engine_option
@master_option
@common
def command(
    question: str | None,
    lake_root: str | None,
    days: int | None,
    to: datetime | None,
    parameters: tuple[str, ...],
    form: str,
    engine_name: str,
    master: str | None,
) -> None:
    """Ask a named query, or SQL over the views events, usage and skipped. Without either: list the queries."""
    from trailfit import sql
    from trailfit.cli import tables
    from trailfit.errors import UsageError
    from trailfit.lake import Lake
    from trailfit.usage.questions import query as ask
    from trailfit.usage.questions import query_on

    if question is None:
        for name in sql.names():
            click.echo(f"{name:20} {sql.load(name).question}")
        return
    if lake_root is None:
        raise UsageError("which lake? Give --lake or TRAILFIT_LAKE")
    given = dict(_pair(each) for each in parameters)
    lake = Lake(lake_root)
    if engine_name == "spark":
        from trailfit.engine.spark import Spark

        with Spark(master) as spark:
            tables.show(query_on(spark, lake, question, days=days, to=to.date() if to else None, **given), form)
        return
    with lake.connect() as con:
        if question.replace("_", "").isalnum():
            found = ask(lake, question, con=con, days=days, to=to.date() if to else None, **given)
        else:
            found = sql.free(con, question, given)
        tables.show(found.to_arrow_table(), form)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.BadParameter(f"`{text}` is not NAME=VALUE", param_hint="--set")
    return name, value
