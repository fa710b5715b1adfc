"""Run tasks in processes of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, TypeVar

from trailfit.errors import TrailfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def default_jobs() -> int:
    """Count the processors that this process may use."""
    with contextlib.suppress(AttributeError):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class Local:
    """A pool of `jobs` processes, forked from one that has the module `preload` imported; with 1 job, this process."""

    def __init__(self, jobs: int, preload: str) -> None:
        self.jobs = jobs
        self._preload = preload
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
        """Yield the results in the order in which they are ready. Raises what a task raised."""
        if self.jobs == 1 or len(tasks) <= 1:
            yield from map(function, tasks)
            return
        if self._pool is None:
            context = get_context("forkserver")
            context.set_forkserver_preload([self._preload])
            self._pool = ProcessPoolExecutor(min(self.jobs, len(tasks)), mp_context=context, initializer=_start_worker)
        futures = [self._pool.submit(function, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except _broken() as problem:
            hint = "out of memory? run again with fewer --jobs"
            raise TrailfitError("a worker process ended without an answer", hint=hint) from problem
        finally:
            for future in futures:
                future.cancel()


def _broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def _start_worker() -> None:
    """Leave interrupts to the parent, and end when it ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
