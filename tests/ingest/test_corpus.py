"""Real logs: every source of the corpus reconciles to the record, and to a count that shares no code with the ingest."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.ingest.test_run import balanced, ingest, rows

with (Path(__file__).parents[1] / "cases" / "corpus_ingest.csv").open(encoding="utf-8") as table:
    EXPECTED = {row.pop("source"): {name: int(count) for name, count in row.items()} for row in csv.DictReader(table)}

#: Sources that are no JSON as a whole: records in documentation text, and in lines of their own.
TEXTS = {"aws-cli-examples", "plaso"}


def found_in(value: Any) -> list[str]:
    """Find the records in parsed JSON, however they are wrapped, each as text of its own."""
    if isinstance(value, dict):
        if {"eventName", "eventSource", "eventTime"} <= value.keys():
            return [json.dumps(value, sort_keys=True)]
        return [record for inner in value.values() for record in found_in(inner)]
    if isinstance(value, list):
        return [record for inner in value for record in found_in(inner)]
    if isinstance(value, str) and value.startswith("{"):
        try:
            return found_in(json.loads(value))
        except ValueError:
            return []
    return []


def slow_count(folder: Path) -> set[str]:
    """Read what is plain or gzipped JSON, with nothing but the standard library."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            try:
                found |= set(found_in(json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)))
            except (ValueError, OSError):
                continue
    return found


def test_the_table_names_every_source(corpus):
    assert sorted(EXPECTED) == sorted(path.name for path in (corpus / "cloudtrail").iterdir() if path.is_dir())
    assert [sum(row[name] for row in EXPECTED.values()) for name in ("read", "kept", "duplicates", "errors")] == [
        1029,
        733,
        256,
        40,
    ]


@pytest.mark.parametrize("source", EXPECTED)
def test_a_source_reconciles_to_the_record(source, corpus, tmp_path):
    result = ingest(corpus / "cloudtrail" / source, tmp_path / "lake")

    counts = result.counts
    assert (result.problems, balanced(result)) == ([], True)
    assert {name: getattr(counts, name) for name in EXPECTED[source]} == EXPECTED[source]
    assert rows(tmp_path / "lake", "select count(*) from events") == [(counts.kept,)]
    named = "select count(*), count(*) filter (where object is null or reason is null) from skipped"
    assert rows(tmp_path / "lake", named) == [(counts.errors, 0)]
    if source not in TEXTS:
        assert len(slow_count(corpus / "cloudtrail" / source)) == counts.kept
