"""What trailfit says of the demo, from the outside: the whole job run by the command line, held to the ground truth."""

import json

import pytest

from trailfit.inventory.from_files import read
from trailfit.policy.document import Document
from trailfit.policy.evaluate import action_matches


@pytest.fixture(scope="module")
def truth(demo):
    return json.loads((demo / "truth.json").read_text())


@pytest.fixture(scope="module")
def answer(demo):
    return json.loads((demo / "out" / "recommendations.json").read_text())


def still_granted(who, recommendations, action):
    """Say whether a principal may do an action on anything, once all that is proposed for it is done."""
    mine = [item for item in recommendations if item["principal"] == who.arn]
    gone = {(change["kind"], change["name"]) for item in mine for change in item["before"]}
    kept = [policy.document for policy in who.policies if (policy.kind, policy.name) not in gone]
    made = [Document.parse(change["document"]) for item in mine for change in item["after"]]
    statements = [statement for document in (*kept, *made) for statement in document.statements]
    return any(statement.effect == "Allow" and action_matches(statement, action) for statement in statements)


def test_all_that_nobody_used_is_found_and_nothing_that_somebody_did(truth, answer):
    kinds = {item["kind"] for item in truth["findings"]}
    wanted = {(item["kind"], item["principal"]) for item in truth["findings"]}
    assert {(item["kind"], item["principal"]) for item in answer["findings"] if item["kind"] in kinds} == wanted


def test_the_keys_found_are_the_keys_that_nobody_used(truth, answer):
    def keys(findings):
        return {item["resource"] for item in findings if item["kind"] == "UnusedIAMUserAccessKey"}

    assert keys(answer["findings"]) == keys(truth["findings"])


def test_nothing_that_must_be_spared_is_taken_away(demo, truth, answer):
    principals = {who.arn: who for who in read(demo / "iam").principals}
    doomed = {
        item["principal"] for item in answer["recommendations"] if item["action"] in {"DELETE_ROLE", "DELETE_USER"}
    }
    taken = []
    for spared in truth["not_unused"]:
        who = principals[spared["principal"]]
        if "action" not in spared:
            assert who.arn not in doomed, spared
        elif not still_granted(who, answer["recommendations"], spared["action"]):
            taken.append(spared)
    assert taken == []


def test_whatever_was_used_in_the_log_stays_granted(demo, truth, answer):
    principals = {who.arn: who for who in read(demo / "iam").principals}
    for entry in truth["principals"]:
        for need in entry["needs"]:
            if need["calls_of_action"]:
                assert still_granted(principals[entry["arn"]], answer["recommendations"], need["action"]), need


def test_the_worked_example_gets_one_action_on_one_table(truth, answer):
    example = truth["worked_example"]
    (mine,) = [item for item in answer["recommendations"] if item["principal"] == example["role"]]
    statements = [statement for change in mine["after"] for statement in change["document"]["Statement"]]
    granted = {(statement["Action"], statement["Resource"]) for statement in statements}
    assert granted == {(action, resource) for action, names in example["allow"].items() for resource in names}
    assert [change["arn"] for change in mine["before"]] == example["detach"]
    assert mine["proofs"]["no_new_access"]["holds"] is True
    assert mine["proofs"]["still_allows"]["denied"] == []


def test_the_worked_example_and_its_sibling_get_what_they_need_and_no_more(demo):
    truth = json.loads((demo / "truth.json").read_text(encoding="utf-8"))["worked_example"]
    data = json.loads((demo / "out" / "recommendations.json").read_text(encoding="utf-8"))

    for one in (truth, truth["sibling"]):
        (proposal,) = [each for each in data["recommendations"] if each["principal"] == one["role"]]
        allowed = {}
        for after in proposal["after"]:
            for statement in after["document"]["Statement"]:
                actions, resources = statement["Action"], statement["Resource"]
                for action in [actions] if isinstance(actions, str) else actions:
                    allowed.setdefault(action, []).extend([resources] if isinstance(resources, str) else resources)
        assert allowed == one["allow"]
        assert proposal["disposition"] == "safe"


#: Kind → who of the demo must have it: the guardrails, and what an account gathers over the years.
CASES = {
    "WildcardAction": "role/legacy-batch-role",
    "WildcardResource": "role/legacy-batch-role",
    "AllowNotAction": "role/data-steward-role",
    "AllowNotResource": "role/open-data-role",
    "AWSManagedPolicy": "role/orders-writer-role",
    "UserWithStaticKeys": "user/ci/ci-runner",
    "SharedRole": "role/service/catalogue-role",
    "PassRoleOnAnyRole": "role/github-deploy",
    "PrivilegeEscalation": "role/github-deploy",
    "WildcardTrust": "role/open-data-role",
    "ExternalTrust": "role/vendor-cost-role",
    "ConfusedDeputy": "role/order-workflow-role",
    "FederatedTrustTooWide": "role/preview-deploy",
    "ConfirmPurpose": "role/emergency-restore-role",
    "UnusedIAMGroup": "group/contractors",
    "UnattachedPolicy": "policy/feature-flags",
    "UnusedPolicyVersion": "policy/feature-flags",
    "DuplicatePolicy": "policy/read-feature-flags",
    "StaleAccessKey": "user/dave",
    "AccessKeyNeverRotated": "user/load-test",
    "TwoActiveAccessKeys": "user/legacy-app",
    "InactiveAccessKey": "user/load-test",
    "AccessKeyFromNewNetwork": "user/alice",
    "ConsoleUserWithoutMFA": "user/bob",
    "RootAccessKey": "root",
    "RootWithoutMFA": "root",
    "RootUse": "root",
    "DeniedCalls": "role/metrics-prober-role",
    "UnusedPermission": "role/orders-writer-role",
}


@pytest.mark.parametrize(("kind", "name"), CASES.items(), ids=CASES)
def test_every_kind_of_finding_has_its_case(answer, kind, name):
    found = [each for each in answer["findings"] if each["kind"] == kind and each["principal"].endswith(f":{name}")]

    assert found
    assert all(each["evidence"] and each["remedy"] for each in found)


def test_what_is_excluded_by_tag_is_listed_and_not_proposed(answer):
    excluded = {
        (each["finding"]["kind"], each["finding"]["principal"].rpartition("/")[2]) for each in answer["excluded"]
    }

    assert ("WildcardResource", "snapshot-role") in excluded
    assert ("WildcardAction", "break-glass-role") in excluded
    assert not [each for each in answer["recommendations"] if each["principal"].endswith("/break-glass-role")]


def test_a_boundary_that_cuts_a_path_off_is_seen(answer):
    paths = {
        each["principal"].rpartition("/")[2] for each in answer["findings"] if each["kind"] == "PrivilegeEscalation"
    }

    assert "tenant-sync-role" not in paths
    assert "legacy-batch-role" in paths


def test_a_resource_that_nobody_touched_is_found(answer):
    mine = [each for each in answer["findings"] if each["principal"].endswith(":user/dave")]
    levels = {each["evidence"]["level"]: each["evidence"] for each in mine if each["kind"] == "UnusedPermission"}

    assert levels["resource"]["resources"] == ["arn:aws:s3:::shop-data-archive/*"]
