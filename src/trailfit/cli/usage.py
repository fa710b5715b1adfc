"""``trailfit usage``: who used what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trailfit.cli.options import common, lake_option, to_option

if TYPE_CHECKING:
    from datetime import datetime

#: The columns that CONTRACT promises, in this order.
COLUMNS = ["principal", "action", "resource", "role", "calls", "denied", "first_used", "last_used", "basis"]


@click.command(short_help="Who used what, on which resource, how often, last when.")
@click.argument("principal", required=False)
@lake_option
@click.option("--days", type=click.IntRange(min=1), help="Length of the window in days.  [default: 90]")
@to_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "parquet"]),
    default="table",
    show_default=True,
    help="How to print; parquet goes to standard output as bytes.",
)
@common
def command(principal: str | None, lake_root: str, days: int | None, to: datetime | None, form: str) -> None:
    """Show which actions PRINCIPAL (an ARN; everybody, unless given) used on which resources."""
    from trailfit.cli import tables
    from trailfit.lake import Lake
    from trailfit.usage.questions import query

    lake = Lake(lake_root)
    with lake.connect() as con:
        rows = query(
            lake, "usage", con=con, days=days, to=to.date() if to else None, principal=principal
        ).to_arrow_table()
    tables.show(rows.select(COLUMNS), form)
