"""Progress of an ingest: a bar on a terminal, else one plain line in ten seconds; on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trailfit.ingest.run import Step

_EVERY = 10.0


@contextlib.contextmanager
def reporter(*, quiet: bool) -> Iterator[Callable[[Step], None] | None]:
    """Give the function that shows a step; None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines()


def _lines() -> Callable[[Step], None]:
    began = time.monotonic()
    told = began

    def show(step: Step) -> None:
        nonlocal told
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            print(_text(step, told - began), file=sys.stderr, flush=True)  # noqa: T201 - progress is for stderr

    return show


def _text(step: Step, seconds: float) -> str:
    rate = step.records / max(seconds, 0.001)
    left = seconds * (step.of_bytes - step.bytes) / max(step.bytes, 1)
    return (
        f"{step.objects:,} of {step.of_objects:,} objects, {step.bytes / 1e6:,.1f} of {step.of_bytes / 1e6:,.1f} MB, "
        f"{step.records:,} records, {rate:,.0f}/s, {left:,.0f} s left"
    )


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def show(step: Step) -> None:
            rate = step.records / max(time.monotonic() - began, 0.001)
            text = f"{step.objects:,}/{step.of_objects:,} objects, {rate:,.0f} events/s"
            progress.update(task, completed=step.bytes, total=step.of_bytes, description=text)

        yield show
