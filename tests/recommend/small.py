"""Small accounts for tests of findings: principals, a log in which all is logged, and the judgement of both."""

from dataclasses import replace
from datetime import date, datetime

from trailfit.model import (
    AttachedPolicy,
    Credential,
    Evidence,
    KeySource,
    KeyUse,
    Principal,
    Silence,
    Snapshot,
    Usage,
    Window,
)
from trailfit.policy.document import Document
from trailfit.recommend.judge import Rules, judge

OURS, OTHER = "111122223333", "999988887777"
WINDOW = Window(date(2026, 8, 3), date(2026, 10, 31))
OLD = datetime(2024, 1, 1)


def allow(action="s3:GetObject", resource="*", **rest):
    element = {} if "NotAction" in rest else {"Action": action}
    where = {} if "NotResource" in rest else {"Resource": resource}
    return {"Effect": "Allow", **element, **where, **rest}


def document(*statements):
    return Document.parse({"Version": "2012-10-17", "Statement": list(statements)})


def policy(*statements, kind="inline", name="app", arn=None, group=None):
    return AttachedPolicy(kind, name, arn, document(*statements), group, created=OLD, updated=OLD)


def managed(name, *statements):
    return policy(*statements, kind="customer_managed", name=name, arn=f"arn:aws:iam::{OURS}:policy/{name}")


def aws_managed(name, *statements):
    return policy(*statements, kind="aws_managed", name=name, arn=f"arn:aws:iam::aws:policy/{name}")


def trust(principal, *, action="sts:AssumeRole", **rest):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **rest})


LAMBDA = trust({"Service": "lambda.amazonaws.com"})


def role(name="app", *policies, path="/", trusts=LAMBDA, **facts):
    arn = f"arn:aws:iam::{OURS}:role{path}{name}"
    return Principal(
        arn, OURS, "role", name, path, facts.pop("created", OLD), policies, trust=trusts, last_used_known=True, **facts
    )


def user(name="ann", *policies, **facts):
    arn = f"arn:aws:iam::{OURS}:user/{name}"
    created = facts.pop("created", OLD)
    return Principal(arn, OURS, "user", name, "/", created, policies, credentials_known=True, **facts)


def key(name="AKIAEXAMPLE000000001", *, owner="ann", created=datetime(2026, 9, 1), active=True, last_used=None):
    return Credential("access_key", f"arn:aws:iam::{OURS}:user/{owner}", name, active, created, last_used)


def password(*, owner="ann", mfa=True, last_used=None):
    return Credential("password", f"arn:aws:iam::{OURS}:user/{owner}", None, True, OLD, last_used, mfa=mfa)


def use(who, action, resource, calls=3):
    return Usage(
        principal=who.arn, principal_kind=who.kind, action=action, resource=resource, role="required", basis="test",
        calls=calls, denied=0, first_used=datetime(2026, 8, 4, 8), last_used=datetime(2026, 10, 30, 8), days=80,
        example_event="e1",
    )  # fmt: skip


def source(access_key, network, first, *, agent="aws-cli/2", calls=2):
    return KeySource(access_key, network, agent, calls, first, first)


def log(*uses, dark=(), **facts):
    """Give the evidence of a log that shows these uses and would have shown all others but the `dark` actions."""

    def silence(_account, action):
        if action in dark:
            return Silence(False, "data events are not logged", "uncovered")
        return Silence(True, "management events are logged on all 90 days, and none was this", "logged")

    by = {}
    for row in uses:
        by.setdefault(row.principal, []).append(row)
    keys = {
        name: KeyUse(name, None, sum(row.calls for row in rows), rows[0].first_used, rows[0].last_used)
        for name, rows in facts.get("key_sources", {}).items()
    }
    return Evidence(
        window=WINDOW, usage=by, denied={}, last_seen={who: datetime(2026, 10, 30) for who in by}, sessions={},
        key_use=keys, gaps={OURS: ()}, coverage=(), silence=silence, **facts,
    )  # fmt: skip


def account(*principals, **facts):
    return Snapshot(datetime(2026, 11, 1), (OURS,), principals, **facts)


def findings(snapshot, evidence=None, kind=None, *, exclusions=(), of=None):
    """Judge, and give the findings of one kind (of one principal)."""
    told = judge(snapshot, evidence or log(), rules=Rules(exclusions=tuple(exclusions))).findings
    return [each for each in told if kind in (None, each.kind) and of in (None, each.principal)]


def one(snapshot, evidence=None, kind=None, **how):
    (found,) = findings(snapshot, evidence, kind, **how)
    return found


def tagged(principal, **tags):
    return replace(principal, tags=tags)
