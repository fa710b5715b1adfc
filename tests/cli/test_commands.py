"""The command line as a user meets it: results on stdout, problems in one line, exit codes as promised."""

import csv
import io
import json
import subprocess
import sys

import pytest

from trailfit.cli.main import COMMANDS


def program(*words, **options):
    """Run the real program, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from trailfit.cli.main import main; main()", *map(str, words)],
        capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_the_common_options(name, trailfit):
    text = trailfit(name, "--help").stdout

    assert COMMANDS[name][1].rstrip(".").split(";")[0][:20].lower() in text.lower() or text.startswith("Usage: ")
    for option in ("--quiet", "--verbose", "--config", "--help"):
        assert option in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["usage", "--lake", "no-such-lake"], "no-such-lake"),
        (["recommend", "--lake", "no-such-lake"], "no-such-lake"),
        (["query", "no_such_query", "--lake", "no-such-lake"], "no_such_query"),
        (["query", "select no_such_column from events", "--lake", "no-such-lake"], "no"),
        (["report", "--out", "no-such-out"], "no-such-out"),
        (["explain", "nobody", "--out", "no-such-out"], "no-such-out"),
        (["run", "--config", "no-such.toml"], "no-such.toml"),
        (["ingest", "no-such-folder", "--lake", "lake"], "no-such-folder"),
        (["usage"], "--lake"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_a_mistake_is_one_readable_message_and_exit_2(words, said, tmp_path):
    done = program(*words, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "a bug" not in done.stderr


def test_an_empty_lake_proposes_nothing_and_says_so_of_everybody(tmp_path, demo):
    program("inventory", "--lake", tmp_path / "lake", "--from-files", demo / "iam")

    done = program("recommend", "--lake", tmp_path / "lake", "--out", tmp_path / "out")

    data = json.loads((tmp_path / "out" / "recommendations.json").read_text())
    assert done.returncode == 3
    assert data["recommendations"] == []
    assert {row["reason"].split(" is in")[0].rsplit(" ", 1)[0] for row in data["unassessed"]} == {"no event of account"}
    unused = [row for each in data["principals"] for row in each["permissions"] if row["class"] == "unused"]
    assert [row for row in unused if not row["reason"].startswith("IAM's last accessed data has never seen")] == []


def test_query_without_a_name_lists_the_queries_and_what_they_answer(trailfit):
    listed = trailfit("query").stdout

    assert "usage" in listed
    assert all(line.rstrip().endswith("?") for line in listed.splitlines())


def test_sql_is_asked_of_the_lakes_views(demo, trailfit):
    told = trailfit("query", "select count(*) as n from events", "--lake", demo / "lake", "--format", "json").stdout

    assert json.loads(told)[0]["n"] > 1000


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_usage_prints_the_promised_columns(form, demo, trailfit):
    text = trailfit("usage", "--lake", demo / "lake", "--format", form).stdout

    columns = ["principal", "action", "resource", "role", "calls", "denied", "first_used", "last_used", "basis"]
    if form == "json":
        assert list(json.loads(text)[0]) == columns
    else:
        head = text.splitlines()[0]
        assert (head.split(",") if form == "csv" else head.split()) == columns


def test_usage_as_parquet_is_bytes_that_pyarrow_reads(demo):
    import pyarrow.parquet as pq

    done = subprocess.run(
        [sys.executable, "-c", "from trailfit.cli.main import main; main()", "usage", "--lake", demo / "lake", "--format", "parquet"],
        capture_output=True, check=True,
    )  # fmt: skip

    assert pq.read_table(io.BytesIO(done.stdout)).num_rows > 50


def test_a_spreadsheet_formula_from_a_log_does_not_run(capsys):
    import pyarrow as pa

    from trailfit.cli import tables

    tables.show(pa.table({"principal": ["=cmd|' /C calc'!A0", "@x", "arn:aws:iam::1:role/a"]}), "csv")

    cells = [row[0] for row in csv.reader(io.StringIO(capsys.readouterr().out))]
    assert cells == ["principal", "'=cmd|' /C calc'!A0", "'@x", "arn:aws:iam::1:role/a"]


def test_a_terminal_escape_from_a_log_is_spelled_out(capsys):
    import pyarrow as pa

    from trailfit.cli import tables

    tables.show(pa.table({"principal": ["\x1b[31mred\x1b[0m\u202e"]}), "table")

    assert "\x1b" not in (out := capsys.readouterr().out)
    assert "\u202e" not in out


def test_explain_tells_why_with_an_event_as_evidence(demo, trailfit):
    text = trailfit("explain", "orders-writer-role", "dynamodb:PutItem", "--out", demo / "out").stdout

    assert "used          dynamodb:PutItem: used" in text
    assert "for example event" in text


def test_quiet_may_stand_before_or_after_the_command(demo, tmp_path):
    before = program("-q", "ingest", demo / "logs", "--lake", demo / "lake")
    after = program("ingest", "-q", demo / "logs", "--lake", demo / "lake")

    assert (before.stdout, before.stderr) == (after.stdout, after.stderr) == ("", "")


def test_the_monthly_run_does_it_all_and_is_safe_to_run_again(demo, tmp_path, trailfit):
    subprocess.run(["git", "clone", "--quiet", demo / "repo", tmp_path / "repo"], check=True)
    (tmp_path / "trailfit.toml").write_text(
        f'lake = "lake"\nout = "out"\n[ingest]\nsources = ["{demo / "logs"}"]\n[inventory]\nfrom_files = "{demo / "iam"}"\n'
        '[recommend]\ndays = 90\n[pr]\nrepo = "repo"\n'
    )

    first = trailfit("run", "--config", tmp_path / "trailfit.toml", code=None)
    written = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    second = trailfit("run", "--config", tmp_path / "trailfit.toml", code=None)

    assert first.exit_code == second.exit_code == 3
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == written
    branches = subprocess.run(["git", "-C", tmp_path / "repo", "branch"], capture_output=True, text=True, check=True)
    assert branches.stdout.count("trailfit/") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lake = 3", "`lake` must be of type str"),
        ("out = 'x'", "says no `lake`"),
        ("lake = 'x'\n[ingest]\nsource = ['y']", "`ingest.source` is not a setting"),
        ("lake = ", "is not TOML"),
    ],
)
def test_a_slip_in_the_configuration_is_an_error_with_its_place(text, said, tmp_path, trailfit):
    (tmp_path / "trailfit.toml").write_text(text)

    done = program("run", "--config", tmp_path / "trailfit.toml")

    assert done.returncode == 2
    assert said in done.stderr
    assert "trailfit.toml" in done.stderr
