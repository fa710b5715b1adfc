"""``trailfit backtest``: replay history against the proposals."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailfit.cli.options import EXIT_PARTIAL, common, lake_option, say, to_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from trailfit.lake import Lake
    from trailfit.model import Usage, Window
    from trailfit.recommend.backtest import Backtest

_LEVELS = ["exact", "balanced", "relaxed"]
_SHOWN = 20


@click.command(short_help="Would the proposals have held? Replays history against them.")
@lake_option
@click.option(
    "--train",
    "trains",
    type=click.IntRange(min=1),
    required=True,
    multiple=True,
    metavar="N",
    help="Tighten on this many days; may be given several times.",
)
@click.option(
    "--test", type=click.IntRange(min=1), required=True, metavar="M", help="Replay this many days after them."
)
@to_option
@click.option(
    "--level",
    "levels",
    type=click.Choice([*_LEVELS, "all"]),
    multiple=True,
    default=["balanced"],
    show_default=True,
    help="How readily resources are generalised; may be given several times.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Draw surface removed against roles and users denied, for every level and window.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common
@click.pass_context
def command(
    ctx: click.Context,
    lake_root: str,
    trains: tuple[int, ...],
    test: int,
    to: datetime | None,
    levels: tuple[str, ...],
    plot: Path | None,
    form: str,
) -> None:
    """Tighten every principal on N days of the lake's log, then replay the M days that follow.

    Prints which share of the calls and of the principals would have been denied, by service, with examples and what
    would have kept them, and how much surface the proposals remove. With several levels or windows (`--level all
    --train 30 --train 60`) a table of all comes first. Exit 3: some principals could not be judged.
    """  # fmt: skip
    from trailfit.lake import Lake
    from trailfit.recommend.backtest import as_dict
    from trailfit.usage.window import resolve

    lake = Lake(lake_root)
    tested = resolve(lake, days=test, to=to.date() if to else None)
    asked = _LEVELS if "all" in levels else list(dict.fromkeys(levels))
    outcomes = list(_outcomes(ctx, lake, sorted(set(trains)), tested, asked))
    if form == "json":
        click.echo(json.dumps([as_dict(each) for each in outcomes], indent=2))
    else:
        parts = [_table(outcomes)] if len(outcomes) > 1 else []
        click.echo("\n\n".join([*parts, *(describe(each) for each in outcomes)]))
    if plot is not None:
        _draw(outcomes, plot)
    ctx.exit(EXIT_PARTIAL if outcomes[0].unassessed else 0)


def _outcomes(
    ctx: click.Context, lake: Lake, trains: Sequence[int], tested: Window, levels: Sequence[str]
) -> Iterator[Backtest]:
    """Backtest every length of the training window at every level."""
    from dataclasses import replace

    from trailfit.cli import config
    from trailfit.errors import LakeError, UsageError
    from trailfit.inventory import store
    from trailfit.model import Window
    from trailfit.recommend.backtest import backtest
    from trailfit.recommend.learnt import Levels
    from trailfit.usage import evidence, use

    snapshot = store.load(lake)
    held = lake.days()
    if snapshot is None:
        raise LakeError("holds no snapshot of IAM", where=lake.root, hint="run `trailfit inventory` first")
    if held is None:
        raise LakeError("holds no event", where=lake.root, hint="run `trailfit ingest` first")
    settings = config.find(ctx)
    usual = (settings.levels if settings else None) or Levels()
    windows = [Window(tested.first - timedelta(days=days), tested.first - timedelta(days=1)) for days in trains]
    if windows[-1].first < held[0]:
        raise UsageError(
            f"{trains[-1]} + {tested.days} days up to {tested.last} begin on {windows[-1].first}; the lake's log begins"
            f" on {held[0]}",
            hint="give a smaller --train or --test, or ingest more",
        )
    with lake.connect() as con:
        later: dict[str, list[Usage]] = {}
        for row in use.read(con, tested):
            later.setdefault(row.principal, []).append(row)
        for learnt in windows:
            seen = evidence.gather(con, learnt, snapshot.selectors)
            for level in levels:
                how = replace(usual, default=level)
                yield backtest(snapshot, seen, later, tested, how, settings.rules if settings else None)


def _table(outcomes: Sequence[Backtest]) -> str:
    """Set all outcomes side by side."""
    head = ("level", "train", "calls denied", "principals denied", "by action", "by resource", "surface removed")
    rows = [
        (
            each.level,
            f"{each.train.days} d",
            _percent(each.denied, each.calls),
            _percent(each.principals_denied(), each.principals),
            f"{each.principals_denied('action')}",
            f"{each.principals_denied('resource')}",
            f"{100 * each.surface_removed:.2f} %",
        )
        for each in outcomes
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    )


def _draw(outcomes: Sequence[Backtest], path: Path) -> None:
    from trailfit.deliver.plot import Point, tradeoff
    from trailfit.errors import UsageError

    points = [
        Point(
            each.level,
            each.train.days,
            each.surface_removed,
            each.principals_denied() / each.principals if each.principals else 0.0,
        )
        for each in outcomes
    ]
    test = outcomes[0].test
    try:
        path.write_text(tradeoff(points, f"Replayed {test.first} to {test.last}"), encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"cannot be written: {problem.strerror}", where=str(path)) from None
    say(f"wrote {path}")


def describe(outcome: Backtest) -> str:
    """Tell one outcome in lines for a terminal."""
    wrong, hurt = outcome.denied, outcome.principals_denied()
    by_action, by_resource = outcome.principals_denied("action"), outcome.principals_denied("resource")
    train, test = outcome.train, outcome.test
    lines = [
        f"level {outcome.level}: tightened on {train.first} to {train.last} ({train.days} days)",
        f"replayed {test.first} to {test.last} ({test.days} days)",
        f"calls denied: {wrong:,} of {outcome.calls:,} ({_percent(wrong, outcome.calls)})",
        f"principals denied: {hurt} of {outcome.principals} ({_percent(hurt, outcome.principals)})",
        f"  because of an action {by_action}, because of a resource {by_resource}",
        f"surface removed: {100 * outcome.surface_removed:.2f} %",
    ]
    lines += [
        f"  {service}: {denied:,} of {calls:,} calls denied ({_percent(denied, calls)})"
        for service, (calls, denied) in outcome.services.items()
        if denied
    ]
    lines += [
        f"  {each.principal}: {each.action} on {each.resource}, {each.calls} calls"
        f"{f', for example event {each.example_event}' if each.example_event else ''}; kept by: {each.remedy}"
        for each in outcome.denials[:_SHOWN]
    ]
    if len(outcome.denials) > _SHOWN:
        lines.append(f"  and {len(outcome.denials) - _SHOWN} more (--format json lists all)")
    if outcome.unassessed:
        lines.append(f"{len(outcome.unassessed)} could not be judged:")
        lines += [f"  {each.subject}: {each.reason}" for each in outcome.unassessed]
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f} %" if whole else "none"
