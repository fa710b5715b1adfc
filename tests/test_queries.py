"""Every query has a ``.test``: fixture rows, the query, the rows it must give; readable by one who knows only SQL.

A file under ``tests/queries/`` holds blocks separated by empty lines::

    statement            SQL that sets the stage (``create table usage as …``)
    query [a=b …]        parameters; then ``----`` and one line a row, cells separated by a tab, NULL for null
"""

from pathlib import Path

import duckdb
import pytest

from trailfit import sql, views

TESTS = Path(__file__).parent / "queries"

#: The columns of the views, so that a fixture names only those that it is about.
STAGE = """
create table usage (account varchar, date date, region varchar, event_source varchar, event_name varchar,
    event_category varchar, data_type varchar, read_only boolean, principal varchar, principal_kind varchar,
    access_key_id varchar, action varchar, resource varchar, role varchar, basis varchar, context varchar, outcome varchar,
    counts_as_use boolean, why varchar, shared boolean, calls bigint, first_used timestamp, last_used timestamp, example_event varchar);
create table events (account varchar, date date, event_id varchar, event_time timestamp, region varchar,
    event_source varchar, event_name varchar, event_category varchar, event_type varchar, data_type varchar,
    read_only boolean, principal varchar, principal_kind varchar, session varchar, access_key_id varchar,
    outcome varchar, error_code varchar, error_message varchar, counts_as_use boolean, why varchar, source_ip varchar,
    user_agent varchar, invoked_by varchar, shared_event_id varchar, request_parameters varchar,
    uses struct(action varchar, resource varchar, role varchar, basis varchar)[], source_object varchar);
create table skipped (object varchar, record bigint, reason varchar, account varchar, date date);
create table units (account varchar, date date, catalog varchar, records bigint, events bigint, duplicates bigint,
    conflicts bigint, sources bigint);
""" + "".join(
    f"create table {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())});"
    for name, columns in views.COLUMNS.items()
)


def blocks(text):
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [block.strip("\n") for block in lines.split("\n\n") if block.strip()]


def cell(value):
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.test")), ids=lambda path: path.stem)
def test_query_gives_the_rows_its_test_says(path):
    con = duckdb.connect()
    con.execute(STAGE)
    asked = 0
    for block in blocks(path.read_text(encoding="utf-8")):
        head, _, body = block.partition("\n")
        if head == "statement":
            con.execute(body)
            continue
        words = head.split()
        assert words[0] == "query", head
        parameters = dict(word.split("=", 1) for word in words[1:])
        rows = sql.run(con, path.stem, **parameters).fetchall()

        expected = [line.split("\t") for line in body.split("----\n", 1)[-1].splitlines() if line != "----"]
        assert [[cell(value) for value in row] for row in rows] == expected
        asked += 1
    assert asked, "a test that asks nothing"


@pytest.mark.parametrize("name", sql.names())
def test_every_query_has_a_test_a_question_and_a_grain(name):
    query = sql.load(name)

    assert (TESTS / f"{name}.test").is_file()
    assert query.question.endswith("?")
    assert query.text.splitlines()[1].startswith("-- Grain: ")
    assert set(query.notes) == set(query.parameters) - {"from_day", "to_day"}
