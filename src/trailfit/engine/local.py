"""Run tasks in processes of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import active_children, connection, get_context, parent_process
from typing import TYPE_CHECKING, Protocol, TypeVar

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


class Engine(Protocol):
    """Where tasks run: processes of this machine, or the executors of a cluster. `jobs` are how many at once."""

    jobs: int

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
        """Yield the result of every task, in any order. Raises what a task raised."""
        ...


class Local:
    """A pool of `jobs` processes, forked from one that has the module `preload` imported; with 1 job, this process."""

    def __init__(self, jobs: int, preload: str) -> None:
        self.jobs = jobs
        self._preload = preload
        self._pool: ProcessPoolExecutor | None = None
        self._others = set(active_children())

    def __enter__(self) -> Local:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            # Interrupted or failed: what the workers have in hand is worth nothing any more.
            for process in set(active_children()) - self._others:
                process.kill()
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
            # The fork server keeps the environment it was started with; a notebook may have changed AWS_… since.
            self._pool = ProcessPoolExecutor(
                min(self.jobs, len(tasks)),
                mp_context=context,
                initializer=_start_worker,
                initargs=(dict(os.environ),),
            )
        with _undisturbed():
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


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold interrupts back while processes start: one that comes in between leaves a process that nobody knows of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def _start_worker(environment: dict[str, str]) -> None:
    """Take the parent's environment, leave interrupts to it, and end when it ends, however it does."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
