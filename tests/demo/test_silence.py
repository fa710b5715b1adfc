"""Where the log cannot show use, nothing is called unused: an empty lake, a day of it, a broken one, one without data events.

The demo's organisation has the snapshot; its log is taken away piece by piece.
"""

import gzip
import json
import shutil
from datetime import date

import pytest

from trailfit.catalog.observability import observability

#: What else proves that a permission was not used: IAM's own record, that it could not be used, or what comes before it.
PROVEN = ("last accessed data has never seen", "granted in vain", "is only known from DescribeStream")
ACCOUNTS = ("111122223333", "222233334444", "444455556666")


@pytest.fixture(scope="module")
def logs(demo, tmp_path_factory):
    """The demo's log of a fortnight, to be broken: shorter is quicker, and says the same."""
    folder = tmp_path_factory.mktemp("logs")
    for path in sorted((demo / "logs").rglob("*.json.gz")):
        if "/2026/10/" in path.as_posix() and int(path.parent.name) > 17:
            target = folder / path.relative_to(demo / "logs")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return folder


def judged(trailfit, demo, folder, logs=None, *, days=14, **options):
    """Give the exit code and the answer over a lake of `logs`."""
    lake = folder / "lake"
    if logs is not None:
        words = [word for name, value in options.items() for word in (f"--{name.strip('_')}", value)]
        result = trailfit("ingest", logs, "--lake", lake, *words, code=None)
        assert result.exit_code in (0, 3), result.output
    trailfit("inventory", "--lake", lake, "--from-files", demo / "iam", code=None)
    result = trailfit("recommend", "--lake", lake, "--days", days, "--out", folder / "out", code=None)
    return result.exit_code, json.loads((folder / "out" / "recommendations.json").read_text())


def unused(data, account=None):
    """List the (principal, action) pairs called unused, and the findings that say so of a whole principal."""
    listed = [
        (each["principal"], row["action"])
        for each in data["principals"] for row in each["permissions"]
        if row["class"] == "unused" and account in (None, each["account"])
    ]  # fmt: skip
    whole = [
        (each["principal"], each["kind"])
        for each in data["findings"]
        if each["kind"] in ("UnusedIAMRole", "UnusedIAMUser", "UnusedPermission", "UnusedTrust")
        and account in (None, each["principal"].split(":")[4])
    ]
    return listed + whole


def test_a_whole_log_calls_things_unused(trailfit, demo, logs, tmp_path):
    """The measure of the others: over the whole fortnight there is much to say."""
    code, data = judged(trailfit, demo, tmp_path, logs)

    assert code in (0, 3)
    assert len(unused(data)) > 100
    assert data["recommendations"]


def test_an_empty_lake_calls_nothing_unused_and_nothing_is_proposed(trailfit, demo, tmp_path):
    code, data = judged(trailfit, demo, tmp_path)

    assert code == 3
    assert unused(data) == []
    assert data["recommendations"] == []
    assert {row["reason"] for row in data["unassessed"]} >= {
        f"no event of account {account} is in the lake: silence proves nothing" for account in ACCOUNTS
    }


def test_a_lake_of_one_day_calls_nothing_unused(trailfit, demo, logs, tmp_path):
    code, data = judged(trailfit, demo, tmp_path, logs, _from="2026-10-31", to="2026-10-31")

    assert code == 3
    assert unused(data) == []
    assert data["recommendations"] == []


def test_days_that_throttling_kept_away_leave_everything_open(trailfit, demo, logs, tmp_path):
    broken = tmp_path / "logs"
    shutil.copytree(logs, broken)
    for folder in broken.rglob("2026/10/25"):
        shutil.rmtree(folder)
    for folder in broken.rglob("2026/10/26"):  # the rest of a day is delivered with the next one
        shutil.rmtree(folder)

    code, data = judged(trailfit, demo, tmp_path, broken)

    assert code == 3
    assert unused(data) == []
    assert data["recommendations"] == []


def test_an_object_that_cannot_be_read_leaves_its_account_open(trailfit, demo, logs, tmp_path):
    broken = tmp_path / "logs"
    shutil.copytree(logs, broken)
    victim = next(path for path in sorted(broken.rglob("*.json.gz")) if f"/{ACCOUNTS[1]}/" in path.as_posix())
    victim.write_bytes(victim.read_bytes()[:40])

    code, data = judged(trailfit, demo, tmp_path, broken)

    assert code == 3
    assert f"account {ACCOUNTS[1]}" in {row["subject"] for row in data["unassessed"]}
    assert unused(data, ACCOUNTS[1]) == []
    assert unused(data, ACCOUNTS[0])


def test_without_data_events_nothing_that_only_they_show_is_unused(trailfit, demo, logs, tmp_path):
    bare = tmp_path / "logs"
    for path in sorted(logs.rglob("*.json.gz")):
        held = json.loads(gzip.decompress(path.read_bytes()))
        if "Records" not in held:  # a digest
            continue
        kept = [one for one in held["Records"] if one.get("eventCategory") != "Data"]
        target = bare / path.relative_to(logs)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(json.dumps({"Records": kept}).encode(), mtime=0))

    _, data = judged(trailfit, demo, tmp_path, bare)

    wrong = [
        (who, action)
        for who, action in unused(data)
        if ":" in action and not action.endswith("*") and observability(action).kind in ("data", "never")
        and not any(words in reason(data, (who, action)) for words in PROVEN)
    ]  # fmt: skip
    assert wrong == []


def reason(data, pair):
    """Give why a permission has its class; findings have none."""
    who, action = pair
    for each in data["principals"]:
        if each["principal"] == who:
            return next((row["reason"] for row in each["permissions"] if row["action"] == action), "")
    return ""


def test_a_young_lake_is_no_longer_than_it_is(trailfit, demo, logs, tmp_path):
    """A fortnight of log and a window of ninety days: 76 days are missing, and that is said."""
    code, data = judged(trailfit, demo, tmp_path, logs, days=90)

    assert code == 3
    assert unused(data) == []
    assert data["window"] == {"from": str(date(2026, 8, 3)), "to": "2026-10-31", "days": 90}
