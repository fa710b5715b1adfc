"""What a trail logs, told strictly: only what is logged without restriction may make silence evidence."""

import pytest

from tests.inventory import account_files as files
from trailfit.inventory import from_files

ARN = f"arn:aws:cloudtrail:eu-west-1:{files.ACCOUNT}:trail/t"
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}
S3 = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}


def basic(**selector):
    return {"EventSelectors": [selector]}


def advanced(*selectors):
    return {"AdvancedEventSelectors": [{"Name": "", "FieldSelectors": list(fields)} for fields in selectors]}


def s3(*values):
    return [{"Type": "AWS::S3::Object", "Values": list(values)}]


CASES = {
    "all management events": (basic(ReadWriteType="All", IncludeManagementEvents=True), True, (), ()),
    "writes only": (basic(ReadWriteType="WriteOnly", IncludeManagementEvents=True), False, (), ("Management",)),
    "no management events": (basic(ReadWriteType="All", IncludeManagementEvents=False), False, (), ()),
    "every object": (
        basic(IncludeManagementEvents=True, DataResources=s3("arn:aws:s3")),
        True,
        ("AWS::S3::Object",),
        (),
    ),
    "every object, as the console writes it": (
        basic(IncludeManagementEvents=False, DataResources=s3("arn:aws:s3:::")),
        False,
        ("AWS::S3::Object",),
        (),
    ),
    "one bucket": (
        basic(IncludeManagementEvents=False, DataResources=s3("arn:aws:s3:::b/")),
        False,
        (),
        ("AWS::S3::Object",),
    ),
    "reads of every object": (
        basic(ReadWriteType="ReadOnly", IncludeManagementEvents=False, DataResources=s3("arn:aws:s3")),
        False,
        (),
        ("AWS::S3::Object",),
    ),
    "advanced management events": (advanced([MANAGEMENT]), True, (), ()),
    "advanced, writes only": (
        advanced([MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}]),
        False,
        (),
        ("Management",),
    ),
    "advanced data events": (advanced([DATA, S3]), False, ("AWS::S3::Object",), ()),
    "advanced, one bucket": (
        advanced([DATA, S3, {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b/"]}]),
        False,
        (),
        ("AWS::S3::Object",),
    ),
    "advanced, one event name": (
        advanced([DATA, S3, {"Field": "eventName", "Equals": ["PutObject"]}]),
        False,
        (),
        ("AWS::S3::Object",),
    ),
    "one bucket, and every object in another selector": (
        advanced([DATA, S3, {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b/"]}], [DATA, S3]),
        False,
        ("AWS::S3::Object",),
        (),
    ),
    "network activity is neither": (
        advanced([{"Field": "eventCategory", "Equals": ["NetworkActivity"]}]),
        False,
        (),
        (),
    ),
}


def read(folder, selectors):
    trail = {"Name": "t", "TrailARN": ARN, "HomeRegion": "eu-west-1", "IsMultiRegionTrail": True}
    answers = {"trails.json": {"trailList": [trail]}, "gaad.json": files.details()}
    if selectors is not None:
        answers["selectors.json"] = {"TrailARN": ARN, **selectors}
    return from_files.read(files.write(folder, answers))


@pytest.mark.parametrize(("selectors", "management", "whole", "part"), CASES.values(), ids=CASES.keys())
def test_only_what_is_logged_without_restriction_is_logged_whole(tmp_path, selectors, management, whole, part):
    (found,) = read(tmp_path, selectors).selectors

    assert (found.management, found.data_types, found.partial) == (management, whole, part)
    assert (found.account, found.region, found.multi_region, found.logging) == (files.ACCOUNT, "eu-west-1", True, None)


@pytest.mark.parametrize(
    "selectors",
    [
        basic(IncludeManagementEvents=True, ExcludeManagementEventSources=["kms.amazonaws.com"]),
        advanced([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]),
    ],
    ids=["basic", "advanced"],
)
def test_an_excluded_source_is_told(tmp_path, selectors):
    (found,) = read(tmp_path, selectors).selectors

    assert (found.management, found.excluded) == (True, ("kms.amazonaws.com",))


def test_a_trail_that_was_stopped_is_told_by_its_status_file(tmp_path):
    files.write(tmp_path, {"t.json": {"IsLogging": False}})

    (found,) = read(tmp_path, basic(IncludeManagementEvents=True)).selectors

    assert found.logging is False


def test_a_trail_without_its_selectors_is_not_assessed(tmp_path):
    snapshot = read(tmp_path, None)

    assert snapshot.selectors == ()
    assert [one.subject for one in snapshot.unassessed if "event selectors" in one.reason] == [ARN]
