"""``trailfit inventory``: what a user sees and scripts against."""

import json

from click.testing import CliRunner

from tests.inventory import account_files as files
from tests.inventory.fake_aws import FakeAWS
from tests.inventory.fake_organisation import MANAGEMENT, Organisation
from trailfit.cli.main import cli


def run(*args):
    return CliRunner().invoke(cli, ["inventory", *map(str, args)])


def test_the_summary_is_on_stdout_and_what_is_not_assessed_on_stderr(tmp_path):
    files.whole(tmp_path / "in")

    result = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in")

    assert result.exit_code == 3
    assert "1 roles" in result.stdout
    assert "2 access keys" in result.stdout
    assert "ReadOnlyAccess is not in the snapshot" in result.stderr
    assert "ReadOnlyAccess" not in result.stdout


def test_nothing_missing_is_exit_0(tmp_path):
    files.whole(tmp_path / "in")
    details = files.details()
    details["GroupDetailList"][0]["AttachedManagedPolicies"] = []
    files.write(tmp_path / "in", {f"iam/{files.ACCOUNT}/authorization.json": details})

    result = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in")

    assert result.exit_code == 0
    assert result.stderr == ""


def test_the_same_files_give_the_same_bytes(tmp_path):
    files.whole(tmp_path / "in")
    for lake in ("a", "b"):
        run("--lake", tmp_path / lake, "--from-files", tmp_path / "in")

    one, two = (next((tmp_path / lake).rglob("snapshot.json")) for lake in ("a", "b"))

    assert one.read_bytes() == two.read_bytes()
    assert one.parent.name == two.parent.name == "20261030T000001Z"
    assert json.loads(one.read_text())["trailfit_snapshot"] == 1


def test_a_folder_that_describes_no_account_is_one_readable_message(tmp_path):
    (tmp_path / "in").mkdir()

    result = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in")

    assert type(result.exception).__name__ == "SourceError"
    assert not (tmp_path / "lake").exists()


def test_from_files_asks_no_aws(tmp_path):
    files.whole(tmp_path / "in")

    result = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in", "--accounts", "org")

    assert type(result.exception).__name__ == "UsageError"


def test_aws_is_asked_and_the_requests_are_counted(tmp_path, monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    with FakeAWS(Organisation()) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        result = run("--lake", tmp_path / "lake", "--regions", "eu-west-1")

    assert result.exit_code == 0, result.output
    assert "3 roles" in result.stdout
    assert f"{fake.seen.total():,} requests sent to AWS" in result.stderr
    assert list((tmp_path / "cache").rglob("*.jsonl")) == []


def test_a_profile_that_is_none_is_one_readable_message(tmp_path):
    result = run("--lake", tmp_path / "lake", "--profile", "no-such-profile")

    assert type(result.exception).__name__ == "SourceError"
    assert "no-such-profile" in str(result.exception)


def test_the_second_snapshot_says_what_changed_since_the_first(tmp_path):
    files.whole(tmp_path / "in")
    first = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in")
    details = files.details()
    details["RoleDetailList"][0]["Tags"] = [{"Key": "a", "Value": "b"}]
    later = files.last_accessed() | {"JobCompletionDate": "2026-11-30T00:00:00+00:00"}
    folder = f"iam/{files.ACCOUNT}"
    files.write(
        tmp_path / "in", {f"{folder}/authorization.json": details, f"{folder}/last-accessed/orders-fn.json": later}
    )

    second = run("--lake", tmp_path / "lake", "--from-files", tmp_path / "in")

    assert "since" not in first.stdout
    assert second.stdout.splitlines()[-1] == "since 2026-10-30 00:00 UTC: 1 added, 0 removed, 0 changed"
