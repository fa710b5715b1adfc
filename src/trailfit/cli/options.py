"""Options that several commands share, and how results and problems reach the user."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_ERROR = 2
EXIT_PARTIAL = 3


def _set_verbosity(ctx: click.Context, param: click.Parameter, value: int) -> int:
    """Set the root logger's level from -q or -v, whether given before or after the command's name."""
    if value:
        quiet = param.name == "quiet"
        level = logging.ERROR if quiet else (logging.INFO if value == 1 else logging.DEBUG)
        logging.getLogger("trailfit").setLevel(level)
        ctx.find_root().ensure_object(dict)[param.name] = value
    return value


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q, -v and --config to a command; the values live in ``ctx.obj``, not in its arguments."""
    command = click.option(
        "--config",
        type=click.Path(dir_okay=False),
        expose_value=False,
        callback=_set_config,
        help="Configuration file [default: trailfit.toml, if there is one].",
    )(command)
    command = click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_verbosity,
        help="Say more (-vv: debug).",
    )(command)
    return click.option(
        "-q",
        "--quiet",
        count=True,
        expose_value=False,
        callback=_set_verbosity,
        help="Say only what went wrong.",
    )(command)


def _set_config(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.find_root().ensure_object(dict)["config"] = value
    return value


lake_option = click.option(
    "--lake", "lake_root", envvar="TRAILFIT_LAKE", required=True, metavar="LAKE",
    help="The lake: a folder or s3://bucket/prefix.  [env: TRAILFIT_LAKE]",
)  # fmt: skip


out_option = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default="trailfit-out", show_default=True,
    help="The run's folder: recommendations.json, policies/, the report.",
)  # fmt: skip

to_option = click.option(
    "--to", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD",
    help="Last day of the window.  [default: the last day that the lake holds]",
)  # fmt: skip


#: Where the work is done. Spark is an extra: `pip install 'trailfit[spark]'`.
engine_option = click.option(
    "--engine", "engine_name", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="Where the work is done: this machine, or Spark.",
)  # fmt: skip
master_option = click.option(
    "--master", metavar="URL", help="Spark's master, such as spark://host:7077.  [default: what spark-submit says]"
)


def is_quiet(ctx: click.Context) -> bool:
    """Tell whether -q was given."""
    return bool((ctx.find_root().obj or {}).get("quiet"))


def say(text: str, ctx: click.Context | None = None) -> None:
    """Tell a person something that is no result: to stderr, unless -q."""
    ctx = ctx or click.get_current_context(silent=True)
    if ctx is None or not is_quiet(ctx):
        click.echo(text, file=sys.stderr)
