"""The law, case by case, and the prepared form beside it."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.policy.conftest import policy, statement
from trailfit.policy import evaluate as law
from trailfit.policy.authorizer import Authorizer
from trailfit.policy.evaluate import Policies, Request, evaluate, grants
from trailfit.policy.lines import policies, request, simulate

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "cases" / "decisions.jsonl").read_text().splitlines()
]
USER = "arn:aws:iam::111122223333:user/alice"
OBJECT = "arn:aws:s3:::bucket/key"


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_decision(case):
    answer = simulate(json.dumps(case))

    assert answer == {"id": case["id"], "decision": case["expected"], "statements": case["statements"]}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_prepared_decision_is_the_law(case):
    authorizer = Authorizer(policies(case))
    asked = request(case["request"])

    assert authorizer.decide(asked) == evaluate(asked, policies(case))
    assert authorizer.decide(asked) == evaluate(asked, policies(case))


def test_semantics_cases(reference):
    cases = json.loads((reference / "policy-cases" / "own" / "semantics_cases.json").read_text())
    answers = {case["id"]: simulate(json.dumps(case))["decision"] for case in cases}

    assert answers == {case["id"]: case["expected"] for case in cases}
    assert len(cases) == 35


def _with_principal_maps(document):
    """Write `"Principal": "arn:…"` as a map: the grammar has no bare ARN there, and IAM refuses it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    for each in document["Statement"]:
        if isinstance(each.get("Principal"), str) and each["Principal"] != "*":
            each["Principal"] = {"AWS": each["Principal"]}
    return document


def _documents(details, arn):
    """All identity-based policies and the boundary of a principal, from authorization details."""
    managed = {each["Arn"]: next(v["Document"] for v in each["PolicyVersionList"] if v["IsDefaultVersion"])
               for each in details.get("Policies", [])}  # fmt: skip
    for kind in ("User", "Role"):
        for each in details[f"{kind}DetailList"]:
            if each["Arn"] == arn:
                inline = [one["PolicyDocument"] for one in each.get(f"{kind}PolicyList", [])]
                attached = [managed[one["PolicyArn"]] for one in each["AttachedManagedPolicies"]]
                boundary = each.get("PermissionsBoundary")
                return inline + attached, managed[boundary["PermissionsBoundaryArn"]] if boundary else None
    return [], None


def test_iamspy_cases(reference):
    folder = reference / "policy-cases" / "iamspy"
    wrong, run = [], 0
    for case in json.loads((folder / "cases.json").read_text()):
        files, asked, expected = case["case"]
        loaded = {kind: [json.loads((folder / "tests" / "files" / name).read_text()) for name in names]
                  for kind, names in files.items()}  # fmt: skip
        principal, action, resource, conditions, _, strict = [*asked, *[[], None, False][len(asked) - 3 :]]
        identity, boundary = next(
            (
                found
                for found in (_documents(details, principal) for details in loaded["gaads"])
                if found[0] or found[1]
            ),
            ([], None),
        )
        named = next(
            (each for group in loaded.get("resources", []) for each in group if each["Resource"] == resource), None
        )
        decision = simulate(json.dumps({
            "id": run,
            "request": {"principal": principal, "action": action, "resource": resource,
                        "resourceAccount": named["Account"] if named else None,
                        "context": dict(pair.split("=") for pair in conditions or []),
                        "context_complete": bool(strict)},
            "identity": identity, "boundary": boundary,
            "scp": [level for tree in loaded.get("scps", []) for level in _levels(tree, principal.split(":")[4])] or None,
            "resource_policy": _with_principal_maps(named["Policy"]) if named else None,
        }))["decision"]  # fmt: skip
        # IAMSpy answers "could it be?"; with `strict`, "is it, with this context?".
        run += 1
        if (decision in ("Allowed", "Unknown")) != expected:
            wrong.append((case["case"], decision))
    assert run == 22
    assert wrong == []


def _levels(node, account):
    """The levels of SCPs from this node of the organization's tree down to the account; empty where it is not below.

    "SCPs don't affect users or roles in the management account", which the ARN of the organization names:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    if node["Arn"].startswith(f"arn:aws:organizations::{account}:root/"):
        return []
    own = [[json.loads(each["Content"]) if isinstance(each["Content"], str) else each["Content"]
            for each in node["Policies"]]]  # fmt: skip
    if node["Id"] == account:
        return own
    below = (_levels(child, account) for child in node.get("Children", []))
    return next((own + levels for levels in below if levels), [])


def test_deny_trumps_allow():
    both = Policies(identity=(policy(statement()), policy(statement(effect="Deny", action="s3:Get*"))))

    assert evaluate(Request(USER, "s3:GetObject", OBJECT), both) == law.Decision(
        "ExplicitlyDenied", ("identity[1].Statement[0]",)
    )
    assert evaluate(Request(USER, "s3:PutObject", OBJECT), both).allowed


def test_nothing_is_allowed_by_default():
    assert evaluate(Request(USER, "s3:GetObject", OBJECT), Policies()).effect == "ImplicitlyDenied"


def test_order_and_duplicates_of_statements_do_not_matter():
    allow, deny = statement(), statement(effect="Deny", resource="arn:aws:s3:::secret/*")
    asked = Request(USER, "s3:GetObject", "arn:aws:s3:::secret/x")

    for documents in ([policy(allow, deny)], [policy(deny, allow)], [policy(deny), policy(allow), policy(deny)]):
        assert evaluate(asked, Policies(identity=tuple(documents))).effect == "ExplicitlyDenied"


CONDITION = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


def test_unknown_context_is_never_guessed():
    asked = Request(USER, "s3:GetObject", OBJECT, {}, context_complete=False)
    conditional = policy(statement(Condition=CONDITION))
    denying = policy(statement(), statement(effect="Deny", Condition=CONDITION))

    assert evaluate(asked, Policies((conditional,))) == law.Decision("Unknown", ("identity[0].Statement[0]",))
    assert evaluate(asked, Policies((denying,))) == law.Decision("Unknown", ("identity[0].Statement[1]",))
    assert evaluate(asked, Policies((conditional, policy(statement())))).effect == "Allowed"
    assert (
        evaluate(asked, Policies((policy(statement(action="sqs:*", Condition=CONDITION)),))).effect
        == "ImplicitlyDenied"
    )
    assert evaluate(asked, Policies((conditional,), boundary=(policy(),))).effect == "ImplicitlyDenied"


def test_known_key_decides_even_where_others_are_unknown():
    asked = Request(USER, "s3:GetObject", OBJECT, {"aws:principalorgid": "o-2"}, context_complete=False)

    assert evaluate(asked, Policies((policy(statement(Condition=CONDITION)),))).effect == "ImplicitlyDenied"


def test_unknown_variable_is_unknown():
    mine = policy(statement(resource="arn:aws:s3:::bucket/${aws:username}"))
    in_value = policy(statement(Condition={"StringEquals": {"s3:prefix": "${aws:username}"}}))

    for context_complete, expected in ((False, "Unknown"), (True, "ImplicitlyDenied")):
        asked = Request(USER, "s3:GetObject", OBJECT, {"s3:prefix": "a"}, context_complete=context_complete)
        assert evaluate(asked, Policies((mine,))).effect == expected
        assert evaluate(asked, Policies((in_value,))).effect == expected


def test_key_with_several_values_gives_a_variable_none():
    mine = Policies((policy(statement(resource="arn:aws:s3:::bucket/${aws:PrincipalTag/team}")),))

    for values, allowed in (("k",), True), (("k", "k"), False), (("k", "x"), False):
        asked = Request(USER, "s3:GetObject", "arn:aws:s3:::bucket/k", {"aws:PrincipalTag/team": values})
        assert evaluate(asked, mine).allowed is allowed


def test_several_sessions_and_boundaries_are_numbered():
    session = (policy(statement(effect="Deny")), policy(statement(effect="Deny")))
    denied = evaluate(Request(USER, "s3:GetObject", OBJECT), Policies((policy(statement()),), session=session))

    assert denied.statements == ("session.Statement[0]", "session[1].Statement[0]")


def test_every_level_must_allow():
    everything, nothing = (policy(statement("*")),), (policy(statement("sqs:*")),)
    asked = Request(USER, "s3:GetObject", OBJECT)
    identity = everything

    assert evaluate(asked, Policies(identity, scp=(everything, everything))).statements == (
        "scp[0][0].Statement[0]", "scp[1][0].Statement[0]", "identity[0].Statement[0]",
    )  # fmt: skip
    assert evaluate(asked, Policies(identity, scp=(everything, nothing))).effect == "ImplicitlyDenied"
    assert evaluate(asked, Policies(identity, scp=(everything, ()))).effect == "ImplicitlyDenied"
    assert evaluate(asked, Policies(identity, scp=((*nothing, *everything),))).allowed
    assert evaluate(asked, Policies(identity, rcp=((policy(statement("sqs:*", effect="Deny")),),))).allowed
    assert evaluate(asked, Policies(identity, rcp=(nothing,))).effect == "ImplicitlyDenied"
    assert evaluate(asked, Policies(identity, rcp=(everything, ()))).effect == "ImplicitlyDenied"


def test_account_in_the_arn_decides_where_none_is_said():
    mine = Policies((policy(statement("sqs:*")),))

    assert evaluate(Request(USER, "sqs:SendMessage", "arn:aws:sqs:r:111122223333:q"), mine).allowed
    assert not evaluate(Request(USER, "sqs:SendMessage", "arn:aws:sqs:r:999988887777:q"), mine).allowed
    assert evaluate(
        Request(USER, "sqs:SendMessage", "arn:aws:sqs:r:9:q", resource_account="111122223333"), mine
    ).allowed


def test_resource_that_is_no_arn_is_in_no_account():
    for resource in ("a:b:c:d", "*", "", "a:b:c:d:999988887777"):
        assert evaluate(Request(USER, "s3:GetObject", resource), Policies((policy(statement()),))).allowed


def test_role_is_assumed_and_tagged_only_where_its_trust_policy_lets():
    role = "arn:aws:iam::111122223333:role/a"
    mine = (policy(statement("sts:*")),)
    trust = policy(statement("sts:*", resource=None, Principal={"AWS": "111122223333"}))

    for action in ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"):
        assert not evaluate(Request(USER, action, role), Policies(mine)).allowed
        assert evaluate(Request(USER, action, role), Policies(mine, resource=trust)).allowed
    assert evaluate(Request(USER, "sts:GetCallerIdentity", "*"), Policies(mine)).allowed
    assert evaluate(Request(USER, "iam:GetRole", role), Policies((policy(statement("iam:*")),))).allowed


def test_service_and_anonymous_callers_have_no_policies_of_their_own():
    public = policy(statement(Principal="*"))
    service = policy(statement(Principal={"Service": "lambda.amazonaws.com"}))

    assert evaluate(Request(None, "s3:GetObject", OBJECT), Policies(resource=public)).allowed
    assert not evaluate(
        Request(None, "s3:GetObject", OBJECT), Policies((policy(statement()),), resource=service)
    ).allowed
    assert evaluate(Request("lambda.amazonaws.com", "s3:GetObject", OBJECT), Policies(resource=service)).allowed


def test_grants_looks_at_the_principals_own_side_only():
    key = Request(USER, "kms:Decrypt", "arn:aws:kms:r:999988887777:key/1")
    mine = [policy(statement("kms:*"))]

    assert grants(key, mine) is True
    assert grants(key, mine, [policy(statement("s3:*"))]) is False
    assert grants(key, mine, mine) is True
    short = [policy(statement("kms:*", "arn:aws:kms"))]
    assert grants(key, short, mine) is True
    assert grants(key, mine, short) is True
    assert grants(key, [*mine, policy(statement("kms:*", effect="Deny"))]) is False
    assert grants(key, mine, [*mine, policy(statement("kms:*", effect="Deny"))]) is False
    open_deny = policy(statement("kms:*", effect="Deny", Condition=CONDITION))
    unknown = Request(USER, key.action, key.resource, context_complete=False)
    assert grants(unknown, [*mine, open_deny]) is None
    assert grants(unknown, [open_deny]) is False


def test_short_arn_in_an_scp_or_rcp_is_no_arn():
    everything = policy(statement("*", effect="Allow"))
    short = policy(statement("*", "arn:aws:s3", effect="Deny"))
    whole = policy(statement("*", "arn:aws:s3:*:*:*", effect="Deny"))
    asked = Request(USER, "s3:GetObject", OBJECT)
    identity = (everything,)

    for denying, allowed in ((short, True), (whole, False)):
        level = ((everything, denying),)
        assert evaluate(asked, Policies(identity, scp=level)).allowed is allowed
        assert evaluate(asked, Policies(identity, rcp=level)).allowed is allowed
    assert not evaluate(asked, Policies((everything, short))).allowed
    allowing = policy(statement("*", "arn:aws:s3"))
    assert evaluate(asked, Policies((allowing,), boundary=(allowing,), session=(allowing,))).allowed


def test_variables_are_not_read_in_actions():
    mine = Policies((policy(statement("s3:Get${?}")),))

    assert evaluate(Request(USER, "s3:Get${x}", OBJECT), mine).allowed
    assert not evaluate(Request(USER, "s3:Get?", OBJECT), mine).allowed


def _random_statement(rng, principals):
    made = statement(
        rng.choice(("s3:*", "s3:GetObject", "sqs:*")),
        rng.choice(
            ("*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::other", "arn:aws:s3:::bucket/${aws:username}", "arn:aws:s3")
        ),
        rng.choice(("Allow", "Allow", "Deny")),
    )
    if rng.random() < 0.6:
        made["Condition"] = {
            rng.choice(("StringEquals", "StringNotEquals", "StringEqualsIfExists")): {
                rng.choice(("a", "b")): rng.choice("xy")
            }
        }
    if rng.random() < 0.15:
        made["NotResource"] = made.pop("Resource")
    if principals:
        made["Principal"] = rng.choice(
            ("*", {"AWS": USER}, {"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:user/eve"})
        )
    return made


def test_prepared_decision_is_the_law_on_random_policies():
    rng = random.Random(11)
    effects = Counter()
    for _ in range(600):

        def documents(count, principals=False):
            return tuple(
                policy(*(_random_statement(rng, principals) for _ in range(rng.choice((1, 2, 3)))))
                for _ in range(count)
            )

        given = Policies(
            documents(rng.choice((1, 2))),
            boundary=documents(1) if rng.random() < 0.3 else None,
            scp=(documents(2),) if rng.random() < 0.3 else None,
            session=documents(1) if rng.random() < 0.2 else None,
            resource=documents(1, principals=True)[0] if rng.random() < 0.5 else None,
        )
        authorizer = Authorizer(given)
        for _ in range(4):
            context = {key: rng.choice("xyz") for key in ("a", "b", "aws:username") if rng.random() < 0.6}
            asked = Request(USER, "s3:GetObject", rng.choice((OBJECT, "arn:aws:s3:::other", "arn:aws:s3:::bucket/x")), context,
                            context_complete=rng.random() < 0.5)  # fmt: skip
            decision = evaluate(asked, given)
            effects[decision.effect] += 1
            assert authorizer.decide(asked) == decision
    assert min(effects[effect] for effect in ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied", "Unknown")) > 50


def test_prepared_decision_reads_variables_beside_plain_resources():
    mine = Policies((policy(statement(resource=["arn:aws:s3:::other", "arn:aws:s3:::bucket/${aws:username}"])),))

    for resource, allowed in ("arn:aws:s3:::other", True), ("arn:aws:s3:::bucket/ann", True), (OBJECT, False):
        asked = Request(USER, "s3:GetObject", resource, {"aws:username": "ann"})
        assert Authorizer(mine).decide(asked) == evaluate(asked, mine)
        assert evaluate(asked, mine).allowed is allowed


def test_boundary_makes_not_principal_deny_in_the_resources_policy_only():
    spared = policy(statement("*", effect="Deny", NotPrincipal={"AWS": USER}), statement("*", Principal="*"))
    everything = policy(statement("*"))
    asked = Request(USER, "s3:GetObject", OBJECT)

    for boundary in (None, (everything,)):
        above = Policies((everything,), boundary=boundary, rcp=((spared,),))
        beside = Policies((everything,), boundary=boundary, resource=spared)
        assert evaluate(asked, above).allowed
        assert evaluate(asked, beside).allowed is (boundary is None)
        for given in (above, beside):
            assert Authorizer(given).decide(asked) == evaluate(asked, given)


def test_authorizer_forgets_actions_when_there_are_many(monkeypatch):
    monkeypatch.setattr("trailfit.policy.authorizer._ACTIONS_KEPT", 2)
    authorizer = Authorizer(Policies((policy(statement()),)))

    for number in range(6):
        assert authorizer.decide(Request(USER, f"s3:Get{number}", OBJECT)).allowed
        assert len(authorizer._rows) <= 2
