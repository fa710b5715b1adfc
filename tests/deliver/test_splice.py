from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trailfit.deliver.splice import edit, equal
from trailfit.deliver.tree import parse_json, parse_yaml
from trailfit.deliver.write import Flow, Yaml
from trailfit.errors import EditError

ACTIONS = st.sampled_from(["s3:GetObject", "s3:*", "*", "dynamodb:PutItem", "ec2:Describe*"])
ARNS = st.sampled_from(
    ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:sqs:eu-west-1:012345678901:q", "${x}", "a: #b", "yes", "1"]
)


def some(items: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return items | st.lists(items, min_size=1, max_size=4, unique=True)


STATEMENTS = st.builds(
    lambda sid, effect, action, resource, condition: {
        **({"Sid": sid} if sid else {}), "Effect": effect, "Action": action, "Resource": resource,
        **({"Condition": {"StringEquals": {"aws:PrincipalTag/team": condition}}} if condition else {}),
    },
    st.sampled_from(["", "A", "B"]), st.sampled_from(["Allow", "Deny"]), some(ACTIONS), some(ARNS), st.none() | some(ARNS),
)  # fmt: skip
DOCUMENTS = st.builds(
    lambda statements: {"Version": "2012-10-17", "Statement": statements},
    STATEMENTS | st.lists(STATEMENTS, min_size=1, max_size=4),
)
HEAD = "# the head stays\nKeep: { a: 1,   b: 'two' } # as it is\nPolicy:\n"
TAIL = "After:   # and the tail\n  - x\n\n"


def in_yaml(document: dict[str, Any], *, flow: bool | None, indent: int, eol: str) -> str:
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=flow, width=10_000)
    body = "".join(" " * indent + line + "\n" for line in text.splitlines())
    return (HEAD + body + TAIL).replace("\n", eol)


@settings(deadline=None, max_examples=150)
@given(DOCUMENTS, DOCUMENTS, st.sampled_from([False, True, None]), st.integers(1, 4), st.sampled_from(["\n", "\r\n"]))
def test_yaml_says_the_new_policy_and_nothing_else_changes(
    old: dict[str, Any], new: dict[str, Any], flow: bool | None, indent: int, eol: str
) -> None:
    text = in_yaml(old, flow=flow, indent=indent, eol=eol)
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None
    try:
        edited = edit(text, node, new, Yaml(text, root))
    except EditError:
        return  # refused is always right; the next test says when it must not be refused

    assert equal(yaml.safe_load(edited)["Policy"], new)
    assert edited.startswith(HEAD.replace("\n", eol))
    assert edited.endswith(TAIL.replace("\n", eol))
    assert ("\n" in edited.replace("\r\n", "")) == (eol == "\n")
    again = parse_yaml(edited)
    node = again.get("Policy")
    assert node is not None
    assert edit(edited, node, new, Yaml(edited, again)) == edited


@settings(deadline=None, max_examples=100)
@given(DOCUMENTS, DOCUMENTS, st.integers(1, 4))
def test_block_style_is_never_refused(old: dict[str, Any], new: dict[str, Any], indent: int) -> None:
    text = in_yaml(old, flow=False, indent=indent, eol="\n")
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None

    assert equal(yaml.safe_load(edit(text, node, new, Yaml(text, root)))["Policy"], new)


@settings(deadline=None, max_examples=150)
@given(DOCUMENTS, DOCUMENTS, st.sampled_from([None, 1, 2, 4, "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_json_says_the_new_policy_and_stays_json(
    old: dict[str, Any], new: dict[str, Any], indent: int | str | None, eol: str
) -> None:
    whole = json.dumps({"before": [1, {"a": "ä"}], "Policy": old, "after": None}, indent=indent).replace("\n", eol)
    node = parse_json(whole).get("Policy")
    assert node is not None
    edited = edit(whole, node, new, Flow(whole))
    read = json.loads(edited)

    assert equal(read["Policy"], new)
    assert (read["before"], read["after"]) == ([1, {"a": "ä"}], None)
    assert edited[: node.start] == whole[: node.start]
    assert edited.endswith(whole[node.end :])
    again = parse_json(edited).get("Policy")
    assert again is not None
    assert edit(edited, again, new, Flow(edited)) == edited


@given(DOCUMENTS)
def test_the_same_policy_changes_no_byte(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=3)

    assert edit(text, parse_json(text), document, Flow(text)) == text


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([None, 2]),
)
def test_our_json_reader_agrees_with_json(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)

    assert parse_json(text).value == value


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a":1,}', "[1 2]", '{"a" 1}', '{"a":1,"a":2}', "[01]", '"\n"', "[" * 500, "nul", "{'a': 1}", "[] []"],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "Policy: &p\n  Statement:\n    - Effect: Allow\n      Action: s3:*\nOther: *p\n",
        "Base: &b\n  Effect: Allow\nPolicy:\n  Statement:\n    - <<: *b\n      Action: s3:*\n",
        "Policy:\n  Statement:\n    - Effect: Allow\n      Action: s3:*\n      Action: ec2:*\n",
    ],
)
def test_anchors_merges_and_keys_given_twice_are_refused(text: str) -> None:
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None
    with pytest.raises(EditError):
        edit(text, node, {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]}, Yaml(text, root))


def test_comments_quotes_and_order_stay() -> None:
    text = """Policy:
  Statement:
    # reads
    - Action:   # the verbs
      - 's3:GetObject'   # needed
      - "s3:PutObject"
      - s3:DeleteObject # not needed

      Effect: Allow
      Resource: ["a", 'b',  c] # three
    # writes
    - Effect: Allow
      Action: sqs:*
      Resource: '*'
"""
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None
    new = {"Statement": [{"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["a", "c"]}]}

    assert edit(text, node, new, Yaml(text, root)) == """Policy:
  Statement:
    # reads
    - Action:   # the verbs
      - 's3:GetObject'   # needed
      - "s3:PutObject"

      Effect: Allow
      Resource: ["a", c] # three
    # writes
"""  # fmt: skip


def test_a_text_without_a_last_line_end_gets_none() -> None:
    text = "Policy:\n  Statement:\n  - Effect: Allow\n    Action:\n    - a:b"
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None

    new = {"Statement": [{"Effect": "Allow", "Action": ["a:b", "a:c"]}]}
    assert edit(text, node, new, Yaml(text, root)) == text + "\n    - a:c"


def test_a_billion_laughs_are_not_laughed() -> None:
    text = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nPolicy: *c\n"
    root = parse_yaml(text)
    node = root.get("Policy")
    assert node is not None
    with pytest.raises(EditError):
        edit(text, node, {"Statement": []}, Yaml(text, root))
