"""``trailfit ingest``: what it prints, and its exit codes."""

from __future__ import annotations

import json

import pytest

from tests.cloudtrail.test_digest import DER, key_of, make
from tests.ingest.trails import compact, put, record, several_days
from trailfit.ingest.kernel import library


@pytest.fixture
def logs(tmp_path):
    several_days(tmp_path / "logs", days=2)
    return tmp_path / "logs"


def table(output: str) -> dict[str, str]:
    return {line[:42].strip(): line[42:].strip() for line in output.splitlines()}


def test_the_summary_adds_up(trailfit, logs, tmp_path):
    (logs / "bad.json").write_text("oops")
    put(logs, [record("twice"), record("twice")], tag="twice")

    result = trailfit("ingest", logs, "--lake", tmp_path / "lake", code=3)

    said = table(result.stdout)
    assert (said["records read"], said["kept"], said["duplicates"]) == ("483", "481", "1")
    assert (said["skipped (not asked for)"], said["errors (not readable)"]) == ("0", "1")
    assert "from skipped" in result.stderr
    assert said["decoder"] == ("Python" if library() is None else "native")


def test_nothing_new_is_success_and_quiet_is_quiet(trailfit, logs, tmp_path):
    first = trailfit("-q", "ingest", logs, "--lake", tmp_path / "lake")
    second = trailfit("ingest", logs, "--lake", tmp_path / "lake")

    assert first.output == ""
    assert table(second.stdout)["objects in the lake already"] == "12"


def test_a_dry_run_lists_and_prices_and_writes_nothing(trailfit, logs, tmp_path):
    result = trailfit("ingest", logs, "--lake", tmp_path / "lake", "--dry-run", "--from", "2026-10-29")

    assert table_of_prices(result.stdout)["objects to read"] == "6"
    assert not (tmp_path / "lake").exists()


def table_of_prices(output: str) -> dict[str, str]:
    return {line[:31].strip(): line[31:].strip() for line in output.splitlines()}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such file or folder"),
        (["gs://bucket/x"], "only s3://"),
        ([".", "--from", "2026-10-31", "--to", "2026-10-01"], "is after"),
    ],
)
def test_wrong_input_is_one_readable_line(trailfit, tmp_path, words, said):
    result = trailfit("ingest", *words, "--lake", tmp_path / "lake", code=None)

    assert result.exit_code != 0
    assert said in str(result.exception)


def test_tampering_is_exit_1_and_an_honest_trail_is_not(trailfit, tmp_path):
    import base64
    import gzip

    logs = tmp_path / "logs"
    plain = compact(record("a", "2026-10-31T01:00:00Z"))
    path = put(logs, [record("a", "2026-10-31T01:00:00Z")], delivered="2026-10-31T01:05")
    data, signature = make(2, None, {path.relative_to(logs).as_posix(): plain})
    digest = logs / key_of(2)
    digest.parent.mkdir(parents=True)
    digest.write_bytes(data)
    digest.with_name(f"{digest.name}.signature").write_text(signature)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"PublicKeyList": [{"Value": base64.b64encode(DER).decode(), "Fingerprint": "f00d"}]}))
    words = ("ingest", logs, "--lake", tmp_path / "lake", "--validate", "--public-keys", keys)

    honest = trailfit(*words)
    path.write_bytes(gzip.compress(compact(record("forged"))))
    tampered = trailfit(*words, code=1)

    assert "1 digests, 1 log files, 0 findings" in honest.stdout
    assert "AlteredLogFile" in tampered.stdout
