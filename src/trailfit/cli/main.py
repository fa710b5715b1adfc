"""The entry point. Commands are imported only when named, so that ``trailfit --help`` is quick."""

from __future__ import annotations

import importlib
import logging
import sys

import click

from trailfit.cli.options import EXIT_ERROR, common

#: command → (module, one line of help). The help lines stand here so that listing them imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Make a small organisation and run the whole job on it; no AWS account."),
    "init": ("init", "Write an annotated trailfit.toml and ready workflow files."),
    "ingest": ("ingest", "Read CloudTrail logs into the lake; incremental, each event once."),
    "inventory": ("inventory", "Take a snapshot of IAM, from AWS or from files."),
    "usage": ("usage", "Who used what, on which resource, how often, last when."),
    "decode": ("decode", "Show how each record of log files is understood."),
    "recommend": ("recommend", "Propose tightened policies, with their proofs."),
    "explain": ("explain", "Why each permission is kept, narrowed or dropped."),
    "backtest": ("backtest", "Would the proposals have held? Replays history against them."),
    "check": ("check", "Does policy NEW grant anything that OLD does not?"),
    "simulate": ("simulate", "What IAM would decide, offline, and by which statements."),
    "report": ("report", "Write report.html, report.md and the findings."),
    "pr": ("pr", "Edit the team's own infrastructure code; open or update one pull request."),
    "query": ("query", "Ask the lake: a named query, or SQL."),
    "athena-ddl": ("athena_ddl", "Print the DDL that registers a lake in S3 with Athena."),
    "run": ("run", "The monthly run: all of the above, from trailfit.toml."),
    "doctor": ("doctor", "Check access, coverage and versions; print the least policy that trailfit needs."),
}


class _LazyGroup(click.Group):
    """A group whose commands live in ``trailfit.cli.<module>.command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"trailfit.cli.{COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trailfit")
@common
def cli() -> None:
    """Make AWS IAM policies fit what CloudTrail saw."""


def main() -> None:
    """Run the command line; turn every expected problem into one readable line and exit 2."""
    from trailfit.errors import TrailfitError

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    try:
        code = cli(standalone_mode=False, prog_name="trailfit")
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("trailfit: interrupted; run again to go on where it stopped", err=True)
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(EXIT_ERROR)
    except TrailfitError as problem:
        click.echo(f"trailfit: {problem}", err=True)
        sys.exit(EXIT_ERROR)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_ERROR)
    except Exception as problem:
        logging.getLogger("trailfit").debug("the traceback", exc_info=True)
        click.echo(
            f"trailfit: a bug: {type(problem).__name__}: {problem} (run again with -vv and report it)",
            err=True,
        )
        sys.exit(EXIT_ERROR)
    if isinstance(code, int):
        sys.exit(code)
