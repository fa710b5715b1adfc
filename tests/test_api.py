"""The Python API, on the demo's lake: what a notebook calls, and what Jupyter shows of it."""

import json
import re

import pytest

import trailfit as api
from trailfit import shown
from trailfit.errors import UsageError
from trailfit.recommend.backtest import as_dict

HOSTILE = "<script>alert(1)</script>&\"'"


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    return api.rightsize(demo / "lake", tmp_path_factory.mktemp("run"))


def test_a_folder_of_logs_becomes_a_lake_that_answers(demo, tmp_path):
    lake = api.read_logs(demo / "logs", tmp_path / "lake")

    assert lake.query("busiest", days=90).df().events.sum() == len(api.open(demo / "lake").sql("from events").df())


def test_only_the_days_asked_for_are_ingested(demo, tmp_path):
    first, last = api.open(demo / "lake").lake.days()

    assert api.read_logs(demo / "logs", tmp_path / "lake", first=last).lake.days() == (last, last)
    assert api.read_logs([demo / "logs"], tmp_path / "lake", last=first).lake.days() == (first, last)


def test_a_run_is_what_the_file_holds(run, demo):
    told = json.loads((demo / "out" / "recommendations.json").read_text())

    assert run == told
    assert len(run.proposals) == len(told["recommendations"])
    assert set(run.findings().kind) == {each["kind"] for each in told["findings"]}
    assert run.permissions().groupby("principal").size().shape[0] == len(
        [each for each in told["principals"] if each["permissions"]]
    )


def test_a_proposal_is_found_by_name_or_arn(run):
    one = run["recommendations"][0]

    assert run.proposal(one["principal"]) == run.proposal(one["principal"].rsplit("/", 1)[-1]) == one
    with pytest.raises(UsageError, match="nothing is proposed"):
        run.proposal("nobody")


def test_a_backtest_from_python_is_that_of_the_command_line(demo, trailfit):
    printed = trailfit("backtest", "--lake", demo / "lake", "--train", 60, "--test", 30, "--format", "json", code=None)
    (outcome,) = api.open(demo / "lake").backtest(60, 30)

    assert json.loads(printed.stdout) == json.loads(json.dumps([as_dict(outcome)]))


def test_jupyter_shows_a_lake_by_account(demo):
    lake = api.open(demo / "lake")

    html = lake._repr_html_()

    assert all(f">{account}<" in html for account in lake.lake.accounts())


def test_jupyter_shows_an_empty_lake(tmp_path):
    assert "empty" in api.open(tmp_path)._repr_html_()
    assert "empty" in repr(api.open(tmp_path))


def test_jupyter_shows_the_proofs_and_the_lines_that_change(run):
    html = run.proposal("orders-writer-role")._repr_html_()

    assert html.count("✓ proved") == 2
    assert re.search(r"#1a7f37'>\+ .*dynamodb:PutItem", html)
    assert "AmazonDynamoDBFullAccess goes" in html


def test_jupyter_shows_every_proposal_of_a_run(run):
    html = run._repr_html_()

    assert all(each["principal"] in html for each in run["recommendations"])
    assert f"({run['summary']['safe']} safe)" in html
    assert f"({run['summary']['safe']} safe)" in repr(run)


def test_hostile_names_are_text_in_jupyter(run):
    hostile = json.loads(json.dumps(run).replace("orders-writer", json.dumps(HOSTILE)[1:-1]))
    told = [each for each in hostile["recommendations"] if HOSTILE in each["principal"]]
    assert told

    for html in (shown.run(hostile), shown.proposal(told[0]), shown.lake(HOSTILE, None, [(HOSTILE, None)])):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
