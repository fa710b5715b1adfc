"""Containment against an SMT solver (z3, a test extra): another engine, and another reading of patterns.

The encoding is decomposed by action: for each action that the documents can tell apart (their own names, and one made
up beneath each pattern), the resource is a string that regular expressions constrain, and each condition value is a
string of its own or absent.
"""

import copy
import itertools
import json
import random

import pytest

from trailfit.policy import pattern
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, action_matches, grants

SERVICES = {
    "s3": (["Get*", "GetObject", "PutObject", "List*", "*", "Put*", "GetObject*"],
           ["*", "arn:aws:s3:::app-*", "arn:aws:s3:::app-data/*", "arn:aws:s3:::app-data", "arn:aws:s3:::*/tmp/*", "arn:aws:s3:::app-????"]),
    "sqs": (["SendMessage", "*", "*Message", "Receive*"], ["*", "arn:aws:sqs:*:111122223333:jobs*", "arn:aws:sqs:eu-west-1:*:jobs", "arn:aws:sqs:*:*:*-dead"]),
    "dynamodb": (["GetItem", "Batch*", "*Item", "Query"], ["*", "arn:aws:dynamodb:*:*:table/orders", "arn:aws:dynamodb:eu-west-1:111122223333:table/*"]),
    "ec2": (["Describe*", "*", "StartInstances", "*Instances"], ["*", "arn:aws:ec2:*:*:instance/*"]),
}  # fmt: skip
CONDITIONS = [
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}},
    {"StringLike": {"aws:RequestedRegion": "eu-*"}}, {"StringNotLike": {"aws:RequestedRegion": "us-*"}}, {"Null": {"aws:PrincipalTag/team": "false"}},
    {"StringEqualsIfExists": {"aws:PrincipalTag/team": "blue"}}, {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:RequestedRegion": "eu-west-1"}},
]  # fmt: skip


def realistic(rng):
    """A document such as a team writes: one to four statements, some with a condition, now and then a Deny."""
    statements = []
    for _ in range(rng.choice((1, 2, 2, 3, 4))):
        service = rng.choice(list(SERVICES))
        names, resources = SERVICES[service]
        made = {"Effect": "Deny" if rng.random() < 0.15 else "Allow"}
        action = [f"{service}:{name}" for name in rng.sample(names, rng.choice((1, 2, 3)))]
        made["NotAction" if rng.random() < 0.05 else "Action"] = action
        made["NotResource" if rng.random() < 0.07 else "Resource"] = rng.sample(resources, rng.choice((1, 1, 2)))
        if rng.random() < 0.35:
            made["Condition"] = rng.choice(CONDITIONS)
        statements.append(made)
    return {"Version": "2012-10-17", "Statement": statements}


def tightened(rng, raw):
    """A likely new version: actions or values dropped, a condition added, dropped or changed, a Deny lost, a resource narrowed."""
    made = copy.deepcopy(raw)
    for statement in list(made["Statement"]):
        if rng.random() < 0.5:
            key = "Action" if "Action" in statement else "NotAction"
            if len(statement[key]) > 1:
                statement[key] = statement[key][:-1]
        if rng.random() < 0.3 and "Resource" in statement:
            statement["Resource"] = [arn.replace("*", "x", 1) if len(arn) > 1 else arn for arn in statement["Resource"]]
        if rng.random() < 0.15:
            statement["Condition"] = rng.choice(CONDITIONS)
        if rng.random() < 0.07:
            statement.pop("Condition", None)
        if statement["Effect"] == "Deny" and rng.random() < 0.3:
            made["Statement"].remove(statement)
    return made


def pairs(count, seed=17):
    rng = random.Random(seed)
    for _ in range(count):
        old = realistic(rng)
        yield Document.parse(tightened(rng, old) if rng.random() < 0.8 else realistic(rng)), Document.parse(old)


class Encoding:
    """One pair of documents as z3 sees it."""

    def __init__(self, z3):
        self.z3 = z3
        self.resource = z3.String("resource")
        self.keys = {}

    def glob(self, text):
        """Our own translation, character by character; ARN segments by splitting at colons."""
        z3 = self.z3
        every = z3.AllChar(z3.ReSort(z3.StringSort()))
        plain = z3.Intersect(every, z3.Complement(z3.Re(":")))
        if text == "*":
            return z3.Star(every)
        parts = text.split(":", 5) if text.startswith("arn:") else None
        pieces = []
        for n, part in enumerate(parts or [text]):
            if n:
                pieces.append(z3.Re(":"))
            one = plain if parts and n < 5 else every
            pieces += [z3.Star(one) if c == "*" else one if c == "?" else z3.Re(c) for c in part]
        return pieces[0] if len(pieces) == 1 else z3.Concat(*pieces) if pieces else z3.Re("")

    def key(self, name):
        if name.lower() not in self.keys:
            number = len(self.keys)
            self.keys[name.lower()] = (self.z3.Bool(f"present{number}"), self.z3.String(f"value{number}"))
        return self.keys[name.lower()]

    def condition(self, operator, key, values):
        z3 = self.z3
        present, value = self.key(key)
        values = [values] if isinstance(values, str) else values
        if operator == "Null":
            return z3.Or([z3.Not(present) if each == "true" else present for each in values])
        if "Like" in operator:
            met = z3.Or([z3.InRe(value, self.glob(each)) for each in values])
        else:
            met = z3.Or([value == each for each in values])
        if "Not" in operator:
            return z3.Or(z3.Not(present), z3.Not(met))
        return z3.Or(z3.Not(present), met) if operator.endswith("IfExists") else z3.And(present, met)

    def statement(self, raw):
        z3 = self.z3
        listed = raw.get("Resource", raw.get("NotResource"))
        inside = z3.Or([z3.InRe(self.resource, self.glob(each)) for each in listed])
        terms = [z3.Not(inside) if "NotResource" in raw else inside]
        for operator, keys in raw.get("Condition", {}).items():
            terms += [self.condition(operator, key, values) for key, values in keys.items()]
        return z3.And(terms)

    def allows(self, document, action):
        z3 = self.z3
        live = [
            (each.effect, document.raw["Statement"][each.index])
            for each in document.statements
            if action_matches(each, action)
        ]
        allow = z3.Or([self.statement(raw) for effect, raw in live if effect == "Allow"] or [z3.BoolVal(False)])
        deny = z3.Or([self.statement(raw) for effect, raw in live if effect == "Deny"] or [z3.BoolVal(False)])
        return z3.And(allow, z3.Not(deny))


def actions(new, old):
    """Actions that between them match every set of the action patterns, as far as patterns like these can tell them apart."""
    written = sorted(
        {each for document in (new, old) for statement in document.statements for each in statement.actions}
    )
    found = {"other:Thing"}
    for one, two in itertools.product(written, repeat=2):
        for filler in ("", "Q"):
            found.add(one.replace("*", filler) if one != "*" else "q:Q")
            service, _, name = one.partition(":")
            if two.startswith(f"{service}:"):
                found.add(
                    f"{service}:{name.replace('*', filler + two.partition(':')[2].replace('*', filler) + filler)}"
                )
    return sorted(action for action in found if not action.endswith(":"))


def contained_by_z3(z3, new, old):
    """True, False, or None where z3 gave up; with the action."""
    unknown = False
    seen = set()
    for action in actions(new, old):
        live = tuple(action_matches(each, action) for document in (new, old) for each in document.statements)
        if live in seen:
            continue
        seen.add(live)
        encoding = Encoding(z3)
        solver = z3.Solver()
        solver.set("timeout", 3_000)
        question = z3.And(encoding.allows(new, action), z3.Not(encoding.allows(old, action)))
        solver.add(
            question, z3.Or(encoding.resource == "*", z3.InRe(encoding.resource, encoding.glob("arn:*:*:*:*:*")))
        )
        answer = solver.check()
        if answer == z3.sat:
            return False, action
        unknown = unknown or answer == z3.unknown
    return (None if unknown else True), None


def compare(count):
    """Ask both engines; return the counts and every disagreement."""
    z3 = pytest.importorskip("z3")
    totals = {"pairs": 0, "z3 undecided": 0, "contained": 0, "proven": 0, "undecided": 0}
    wrong = []
    for new, old in pairs(count):
        verdict = no_new_access([new], [old])
        answer, action = contained_by_z3(z3, new, old)
        totals["pairs"] += 1
        totals["z3 undecided"] += answer is None
        totals["undecided"] += verdict.holds is None
        totals["contained"] += answer is True
        totals["proven"] += answer is True and verdict.holds is True
        if answer is False and verdict.holds is True:
            wrong.append((new, old, action))
        if verdict.holds is False:
            request = verdict.counterexample
            assert isinstance(request, Request)
            assert grants(request, [new]) is True
            assert grants(request, [old]) is False
    return totals, wrong


def test_z3_and_containment_agree_on_realistic_documents():
    totals, wrong = compare(25)

    assert wrong == []
    assert totals["proven"] >= totals["contained"] * 0.99


@pytest.mark.slow
def test_z3_and_containment_agree_on_a_thousand_realistic_documents():
    totals, wrong = compare(1_000)

    print(json.dumps(totals))
    assert totals["pairs"] == 1_000
    assert wrong == []
    assert totals["contained"] >= 150
    assert totals["proven"] >= totals["contained"] * 0.99


def test_translation_to_z3_is_the_matchers():
    z3 = pytest.importorskip("z3")
    encoding = Encoding(z3)
    texts = ["arn:aws:s3:::app-data/x", "arn:aws:sqs:eu-west-1:1:jobs", "arn:aws:sqs:a:b:c:jobs", "*"]
    for service in SERVICES.values():
        for arn, text in itertools.product(service[1], texts):
            ours = pattern.matches(pattern.arn(pattern.tokens(arn)), text)
            theirs = z3.simplify(z3.InRe(z3.StringVal(text), encoding.glob(arn)))
            assert z3.is_true(theirs) == ours, (arn, text)
