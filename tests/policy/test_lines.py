"""Questions as JSON lines: each form that may be written, and what is said of the rest."""

import json

import pytest

from tests.policy.conftest import policy, statement
from trailfit.errors import PolicyError
from trailfit.policy import lines
from trailfit.policy.evaluate import Request

ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
NOTHING = {"Statement": []}
ASKED = {"action": "s3:GetObject", "resource": "*", "principal": "arn:aws:iam::111122223333:role/app"}


def simulate(**question):
    return lines.simulate(json.dumps({"id": "q", "request": ASKED, "identity": [ALLOW], **question}))


def check(**question):
    return lines.check(json.dumps({"id": "q", **question}))


def test_request_is_read_as_written():
    full = {
        **ASKED,
        "resourceAccount": "1",
        "context": {"a": "x", "b": [1, True, "y"], "c": None, "d": 2.5, "e": False},
    }

    assert lines.request(full) == Request(
        ASKED["principal"], "s3:GetObject", "*", {"a": "x", "b": ("1", "true", "y"), "d": "2.5", "e": "false"}, "1"
    )
    assert lines.request({"action": "a:b", "resource": "c"}) == Request(None, "a:b", "c", {})
    assert lines.request({**ASKED, "context": None}).context == {}


@pytest.mark.parametrize(
    ("written", "complete"),
    [
        ({}, True),
        ({"context_complete": True}, True),
        ({"context_complete": None}, True),
        ({"context_complete": False}, False),
    ],
)
def test_context_is_complete_unless_said_otherwise(written, complete):
    assert lines.request({**ASKED, **written}).context_complete is complete


def test_places_of_policies_are_read_where_given():
    read = lines.policies({})
    assert (read.identity, read.boundary, read.session, read.scp, read.rcp, read.resource) == (
        (),
        None,
        None,
        None,
        None,
        None,
    )

    public = {"Statement": {**ALLOW["Statement"], "Principal": "*"}}
    read = lines.policies(
        {
            "identity": ALLOW,
            "boundary": [],
            "session": ALLOW,
            "scp": [[], [ALLOW, NOTHING]],
            "rcp": public,
            "resource_policy": public,
        }
    )
    assert [len(each) for each in (read.identity, read.boundary, read.session)] == [1, 0, 1]
    assert [len(level) for level in read.scp] == [0, 2]
    assert [len(level) for level in read.rcp] == [1]
    assert read.resource.has_principals
    assert lines.policies({"identity": None, "scp": []}).scp == ()


def test_decision_is_of_all_places():
    assert simulate()["decision"] == "Allowed"
    for place in ("boundary", "session"):
        assert simulate(**{place: NOTHING})["decision"] == "ImplicitlyDenied"
        assert simulate(**{place: []})["decision"] == "ImplicitlyDenied"
        assert simulate(**{place: None})["decision"] == "Allowed"
    for place in ("scp", "rcp"):
        assert simulate(**{place: [[ALLOW], []]})["decision"] == "ImplicitlyDenied"
        assert simulate(**{place: [[ALLOW], ALLOW]})["decision"] == "Allowed"


def test_nothing_new_is_said_without_a_counterexample_or_reason():
    assert check(new=[ALLOW], old=ALLOW) == {"id": "q", "no_new_access": True, "counterexample": None}
    assert check(new=[], old=[]) == {"id": "q", "no_new_access": True, "counterexample": None}


def test_counterexample_names_a_principal_only_where_documents_do():
    shown = check(new=[ALLOW], old=[])
    assert shown == {
        "id": "q",
        "no_new_access": False,
        "counterexample": {"action": "s3:x", "resource": "*", "context": {}},
    }

    trusting = {"Statement": {**ALLOW["Statement"], "Principal": {"AWS": "111122223333"}}}
    assert check(new=[trusting], old=[])["counterexample"]["principal"] == "arn:aws:iam::111122223333:user/someone"


def test_undecided_says_why():
    answer = check(
        new=[json.loads(policy(statement("sqs:*", "arn:aws:sqs:r:${aws:x}:q"), version="2008-10-17").to_json())], old=[]
    )

    assert answer["no_new_access"] is None
    assert "Version" in answer["reason"]


def test_boundary_bounds_both_sides():
    assert check(new=[ALLOW], old=[], boundary=NOTHING)["no_new_access"] is True
    assert check(new=[ALLOW], old=[], boundary=[])["no_new_access"] is True
    assert check(new=[ALLOW], old=[], boundary=None)["no_new_access"] is False


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"new": []}, "old: is missing"), ({"old": []}, "new: is missing"), ({"new": [7], "old": []}, "new[0]: a policy document is a JSON object"),
        ({"new": 7, "old": []}, "new: a policy document is a JSON object"), ({"new": [], "old": [ALLOW, {"Statement": 1}]}, "old[1]: Statement"),
        ({"new": [], "old": [], "boundary": 7}, "boundary: a policy document"), ({"new": "{", "old": []}, "new: line 1"),
    ],
)  # fmt: skip
def test_pair_that_cannot_be_read_names_the_place(question, message):
    answer = check(**question)

    assert answer["id"] == "q"
    assert message in answer["error"]


@pytest.mark.parametrize("written", [None, [], "x"])
def test_request_that_is_no_object_is_refused(written):
    with pytest.raises(PolicyError, match="request: is missing or no object"):
        lines.request(written)


@pytest.mark.parametrize("name", ["action", "resource"])
def test_request_has_an_action_and_a_resource(name):
    with pytest.raises(PolicyError, match=f"request.{name}: is missing or no string"):
        lines.request({**ASKED, name: None})


@pytest.mark.parametrize("name", ["principal", "resourceAccount"])
def test_principal_and_account_are_text(name):
    with pytest.raises(PolicyError, match=f"request.{name}: is no string"):
        lines.request({**ASKED, name: 111122223333})


def test_line_that_is_no_object_has_no_id():
    assert lines.simulate("[1]") == {"id": None, "error": "a line is a JSON object"}
    assert lines.check("{")["id"] is None
    assert "not JSON" in lines.check("[" * 100_000)["error"]


def test_same_document_is_read_once():
    first, second = (lines.document(dict(ALLOW), "identity[0]", "identity") for _ in range(2))

    assert first is second
