"""Documents: every form IAM accepts is read and printed back; every form it refuses is refused, with the place."""

import json

import pytest

from trailfit.errors import PolicyError
from trailfit.policy.document import Document

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def test_aws_managed_policies_are_printed_back_equal(managed):
    for name, raw in managed.items():
        document = Document.parse(raw, name, "identity")

        assert json.loads(document.to_json()) == raw
        assert list(json.loads(document.to_json())) == list(raw)
        assert document.statements


#: Examples that are no policies: prose in the place of actions; ` *` where a resource stands, which IAM refuses.
NO_POLICIES = {("id_roles_use_passrole.md", 0), ("troubleshoot_policies.md", 8)}


def test_example_policies_of_aws_documentation_are_printed_back_equal(reference):
    examples = json.loads((reference / "aws-docs" / "iam_user_guide_policies.json").read_text())
    refused = set()
    for example in examples:
        try:
            assert json.loads(Document.parse(json.dumps(example["policy"])).to_json()) == example["policy"]
        except PolicyError:
            refused.add((example["file"], example["block"]))
    assert len(examples) == 275
    assert refused == NO_POLICIES


def test_text_and_data_read_the_same():
    raw = {"Version": "2012-10-17", "Id": "x", "Statement": ALLOW}

    assert Document.parse(json.dumps(raw)) == Document.parse(json.dumps(raw).encode()) == Document.parse(raw)
    assert Document.parse(raw).version == "2012-10-17"
    assert len({Document.parse(raw), Document.parse(dict(reversed(raw.items())))}) == 1
    assert Document.parse(raw) != raw
    assert Document.parse(raw) != Document.parse({**raw, "Id": "y"})


def test_letters_of_all_alphabets_are_printed_as_they_are():
    assert Document.parse({"Id": "é", "Statement": []}).to_json(indent=None) == '{"Id": "é", "Statement": []}'


def test_document_does_not_change_with_what_it_was_read_from():
    raw = {"Statement": [dict(ALLOW)]}
    document = Document.parse(raw)
    raw["Statement"].append("more")

    assert len(document.raw["Statement"]) == 1


def test_version_is_the_old_one_where_none_is_given():
    document = Document.parse({"Statement": ALLOW})

    assert document.version == "2008-10-17"
    assert document.statements[0].variables is False
    assert Document.parse({"Version": "2012-10-17", "Statement": ALLOW}).statements[0].variables is True


def test_single_statement_and_list_mean_the_same():
    alone, listed = Document.parse({"Statement": ALLOW}), Document.parse({"Statement": [ALLOW]})

    assert alone.statements == listed.statements
    assert alone.statements[0].name == "Statement[0]"
    assert alone.to_json().startswith('{\n  "Statement": {\n    "Effect"')


def test_statement_is_read_in_full():
    (read,) = Document.parse(
        {
            "Statement": {
                "Condition": {
                    "Bool": {"aws:SecureTransport": [True, False]},
                    "NumericEquals": {"s3:max-keys": [10, 1.5]},
                },
                "NotResource": ["arn:aws:s3:::a"],
                "NotAction": "s3:*",
                "NotPrincipal": {"AWS": ["*"], "Service": "ec2.amazonaws.com"},
                "Effect": "Deny",
                "Sid": "x",
            }
        }
    ).statements

    assert (read.sid, read.effect, read.actions, read.not_action) == ("x", "Deny", ("s3:*",), True)
    assert (read.resources, read.not_resource) == (("arn:aws:s3:::a",), True)
    assert (read.principals, read.not_principal) == ((("AWS", "*"), ("Service", "ec2.amazonaws.com")), True)
    assert [(each.operator.name, each.key, each.values) for each in read.conditions] == [
        ("Bool", "aws:SecureTransport", ("true", "false")),
        ("NumericEquals", "s3:max-keys", ("10", "1.5")),
    ]


def test_principals_are_noticed():
    assert Document.parse({"Statement": {**ALLOW, "Principal": "*"}}).has_principals
    assert Document.parse({"Statement": [ALLOW, {**ALLOW, "Principal": "*"}]}).has_principals
    assert not Document.parse({"Statement": ALLOW}).has_principals


REFUSED = [
    ("[]", "a policy document is a JSON object", None),
    ("{", "not JSON", "line 1 column 2"),
    (b"\xff\xfe{", "not JSON", None),
    ("[" * 100_000, "not JSON", None),
    ({"Statement": [ALLOW], "Statment": 1}, "`Statment` is no element", "Statment"),
    ({"statement": [ALLOW]}, "did you mean `Statement`?", "statement"),
    ({"Version": "2012-10-18", "Statement": [ALLOW]}, "valid version string", "Version"),
    ({"Version": "2012-10-17"}, "the policy has no `Statement`", None),
    ({"Statement": "x"}, "an object or a list", "Statement"),
    ({"Statement": ["x"]}, "a statement is a JSON object", "Statement[0]"),
    ({"Statement": [ALLOW, {**ALLOW, "action": "x"}]}, "did you mean `Action`?", "Statement[1]"),
    ({"Statement": {**ALLOW, "Effect": "allow"}}, "`Effect` is `Allow` or `Deny`", "Statement.Effect"),
    ({"Statement": {**ALLOW, "Sid": 1}}, "a Sid is a string", "Statement.Sid"),
    ({"Statement": [{**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}]}, "must be unique: `a`", "Statement[1]"),
    ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "policy statement must contain actions", "Statement"),
    ({"Statement": {**ALLOW, "NotAction": "s3:*"}}, "`Action` or `NotAction`, not both", "Statement"),
    ({"Statement": {**ALLOW, "NotResource": "*"}}, "`Resource` or `NotResource`, not both", "Statement"),
    ({"Statement": {**ALLOW, "Action": "GetObject"}}, "must be prefaced by a vendor", "Statement.Action"),
    ({"Statement": {**ALLOW, "Action": "s3:"}}, "must be prefaced by a vendor", "Statement.Action"),
    ({"Statement": {**ALLOW, "Action": ":x"}}, "must be prefaced by a vendor", "Statement.Action"),
    ({"Statement": {**ALLOW, "Action": 7}}, "a string or a list of strings", "Statement.Action"),
    ({"Statement": {**ALLOW, "Action": ["s3:*", 7]}}, "a string or a list of strings", "Statement.Action"),
    ({"Statement": {**ALLOW, "Resource": "bucket"}}, "must be in ARN format", "Statement.Resource"),
    ({"Statement": {**ALLOW, "Resource": ["*", "b:c:d"]}}, "must be in ARN format", "Statement.Resource"),
    ({"Statement": {**ALLOW, "Principal": "arn:aws:iam::1:root"}}, 'a principal is "*" or', "Statement.Principal"),
    ({"Statement": {**ALLOW, "Principal": {}}}, 'a principal is "*" or', "Statement.Principal"),
    ({"Statement": {**ALLOW, "Principal": {"aws": "*"}}}, "did you mean `AWS`?", "Statement.Principal"),
    ({"Statement": {**ALLOW, "Principal": {"AWS": 1}}}, "a string or a list", "Statement.Principal.AWS"),
    ({"Statement": {**ALLOW, "Condition": []}}, "a Condition is a JSON object", "Statement.Condition"),
    ({"Statement": {**ALLOW, "Condition": {"Bool": 1}}}, "an object of keys and values", "Condition.Bool"),
    ({"Statement": {**ALLOW, "Condition": {"StringIs": {"a": "b"}}}}, "operator: `StringIs`", "Statement.Condition"),
    ({"Statement": {**ALLOW, "Condition": {"NullIfExists": {"a": "b"}}}}, "invalid condition operator", "Condition"),
    ({"Statement": {**ALLOW, "Condition": {"Bool": {"a": None}}}}, "strings, numbers or booleans", "Condition.Bool.a"),
    ({"Statement": {**ALLOW, "Condition": {"Bool": {"a": [{}]}}}}, "strings, numbers or booleans", "Condition.Bool.a"),
]


@pytest.mark.parametrize(("source", "message", "place"), REFUSED)
def test_what_iam_refuses_is_refused_with_the_place(source, message, place):
    with pytest.raises(PolicyError) as refused:
        Document.parse(source, "p.json")

    assert message in str(refused.value)
    assert str(refused.value).startswith("p.json")
    if place:
        assert place in (refused.value.where or "")


def test_error_of_a_nameless_document_as_a_whole_names_no_place():
    with pytest.raises(PolicyError) as refused:
        Document.parse({"Version": "2012-10-17"})

    assert refused.value.where is None


def test_element_given_twice_is_refused():
    with pytest.raises(PolicyError, match="`Bool` is given twice"):
        Document.parse('{"Statement": {"Effect": "Allow", "Condition": {"Bool": {"a": 1}, "Bool": {"b": 1}}}}')


KINDS = [
    ("identity", {**ALLOW, "Principal": "*"}, "should not specify a principal"),
    ("boundary", {**ALLOW, "NotPrincipal": {"AWS": "*"}}, "should not specify a principal"),
    ("session", {"Effect": "Allow", "Action": "s3:*"}, "must contain resources"),
    ("scp", {**ALLOW, "Principal": "*"}, "should not specify a principal"),
    ("rcp", ALLOW, "missing required field Principal"),
    ("rcp", {"Effect": "Deny", "Action": "s3:*", "Principal": "*"}, "must contain resources"),
    ("resource", ALLOW, "missing required field Principal"),
    ("trust", {**ALLOW, "Principal": "*"}, "prohibited field Resource"),
]


@pytest.mark.parametrize(("kind", "raw", "message"), KINDS)
def test_each_kind_of_policy_has_the_elements_it_must(kind, raw, message):
    with pytest.raises(PolicyError, match=message):
        Document.parse({"Statement": raw}, kind=kind)


def test_kinds_accept_what_they_must_have():
    Document.parse({"Statement": ALLOW}, kind="identity")
    Document.parse({"Statement": {**ALLOW, "Principal": "*"}}, kind="resource")
    Document.parse({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}, kind="trust")
    Document.parse({"Statement": {**ALLOW, "Principal": "*"}}, kind="rcp")
    Document.parse({"Statement": {**ALLOW, "Principal": "*"}})


def test_wildcard_resources_and_actions_are_accepted():
    for resource in ("*", "**", "arn:aws:s3:::b", "arn:*", "a*", "arn:aws:s3"):
        assert Document.parse({"Statement": {**ALLOW, "Resource": resource}})
    for action in ("*", "**", "*:*", "s3:*", "s3:?"):
        assert Document.parse({"Statement": {**ALLOW, "Action": action}})
