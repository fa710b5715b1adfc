"""Tasks run in processes and come back; a failing task's error is raised, a dying worker is said."""

from __future__ import annotations

import os

import pytest

from trailfit.engine.local import Local, default_jobs
from trailfit.errors import LakeError, TrailfitError


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fail(number: int) -> int:
    raise LakeError(f"task {number}")


def die(number: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_results_come_back(jobs):
    with Local(jobs, "trailfit.errors") as engine:
        results = list(engine.run(square, [1, 2, 3, 4]))

    assert sorted(result for result, _ in results) == [1, 4, 9, 16]
    assert all((pid == os.getpid()) == (jobs == 1) for _, pid in results)


def test_no_task_is_no_result():
    with Local(2, "trailfit.errors") as engine:
        assert list(engine.run(square, [])) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_is_raised(jobs):
    with Local(jobs, "trailfit.errors") as engine, pytest.raises(LakeError, match="task"):
        list(engine.run(fail, [1, 2]))


def test_a_worker_that_dies_is_said():
    with Local(2, "trailfit.errors") as engine, pytest.raises(TrailfitError, match="a worker process ended"):
        list(engine.run(die, [1, 2]))


def test_there_is_at_least_one_processor():
    assert default_jobs() >= 1


def environment(_: int) -> str | None:
    return os.environ.get("TRAILFIT_TEST_VALUE")


def test_workers_see_the_environment_as_it_is_now(monkeypatch):
    for value in ("one", "two"):
        monkeypatch.setenv("TRAILFIT_TEST_VALUE", value)
        with Local(2, "trailfit.errors") as engine:
            assert list(engine.run(environment, [1, 2])) == [value, value]
