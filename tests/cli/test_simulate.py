"""`trailfit simulate`: one request from the command line, or many as JSON lines."""

import json
import subprocess
import sys

import pytest

READ = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
]}  # fmt: skip
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
GET = ["--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"]


@pytest.fixture
def read(tmp_path):
    (tmp_path / "read.json").write_text(json.dumps(READ))
    (tmp_path / "all.json").write_text(json.dumps(ALL))
    return tmp_path / "read.json"


def test_decision_and_its_statements_are_shown(read, trailfit):
    assert trailfit("simulate", read, *GET).stdout == "Allowed  by identity[0].Statement[0]\n"
    assert trailfit("simulate", read, "--action", "s3:PutObject", "--resource", "*").stdout == "ImplicitlyDenied\n"


def test_json(read, trailfit):
    assert json.loads(trailfit("simulate", read, *GET, "--format", "json").stdout) == {
        "decision": "Allowed", "statements": ["identity[0].Statement[0]"],
    }  # fmt: skip


def test_context_is_given_key_by_key(read, trailfit):
    assert trailfit("simulate", read, *GET, "--context", "aws:SecureTransport=false").stdout.startswith(
        "ExplicitlyDenied"
    )
    assert trailfit("simulate", read, *GET, "--context", "aws:SecureTransport=true").stdout.startswith("Allowed")
    assert trailfit("simulate", read, *GET, "--context-incomplete").stdout == "Unknown  by identity[0].Statement[1]\n"


def test_value_may_hold_an_equals_sign_and_a_key_several_values(tmp_path, trailfit):
    said = {
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": {"k": ["a=b", "c"]}},
        }
    }
    (tmp_path / "p.json").write_text(json.dumps(said))

    assert trailfit("simulate", tmp_path / "p.json", *GET, "--context", "k=a=b", "--context", "k=c").stdout.startswith(
        "Allowed"
    )
    assert trailfit("simulate", tmp_path / "p.json", *GET, "--context", "k=a=b", "--context", "k=d").stdout.startswith(
        "Implicitly"
    )


@pytest.mark.parametrize(
    ("option", "word"),
    [("--boundary", "boundary"), ("--session", "session"), ("--scp", "scp[0][0]"), ("--rcp", "rcp[0][0]")],
)
def test_each_place_of_policies_takes_part(read, trailfit, option, word):
    said = trailfit(
        "simulate", read.parent / "all.json", *GET, option, read, "--context", "aws:SecureTransport=false"
    ).stdout

    assert said == f"ExplicitlyDenied  by {word}.Statement[1]\n"
    other = trailfit("simulate", read.parent / "all.json", "--action", "sqs:x", "--resource", "*", option, read).stdout
    assert other == "ImplicitlyDenied\n"


def test_resource_policy_and_accounts(read, trailfit):
    shared = read.parent / "shared.json"
    shared.write_text(json.dumps({"Statement": {**READ["Statement"][0], "Principal": {"AWS": "111122223333"}}}))
    caller = ["--principal", "arn:aws:iam::111122223333:role/app", "--resource-account", "999988887777"]

    assert trailfit("simulate", read, *GET, *caller).stdout == "ImplicitlyDenied\n"
    assert trailfit("simulate", read, *GET, *caller, "--resource-policy", shared).stdout.startswith("Allowed")


def test_folder_holds_several_policies(read, trailfit):
    assert (
        trailfit("simulate", read.parent, "--action", "sqs:x", "--resource", "*").stdout
        == "Allowed  by identity[0].Statement[0]\n"
    )


@pytest.mark.parametrize("words", [[], ["{read}"], ["{read}", "--action", "s3:x"], ["{read}", *GET, "--context", "x"], ["{bad}", *GET],
                                   ["{read}", "--requests", "{read}"], ["--requests", "{missing}"], ["{missing}", *GET]])  # fmt: skip
def test_what_cannot_be_read_exits_2_without_a_traceback(read, words):
    bad = read.parent / "bad.json"
    bad.write_text("{")
    command = [sys.executable, "-c", "from trailfit.cli.main import main; main()", "simulate",
               *(word.format(read=read, bad=bad, missing=read.parent / "missing") for word in words)]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr


REQUEST = {"principal": "arn:aws:iam::111122223333:role/app", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
           "resourceAccount": "111122223333", "context": {}}  # fmt: skip


def ask(tmp_path, trailfit, *questions, code=0):
    path = tmp_path / "r.jsonl"
    path.write_text(
        "".join(question if isinstance(question, str) else json.dumps(question) + "\n" for question in questions)
    )
    return [json.loads(line) for line in trailfit("simulate", "--requests", path, code=code).stdout.splitlines()]


def test_requests_are_answered_in_order(tmp_path, trailfit):
    assert ask(
        tmp_path, trailfit,
        {"id": "a", "request": REQUEST, "identity": [READ], "boundary": None, "scp": None, "rcp": None, "session": None, "resource_policy": None},
        "\n",
        {"id": "b", "request": {**REQUEST, "context": {"aws:SecureTransport": False}}, "identity": [READ]},
        {"id": 3, "request": {**REQUEST, "context_complete": False}, "identity": [READ]},
        {"id": None, "request": REQUEST, "identity": READ, "scp": [[]]},
        {"id": "c", "request": REQUEST, "identity": [json.dumps(READ)], "scp": READ, "rcp": [[ALL], ALL]},
    ) == [
        {"id": "a", "decision": "Allowed", "statements": ["identity[0].Statement[0]"]},
        {"id": "b", "decision": "ExplicitlyDenied", "statements": ["identity[0].Statement[1]"]},
        {"id": 3, "decision": "Unknown", "statements": ["identity[0].Statement[1]"]},
        {"id": None, "decision": "ImplicitlyDenied", "statements": []},
        {"id": "c", "decision": "Allowed", "statements": [
            "scp[0][0].Statement[0]", "rcp[0][0].Statement[0]", "rcp[1][0].Statement[0]", "identity[0].Statement[0]"]},
    ]  # fmt: skip


def test_values_of_the_context_may_be_numbers_booleans_lists_or_null(tmp_path, trailfit):
    said = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "NumericEquals": {"n": "1.5"}, "Bool": {"b": "true"}, "ForAllValues:StringEquals": {"l": ["x", "2"]}, "Null": {"z": "true"}}}}  # fmt: skip
    context = {"n": 1.5, "b": True, "l": ["x", 2], "z": None}

    assert (
        ask(tmp_path, trailfit, {"id": 1, "request": {**REQUEST, "context": context}, "identity": [said]})[0][
            "decision"
        ]
        == "Allowed"
    )


WRONG = [
    ("{", None, "not JSON"), ("7", None, "a line is a JSON object"), ({"id": 1}, 1, "request: is missing"),
    ({"id": 1, "request": {**REQUEST, "action": 1}}, 1, "request.action"), ({"id": 1, "request": {"action": "s3:x"}}, 1, "request.resource"),
    ({"id": 1, "request": {**REQUEST, "principal": 1}}, 1, "request.principal"), ({"id": 1, "request": {**REQUEST, "resourceAccount": 1}}, 1, "request.resourceAccount"),
    ({"id": 1, "request": {**REQUEST, "context": [1]}}, 1, "request.context"), ({"id": 1, "request": {**REQUEST, "context": {"k": {}}}}, 1, "request.context.k"),
    ({"id": 1, "request": REQUEST, "identity": [{**ALL, "Statement": {**ALL["Statement"][0], "Principal": "*"}}]}, 1, "identity[0]: Statement.Principal"),
    ({"id": 1, "request": REQUEST, "scp": [[ALL, {"Statement": 1}]]}, 1, "scp[0][1]: Statement"), ({"id": 1, "request": REQUEST, "boundary": 7}, 1, "boundary"),
    ({"id": 1, "request": REQUEST, "session": {"Statement": {"Effect": "Allow", "Action": "*"}}}, 1, "session: Statement"),
    ({"id": 1, "request": REQUEST, "resource_policy": "{"}, 1, "resource_policy"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "identifier", "message"), WRONG)
def test_line_that_cannot_be_read_says_why_and_the_next_is_answered(tmp_path, trailfit, line, identifier, message):
    text = line + "\n" if isinstance(line, str) else line
    wrong, right = ask(tmp_path, trailfit, text, {"id": "next", "request": REQUEST, "identity": [READ]}, code=3)

    assert wrong["id"] == identifier
    assert message in wrong["error"]
    assert right["decision"] == "Allowed"


@pytest.mark.slow
def test_twenty_thousand_lines_in_one_run(tmp_path, trailfit):
    answers = ask(tmp_path, trailfit, *({"id": n, "request": REQUEST, "identity": [READ]} for n in range(20_000)))

    assert [answer["id"] for answer in answers] == list(range(20_000))
    assert {answer["decision"] for answer in answers} == {"Allowed"}
