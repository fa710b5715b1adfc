"""The law against an independent evaluator, an outside process: npm `@cloud-copilot/iam-simulate`.

It is AGPL-3.0: run, never imported, nothing of it copied. TRAILFIT_IAM_SIMULATE names a folder with its node_modules.
Run as a script for another number of questions: ``python -m tests.property.test_policy_iam_simulate 50000``.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from trailfit.policy.authorizer import Authorizer
from trailfit.policy.lines import policies, request, simulate

ORACLE = Path(__file__).parents[1] / "bench" / "iam_simulate.mjs"
ACCOUNT, OTHER = "111122223333", "999988887777"
ROLE, USER = f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"
PRINCIPALS = (ROLE, USER, SESSION)
S3 = (
    "arn:aws:s3:::bkt/a/key",
    "arn:aws:s3:::bkt/b",
    "arn:aws:s3:::other/a?b",
    "arn:aws:s3:::bkt/alice/k",
    "arn:aws:s3:::BKT/a",
)
QUEUES = tuple(
    f"arn:aws:sqs:{region}:{ACCOUNT}:{name}" for region in ("eu-west-1", "us-east-1") for name in ("jobs", "jobs-dead")
)
ASKED = [
    *(("s3:GetObject", arn) for arn in S3), *(("s3:PutObject", arn) for arn in S3), ("s3:ListBucket", "arn:aws:s3:::bkt"),
    *(("sqs:SendMessage", arn) for arn in QUEUES), *(("sqs:ReceiveMessage", arn) for arn in QUEUES), ("ec2:DescribeInstances", "*"),
    ("ec2:CreateTags", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1"), ("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t"),
    ("kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"), ("iam:PassRole", ROLE),
]  # fmt: skip
ACTIONS = (
    "*", "s3:*", "s3:Get*", "S3:getobject", "s3:?etObject", "s3:*Object", "s3:PutObject", "s3:List*", "sqs:*", "sqs:SendMessage", "sqs:*Message",
    "ec2:*", "ec2:Describe*", "ec2:CreateTags", "dynamodb:Get*", "kms:*", "iam:Pass*",
)  # fmt: skip
RESOURCES = (
    "*", "arn:aws:s3:::bkt/*", "arn:aws:s3:::bkt", "arn:aws:s3:::bkt/a/*", "arn:aws:s3:::*/a?b", "arn:aws:s3:::bkt/${aws:username}/*", "arn:aws:s3:::b?t/?",
    "arn:aws:sqs:*:*:jobs", "arn:aws:sqs:eu-west-1:*:jobs*", "arn:aws:sqs:*:jobs", "arn:aws:s3:::bkt/${aws:PrincipalTag/team, 'a'}/*", "arn:aws:*:*:*:*",
    f"arn:aws:ec2:*:{ACCOUNT}:instance/*", f"arn:aws:dynamodb:*:{ACCOUNT}:table/t", f"arn:aws:kms:*:{ACCOUNT}:key/*", f"arn:aws:iam::{ACCOUNT}:role/*",
    "arn:aws:s3:::BKT/*", "arn:aws:s3:::bkt/*:*",
)  # fmt: skip
#: Single-valued and multivalued keys that every service has, with values to pick from.
SINGLE = {
    "aws:PrincipalTag/team": ("a", "A", "b", "team-a"), "aws:SourceIp": ("10.1.2.3", "192.0.2.1", "2001:db8::1"), "aws:SecureTransport": ("true", "false"),
    "aws:CurrentTime": ("2026-01-01T00:00:00Z", "2020-06-01T12:00:00Z"), "aws:username": ("alice", "bob"), "aws:PrincipalArn": (ROLE, USER),
    "aws:MultiFactorAuthAge": ("10", "3600"), "aws:MultiFactorAuthPresent": ("true", "false"), "aws:RequestedRegion": ("eu-west-1", "us-east-1"),
    "aws:SourceArn": ("arn:aws:sns:eu-west-1:111122223333:topic", "arn:aws:sns:eu-west-1:1:a:b"),
}  # fmt: skip
MULTIPLE = {"aws:TagKeys": ("env", "team", "Team", "owner")}
CONDITIONS = [
    (name, key, values)
    for key, values, names in (
        ("aws:PrincipalTag/team", ("a", "b", "a*", "?", "team-*", "${aws:username}"),
         ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike", "Null")),
        ("aws:SourceIp", ("10.0.0.0/8", "192.0.2.1", "2001:db8::/32"), ("IpAddress", "NotIpAddress", "Null")),
        ("aws:SecureTransport", ("true", "false"), ("Bool",)), ("aws:MultiFactorAuthPresent", ("true", "false"), ("Bool", "Null")),
        ("aws:CurrentTime", ("2025-01-01T00:00:00Z", "2020-06-01T12:00:00Z"), ("DateLessThan", "DateGreaterThan", "DateEquals", "DateNotEquals", "DateLessThanEquals", "DateGreaterThanEquals")),
        ("aws:MultiFactorAuthAge", ("10", "300", "3600"), ("NumericLessThan", "NumericEquals", "NumericGreaterThan", "NumericNotEquals", "NumericLessThanEquals", "NumericGreaterThanEquals")),
        ("aws:SourceArn", ("arn:aws:sns:*:111122223333:*", "arn:aws:sns:eu-west-1:1:*", "arn:aws:sns:*:b"), ("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike")),
        ("aws:PrincipalArn", (f"arn:aws:iam::{ACCOUNT}:role/*", USER), ("ArnLike", "StringEquals", "StringNotLike")),
        ("aws:RequestedRegion", ("eu-west-1", "eu-*"), ("StringEquals", "StringNotEquals", "StringLike")),
    )
    for name in names
]  # fmt: skip


def _condition(rng):
    if rng.random() < 0.2:
        name = f"{rng.choice(('ForAllValues', 'ForAnyValue'))}:{rng.choice(('StringEquals', 'StringLike', 'StringNotEquals', 'StringNotLike'))}"
        return {name: {"aws:TagKeys": rng.sample(("env", "team", "T*", "owner"), rng.randrange(1, 3))}}
    name, key, values = rng.choice(CONDITIONS)
    if name == "Null":
        return {"Null": {key: rng.choice(("true", "false"))}}
    suffix = "IfExists" if rng.random() < 0.25 else ""
    written = rng.choice((key, key.lower(), key.upper())) if rng.random() < 0.1 else key
    return {name + suffix: {written: rng.sample(values, rng.randrange(1, len(values)))}}


def _statement(rng, principal=False, deny=0.2):
    made = {"Effect": "Deny" if rng.random() < deny else "Allow"}
    made["NotAction" if rng.random() < 0.1 else "Action"] = rng.sample(ACTIONS, rng.choice((1, 1, 2, 3)))
    # AWS does not say what a NotResource of fewer than six segments means; so none is asked.
    if rng.random() < 0.1:
        made["NotResource"] = rng.sample([arn for arn in RESOURCES if arn.count(":") > 4], rng.choice((1, 2, 3)))
    else:
        made["Resource"] = ["*"] if rng.random() < 0.35 else rng.sample(RESOURCES, rng.choice((1, 2, 3)))
    if principal:
        made["NotPrincipal" if made["Effect"] == "Deny" and rng.random() < 0.15 else "Principal"] = rng.choice(
            ("*", {"AWS": ROLE}, {"AWS": USER}, {"AWS": [ACCOUNT]}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": [OTHER]}, {"AWS": "*"},
             {"Service": "ec2.amazonaws.com"}, {"AWS": SESSION})
        )  # fmt: skip
    if rng.random() < 0.35:
        made["Condition"] = {}
        for _ in range(rng.choice((1, 1, 2))):
            for name, keys in _condition(rng).items():
                made["Condition"].setdefault(name, {}).update(keys)
    return made


def _document(rng, **kind):
    return {"Version": "2012-10-17", "Statement": [_statement(rng, **kind) for _ in range(rng.choice((1, 1, 2, 3)))]}


def _context(rng):
    made = {key: rng.choice(values) for key, values in SINGLE.items() if rng.random() < 0.6}
    if rng.random() < 0.5:
        made["aws:TagKeys"] = rng.sample(MULTIPLE["aws:TagKeys"], rng.choice((1, 1, 2, 3)))
    return made


def questions(count, seed=11):
    """Random (policies, request) lines as `trailfit simulate --requests` takes them."""
    rng = random.Random(seed)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for number in range(count):
        action, resource = rng.choice(ASKED)
        principal = rng.choice(PRINCIPALS)
        yield {
            "id": number,
            "request": {"principal": principal, "action": action, "resource": resource, "context": _context(rng),
                        "resourceAccount": OTHER if rng.random() < 0.1 else ACCOUNT},
            "identity": [_document(rng) for _ in range(rng.choice((0, 1, 1, 2)))] + ([everything] if rng.random() < 0.3 else []),
            "boundary": _document(rng, deny=0.1) if rng.random() < 0.2 else None,
            "scp": [[everything, _document(rng, deny=0.7)] for _ in range(rng.choice((1, 2)))] if rng.random() < 0.2 else None,
            "session": _document(rng, deny=0.1) if principal == SESSION and rng.random() < 0.3 else None,
            "resource_policy": _document(rng, principal=True) if rng.random() < 0.35 else None,
        }  # fmt: skip


def explained(question, ours, theirs):
    """Name the sentence of AWS by which we differ; None for a difference that nothing explains."""
    text = json.dumps(question)
    if question["session"] and question["resource_policy"] and ours == "Allowed":
        # "Permissions granted directly to a session are not limited by an implicit deny in […] session policy"; and
        # "session policies, do not limit permissions granted using […] a wildcard(*) in the Principal element".
        return "session policy and direct grant"
    if "${aws:username}" in text and "aws:username" not in question["request"]["context"] and "StringNot" in text:
        # "Inverted condition operators like StringNotEquals or StringNotLike do match against a null value".
        return "inverted operator and variable without value"
    if "NotResource" in text and "${aws:username}" in text and "aws:username" not in question["request"]["context"]:
        # "the resource that includes a policy variable with no value will not match any resource".
        return "NotResource and variable without value"
    if "NotIpAddress" in text and "::" in question["request"]["context"].get("aws:SourceIp", ""):
        # NotIpAddress: "All IP addresses except the specified IP address or range".
        return "NotIpAddress and an address of the other version"
    if "ForAnyValue" in text and "IfExists" in text:
        return "IfExists of a missing key"
    return None


def compare(count, folder):
    """Ask both; return how many were compared, the explained differences by name, and the unexplained ones."""
    asked = list(questions(count))
    with tempfile.TemporaryFile("w+") as lines:
        lines.write("".join(json.dumps(each) + "\n" for each in asked))
        lines.seek(0)
        run = subprocess.run(["node", str(ORACLE), folder], stdin=lines, capture_output=True, text=True, check=True)
    known, unexplained, compared, refused = Counter(), [], 0, Counter()
    for question, line in zip(asked, run.stdout.splitlines(), strict=True):
        theirs = json.loads(line)
        if "error" in theirs:
            refused[str(theirs["error"])[:120]] += 1
            continue
        compared += 1
        ours = simulate(json.dumps(question))["decision"]
        assert Authorizer(policies(question)).decide(request(question["request"])).effect == ours
        if ours != theirs["decision"]:
            reason = explained(question, ours, theirs["decision"])
            if reason:
                known[reason] += 1
            else:
                unexplained.append((question, ours, theirs["decision"]))
    return compared, known, unexplained, refused


@pytest.mark.slow
def test_no_unexplained_difference_from_iam_simulate():
    folder = os.environ.get("TRAILFIT_IAM_SIMULATE")
    if not folder or not (Path(folder) / "node_modules").is_dir():
        pytest.skip("TRAILFIT_IAM_SIMULATE names no folder with node_modules/@cloud-copilot/iam-simulate")
    compared, known, unexplained, refused = compare(21_000, folder)

    print(f"{compared} compared, explained {dict(known)}, refused {dict(refused)}")
    assert compared >= 20_000
    assert unexplained == []


if __name__ == "__main__":
    result = compare(int(sys.argv[1]), os.environ["TRAILFIT_IAM_SIMULATE"])
    print(result[0], dict(result[1]), len(result[2]), dict(result[3]))
    for difference in result[2][:5]:
        print(json.dumps(difference))
