from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailfit.deliver.union import prove, union
from trailfit.errors import EditError
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document

from .sample import ACCOUNT, allow, document

ACTIONS = ["s3:GetObject", "s3:Get*", "s3:PutObject", "s3:*", "sqs:SendMessage"]
RESOURCES = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/in/*", "arn:aws:s3:::b/in/x", "arn:aws:sqs:eu-west-1:1:q"]
SECURE = {"Bool": {"aws:SecureTransport": "true"}}


def some(values: list[str]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))


STATEMENT = st.builds(
    lambda action, resource, sid, secure: {
        **({"Sid": sid} if sid else {}),
        **allow(action, resource),
        **({"Condition": SECURE} if secure else {}),
    },
    some(ACTIONS),
    some(RESOURCES),
    st.sampled_from(["A", "B", "A2", None]),
    st.booleans(),
)
PARTS = st.lists(st.lists(STATEMENT, max_size=3, unique_by=lambda one: one.get("Sid", id(one))), min_size=1, max_size=3)


def as_it_is(value: Any) -> str | None:
    return value if isinstance(value, str) else None


@given(PARTS)
@settings(max_examples=150, deadline=None)
def test_a_union_grants_what_its_parts_grant_and_no_more(parts: list[list[dict[str, Any]]]) -> None:
    joined = Document.parse(document(*union(parts, [as_it_is])))  # raises where a Sid stands twice
    each = [Document.parse(document(*part)) for part in parts]

    assert no_new_access([joined], each).holds is True
    assert no_new_access(each, [joined]).holds is True
    assert len(joined.statements) <= sum(len(part) for part in parts)


@given(PARTS)
@settings(max_examples=50, deadline=None)
def test_a_union_with_itself_is_itself(parts: list[list[dict[str, Any]]]) -> None:
    once = union(parts[:1], [as_it_is])

    assert union([once, once], [as_it_is]) == once


def test_a_denial_of_one_account_is_not_taken_to_cover_anything() -> None:
    deny = {**allow("s3:*", "*"), "Effect": "Deny"}

    assert union([[deny], [allow("s3:GetObject", "*")]], [as_it_is]) == [deny, allow("s3:GetObject", "*")]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (allow(["s3:GetObject", "sqs:SendMessage"], "*"), "grant something new"),
        (allow("s3:GetObjectAcl", "*"), "deny something used"),
        (allow("s3:GetObject", {"Ref": "Anything"}), "cannot be worked out"),
    ],
)
def test_what_is_not_proved_for_an_account_is_refused(written: dict[str, Any], reason: str) -> None:
    before = [{"document": document(allow("s3:*", "*"))}]
    after = [{"document": document(allow("s3:GetObject", "*"))}]
    with pytest.raises(EditError, match=reason):
        prove([("2012-10-17", [written])], before, after, as_it_is, ACCOUNT)
