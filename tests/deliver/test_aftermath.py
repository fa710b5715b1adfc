"""What a merged change broke is found in the log, and nothing else is blamed on it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from trailfit.deliver import aftermath
from trailfit.deliver.forge.request import PullRequest
from trailfit.deliver.state import Memory, digest, history, remember_run
from trailfit.errors import LakeError
from trailfit.lake import Lake

from . import sample
from .sample import ORDERS, allow, document

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def memory(**more: Any) -> Memory:
    change = sample.recommendation(
        ORDERS,
        [{"kind": "inline", "name": "a", "document": document(allow("s3:*", "*"))}],
        [{"kind": "inline", "name": "a", "document": document(allow("s3:GetObject", "*"))}],
    )
    made = PullRequest(
        7, "https://forge.example/7", "trailfit/x", "0" * 40, "t", "b", draft=False,
        **{"state": "merged", "merged": "2026-10-10T12:00:00+02:00", **more},
    )  # fmt: skip
    found = Memory()
    found.remember("github", "o/r", made, "2026-09-30", {ORDERS: [change]})
    return found


def log(*rows: tuple[str, str, str, str]) -> Any:
    import duckdb

    con = duckdb.connect()
    con.execute(
        "create table events (date date, event_id varchar, event_time timestamp, principal varchar, outcome varchar, "
        "uses struct(action varchar, resource varchar)[])"
    )
    for number, (when, who, outcome, action) in enumerate(rows):
        con.execute(
            "insert into events values (?::timestamp::date, ?, ?, ?, ?, [{'action': ?, 'resource': 'arn:aws:s3:::b/k'}])",
            [when, f"e{number}", when, who, outcome, action],
        )
    return con


def found(*rows: tuple[str, str, str, str], told: Memory | None = None) -> list[tuple[str, int]]:
    denials = aftermath.denied_since(log(*rows), told or memory(), FIRST, LAST)
    return [(one.action, one.calls) for one in denials]


def test_a_call_that_the_change_took_away_is_found() -> None:
    rows = [
        ("2026-10-11 08:00", ORDERS, "denied", "s3:PutObject"),
        ("2026-10-12 08:00", ORDERS, "denied", "s3:PutObject"),
    ]

    assert found(*rows) == [("s3:PutObject", 2)]


@pytest.mark.parametrize(
    "row",
    [
        ("2026-10-10 09:00", ORDERS, "denied", "s3:PutObject"),  # before the merge, 10:00 UTC
        ("2026-10-11 08:00", ORDERS, "allowed", "s3:PutObject"),
        ("2026-10-11 08:00", ORDERS, "denied", "s3:GetObject"),  # still allowed: another policy denies it
        ("2026-10-11 08:00", ORDERS, "denied", "sqs:SendMessage"),  # never allowed
        ("2026-10-11 08:00", "arn:aws:iam::012345678901:role/other", "denied", "s3:PutObject"),
    ],
)
def test_what_is_not_the_change_s_doing_is_not_blamed_on_it(row: tuple[str, str, str, str]) -> None:
    assert found(row) == []


def test_what_was_denied_before_the_merge_too_is_denied_by_something_else() -> None:
    rows = [
        ("2026-10-05 08:00", ORDERS, "denied", "s3:PutObject"),
        ("2026-10-12 08:00", ORDERS, "denied", "s3:PutObject"),
    ]

    assert found(*rows) == []


@pytest.mark.parametrize("state", ["open", "closed"])
def test_what_was_not_merged_broke_nothing(state: str) -> None:
    row = ("2026-10-11 08:00", ORDERS, "denied", "s3:PutObject")

    assert found(row, told=memory(state=state, merged=None)) == []
    assert found(row, told=Memory()) == []


# --- the files in the lake ------------------------------------------------------------------------------------


def test_memory_and_runs_are_read_back_as_they_were_written(tmp_path: Any) -> None:
    lake, told = Lake(tmp_path), memory()
    told.save(lake)
    again = Memory.load(lake)

    assert again.requests == told.requests
    assert again.merged()[ORDERS][0][0] == datetime(2026, 10, 10, 10, tzinfo=UTC).replace(tzinfo=None)
    assert Memory.load(Lake(tmp_path / "none")).requests == {}


def test_the_trend_is_of_runs_before_this_one(tmp_path: Any) -> None:
    lake = Lake(tmp_path)
    for last in ("2026-08-31", "2026-09-30", "2026-10-31"):
        remember_run(lake, {**sample.recommendations(), "window": {"from": "2026-06-01", "to": last, "days": 90}})

    assert [run.last for run in history(lake, "2026-10-31")] == ["2026-08-31", "2026-09-30"]
    assert [run.last for run in history(lake, "2026-10-31", most=1)] == ["2026-09-30"]
    path = "state/runs/2026-10-31.json"
    first = lake.storage.read(path)
    remember_run(lake, {**sample.recommendations(), "window": {"from": "2026-06-01", "to": "2026-10-31", "days": 90}})
    assert lake.storage.read(path) == first


@pytest.mark.parametrize("text", [b"{", b"{}", b'{"format": 9, "requests": []}'])
def test_a_damaged_memory_is_one_readable_line(tmp_path: Any, text: bytes) -> None:
    lake = Lake(tmp_path)
    lake.storage.write("state/pull-requests.json", text)
    with pytest.raises(LakeError, match=r"state/pull-requests.json"):
        Memory.load(lake)
    lake.storage.write("state/runs/2026-01-31.json", text)
    with pytest.raises(LakeError, match=r"2026-01-31.json"):
        history(lake, "2026-10-31")


def test_the_same_proposal_has_the_same_digest_however_often_it_was_used() -> None:
    one = sample.recommendation(
        ORDERS, [], [{"kind": "inline", "name": "a", "document": document(allow("s3:Get*", "*"))}]
    )
    same = {**one, "reasons": ["others"], "permissions": {"used": 9, "unused": 0, "undetermined": 0, "kept": 0}}
    other = {**one, "after": []}

    assert digest([one]) == digest([same]) != digest([other])
