"""The demo's repository defines the roles that the IAM files show, and nothing of the machine gets into it."""

import json
import re
import subprocess

import yaml

from trailfit.demo.iam_files import policy_arn
from trailfit.demo.organisation import ACCOUNTS


def git(repo, *arguments):
    return subprocess.run(["git", "-C", repo, *arguments], capture_output=True, text=True, check=True).stdout


def roles(kind):
    return [(account, role) for account in ACCOUNTS for role in account.roles if role.defined_in == kind]


def template(repo, account):
    """Read the template with its intrinsics worked out for one account."""
    known = {
        "AWS::Region": "eu-west-1",
        "AWS::AccountId": account.id,
        "AWS::Partition": "aws",
        "Environment": account.name,
    }

    class Loader(yaml.SafeLoader):
        pass

    def sub(loader, node):
        return re.sub(r"\$\{([^}]+)\}", lambda match: known[match[1]], loader.construct_scalar(node))

    Loader.add_constructor("!Sub", sub)
    Loader.add_constructor("!Ref", lambda loader, node: known.get(node.value, node.value))
    Loader.add_constructor("!GetAtt", lambda loader, node: node.value)
    Loader.add_constructor("!Equals", lambda loader, node: loader.construct_sequence(node))
    return yaml.load((repo / "template.yaml").read_text(), Loader)["Resources"]


def test_three_commits_by_nobody_of_this_machine_and_a_clean_tree(made):
    log = git(made.repo, "log", "--format=%an <%ae> %cn <%ce>").splitlines()
    assert log == ["Ada Example <ada@example.com> Ada Example <ada@example.com>"] * 3
    assert git(made.repo, "status", "--porcelain") == ""
    assert git(made.repo, "rev-parse", "--abbrev-ref", "HEAD").strip() == "main"


def test_the_template_says_what_iam_says(made):
    for account, role in roles("sam"):
        resources = template(made.repo, account)
        named = {
            body["Properties"]["RoleName"]: body["Properties"]
            for body in resources.values()
            if body["Type"] == "AWS::IAM::Role"
        }
        expected = [policy_arn(account, name) for name in role.managed]
        if role.name in named:
            properties = named[role.name]
            assert properties["AssumeRolePolicyDocument"] == role.trust
            assert properties.get("Path", "/") == role.path
            assert properties["ManagedPolicyArns"] == expected
            written = {item["PolicyName"]: item["PolicyDocument"] for item in properties.get("Policies", [])}
        else:
            made_by_sam = resources[role.tags["aws:cloudformation:logical-id"].removesuffix("Role")]["Properties"]
            logical = role.tags["aws:cloudformation:logical-id"]
            plain = [item for item in made_by_sam["Policies"] if isinstance(item, str)]
            assert ["AWSLambdaBasicExecutionRole", *plain] == list(role.managed)
            listed = enumerate(made_by_sam["Policies"])
            written = {f"{logical}Policy{number}": item for number, item in listed if not isinstance(item, str)}
        assert written == dict(role.inline), role.name


def test_every_function_of_the_template_is_a_function_of_the_account(made):
    prod = ACCOUNTS[0]
    written = {
        body["Properties"]["FunctionName"]
        for body in template(made.repo, prod).values()
        if body["Type"] == "AWS::Serverless::Function"
    }
    with_sam_roles = {role.name for _, role in roles("sam")}
    assert written == {function.name for function in prod.functions if function.role in with_sam_roles}


def test_terraform_holds_every_string_of_its_roles_policies(made):
    assert len(roles("terraform")) > 10
    for account, role in roles("terraform"):
        text = (made.repo / "terraform" / account.name / f"{role.name.replace('-', '_')}.tf").read_text()
        quoted = set(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
        for document in role.inline.values():
            assert strings(document) - {"2012-10-17", "Allow"} <= quoted
        assert text.count("{") == text.count("}")
        assert role.name in quoted


def strings(value):
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value
    return set().union(*map(strings, inner)) if inner else set()


def test_policy_files_are_the_inline_policies_of_the_other_roles(made):
    files = {
        path.relative_to(made.repo / "policies").as_posix(): json.loads(path.read_text())
        for path in (made.repo / "policies").rglob("*.json")
    }
    assert files == {
        f"{account.name}/{role.name}/{name}.json": document
        for account, role in roles("policies")
        for name, document in role.inline.items()
    }


def test_both_ways_of_writing_a_policy_in_terraform_are_there(made):
    text = "".join(path.read_text() for path in (made.repo / "terraform").rglob("*.tf"))
    assert "jsonencode({" in text
    assert 'data "aws_iam_policy_document"' in text
    assert "aws_iam_role_policy_attachment" in text
    assert "permissions_boundary = aws_iam_policy.workload_boundary.arn" in text
