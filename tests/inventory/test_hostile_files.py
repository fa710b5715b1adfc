"""Files that AWS did not write: whatever stands where, the answer is a snapshot or one readable error."""

import copy
import json

import pytest

from tests.inventory import account_files as files
from trailfit.errors import TrailfitError
from trailfit.inventory import from_files, store
from trailfit.inventory.diff import changes
from trailfit.inventory.summary import lines
from trailfit.recommend import effective

JUNK = (None, 7, 1.5e300, True, "", "\x00<script>%7B", [], ["x", None], {}, {"x": [None]})

TRAIL = {"Name": "t", "TrailARN": "arn:aws:cloudtrail:eu-west-1:012345678901:trail/t", "HomeRegion": "eu-west-1"}
SELECTORS = {
    "TrailARN": TRAIL["TrailARN"],
    "EventSelectors": [
        {"IncludeManagementEvents": True, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["a"]}]}
    ],
    "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}],
}
TREE = {
    "Id": "r-1",
    "Arn": "arn:aws:organizations::999999999999:root/o-1/r-1",
    "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    "Policies": [{"Id": "p-1", "Name": "n", "Type": "SERVICE_CONTROL_POLICY", "Content": files.ALLOW}],
    "Children": [{"Id": files.ACCOUNT, "Children": []}],
}
INSTANCES = {"Reservations": [{"Instances": [{"InstanceId": "i", "IamInstanceProfile": {"Arn": "arn"}}]}]}
KEYS = {"AccessKeyMetadata": [{"UserName": "ann", "AccessKeyId": "AKIA1", "Status": "Active", "CreateDate": "2026"}]}
REPORT = {"Content": files.REPORT, "ReportFormat": "text/csv", "GeneratedTime": {"__class__": "datetime", "year": 2026}}
ANSWERS = {
    "gaad": files.details(),
    "last": files.last_accessed(files.USER),
    "functions": files.functions(),
    "trails": {"trailList": [TRAIL]},
    "selectors": SELECTORS,
    "tree": TREE,
    "instances": INSTANCES,
    "keys": KEYS,
    "AKIA1": {"UserName": "ann", "AccessKeyLastUsed": {"LastUsedDate": "2026-01-01T00:00:00Z"}},
    "report": REPORT,
}


def places(value, at=()):
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def with_junk(answer, at, junk):
    if not at:
        return junk
    changed = copy.deepcopy(answer)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = junk
    return changed


@pytest.mark.parametrize("name", ANSWERS)
def test_junk_at_any_place_of_a_file_is_a_snapshot_or_one_readable_error(tmp_path, name):
    path = tmp_path / f"{name}.json"
    files.write(tmp_path, {"gaad.json": ANSWERS["gaad"], path.name: ANSWERS[name]})
    whole = from_files.read(tmp_path)
    for at in places(ANSWERS[name]):
        for junk in JUNK:
            path.write_text(json.dumps(with_junk(ANSWERS[name], at, junk)))
            try:
                snapshot = from_files.read(tmp_path)
                assert store.from_json(json.loads(json.dumps(store.to_json(snapshot)))) == snapshot
                effective.grants(snapshot)
                changes(whole, snapshot)
                lines(snapshot)
            except TrailfitError:
                continue
            except Exception as problem:
                raise AssertionError(f"{name} {at} = {junk!r}") from problem


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"x"', b'{"a": NaN}', b"\xef\xbb\xbf{}", b'{"a": "\\ud800"}'],
    ids=repr,
)
def test_bytes_that_are_no_answer_are_named(tmp_path, content):
    files.write(tmp_path, {"gaad.json": files.details()})
    (tmp_path / "odd.json").write_bytes(content)

    snapshot = from_files.read(tmp_path)

    assert [one.subject for one in snapshot.unassessed if one.subject == "odd.json"] == ["odd.json"]


@pytest.mark.parametrize("line", ["{}", "[]", '{"account": 1}', "7", "{"])
def test_lines_that_are_no_collection_are_named(tmp_path, line):
    files.write(tmp_path, {"gaad.json": files.details(), "odd.jsonl": line + "\n"})

    snapshot = from_files.read(tmp_path)

    assert [one.subject for one in snapshot.unassessed if one.subject == "odd.jsonl"] == ["odd.jsonl"]
