"""What was seen stays allowed, by an evaluator that is not ours: @cloud-copilot/iam-simulate, and by the law itself.

It is AGPL-3.0: run, never imported, nothing of it copied. TRAILFIT_IAM_SIMULATE names a folder with its node_modules.
Run by hand: ``TRAILFIT_IAM_SIMULATE=… python -m tests.property.test_fit_iam_simulate CALLS``.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench.rightsizing_learners import ours, peers_of
from trailfit.demo.proving import organisation, window
from trailfit.policy.document import Document
from trailfit.policy.evaluate import Request, grants

SCRIPT = Path(__file__).parents[1] / "bench" / "iam_simulate.mjs"
#: What the proving ground's conditions ask for: every call of its log came so.
CONTEXT = {"aws:SecureTransport": "true"}


def asked(count, *, roles=40):
    """Give `count` sampled calls of the log, each with its role's proposal; roles and calls are drawn evenly."""
    rng = random.Random(11)
    found = []
    for family, seed in (("A", 41), ("B", 42), ("C", 43)):
        org = organisation(family, seed, roles=roles)
        first, last = org.turn - timedelta(days=90), org.turn - timedelta(days=1)
        peers = peers_of(org.roles, first, last)
        for role in org.roles:
            seen = window(role.log, first, last)
            if not seen:
                continue
            learnt = ours(role, seen, last, "balanced", peers)
            calls = rng.sample(sorted(seen), min(len(seen), -(-count // (2 * roles))))
            found += [(role, learnt.documents, action, name) for action, name in calls]
    return rng.sample(found, min(count, len(found)))


def key_policy(action, role):
    """Give the policy that a key has by default, without which nobody's own policies allow anything on it."""
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{role.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [own]} if action.startswith("kms:") else None


def region_of(name, role):
    """Give the region that a call to `name` is made in: the ARN's own, or one that the role's conditions name."""
    own = name.split(":")[3] if name.count(":") >= 5 else ""
    named = json.dumps(role.policies).partition('"aws:RequestedRegion": ["')[2].partition('"')[0]
    return own or named or "us-east-1"


def denied_outside(cases, folder):
    """Ask iam-simulate about each case; give those that it does not allow. Actions newer than its list are not asked."""
    lines = [
        json.dumps({
            "id": number,
            "request": {
                "principal": role.arn, "action": action, "resource": name, "resourceAccount": role.account,
                "context": {**CONTEXT, "aws:RequestedRegion": region_of(name, role)},
            },
            "identity": documents,
            "resource_policy": key_policy(action, role),
        })
        for number, (role, documents, action, name) in enumerate(cases)
    ]  # fmt: skip
    done = subprocess.run(
        ["node", str(SCRIPT), folder], input="\n".join(lines), capture_output=True, text=True, check=True
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    known = [each for each in answers if "invalid.action" not in str(each.get("error"))]
    assert len(known) >= 0.99 * len(cases)
    return [(each, cases[each["id"]][2:]) for each in known if each.get("decision") != "Allowed"]


def denied_by_law(cases):
    """Give the cases that the law itself does not allow."""
    return [
        (action, name)
        for role, documents, action, name in cases
        if grants(
            Request(role.arn, action, name, {**CONTEXT, "aws:RequestedRegion": region_of(name, role)}, role.account),
            [Document.parse(each) for each in documents],
        )
        is not True
    ]


def test_the_law_allows_every_sampled_call():
    cases = asked(300, roles=12)

    assert len(cases) > 200
    assert denied_by_law(cases) == []


def test_an_outside_evaluator_allows_every_sampled_call():
    folder = os.environ.get("TRAILFIT_IAM_SIMULATE")
    if not folder:
        pytest.skip("TRAILFIT_IAM_SIMULATE names no folder with node_modules/@cloud-copilot/iam-simulate")

    assert denied_outside(asked(300, roles=12), folder) == []


if __name__ == "__main__":
    CASES = asked(int(sys.argv[1]))
    LAW = denied_by_law(CASES)
    OUTSIDE = denied_outside(CASES, os.environ["TRAILFIT_IAM_SIMULATE"])
    print(
        f"{len(CASES)} calls: the law denies {len(LAW)}, iam-simulate {len(OUTSIDE)}", *LAW[:5], *OUTSIDE[:5], sep="\n"
    )
    sys.exit(bool(LAW or OUTSIDE))
