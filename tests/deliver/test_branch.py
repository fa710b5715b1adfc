from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.deliver import branch
from trailfit.errors import ForgeError, UsageError

from . import sample
from .sample import ACCOUNT, ORDERS, allow, document

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  OrdersWriterRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: orders-writer
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess # for now
"""


def git(repo: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repo), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "--initial-branch=main")
    git(folder, "config", "user.name", "Ada Example")
    git(folder, "config", "user.email", "ada@example.com")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "README.md").write_text("# shop\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Start")
    return folder


def only_orders(**more: Any) -> dict[str, Any]:
    principal, proposal = sample.orders_writer()
    return {
        **sample.recommendations(),
        "principals": [principal],
        "recommendations": [{**proposal, **more}],
        "findings": [],
    }


NAME = "trailfit/2026-10-31"


def test_a_role_is_edited_where_it_is_defined_and_nothing_is_added(repo: Path, tmp_path: Path) -> None:
    done = branch.propose(only_orders(), repo, tmp_path / "out")

    assert done.status == "created"
    assert git(repo, "log", "--format=%s", f"main..{NAME}").splitlines() == [f"Tighten orders-writer in {ACCOUNT}"]
    assert git(repo, "diff", "--name-only", "main", NAME).splitlines() == ["template.yaml"]
    template = git(repo, "show", f"{NAME}:template.yaml")
    assert "AmazonDynamoDBFullAccess" not in template
    assert "dynamodb:PutItem" in template


def test_the_new_policy_of_a_role_that_no_file_defines_lies_below_policies(repo: Path, tmp_path: Path) -> None:
    text = (repo / "template.yaml").read_text()
    (repo / "template.yaml").write_text(text.replace("orders-writer", "somebody-else"))
    git(repo, "commit", "-q", "-am", "rename")
    branch.propose(only_orders(), repo, tmp_path / "out")

    path = f"policies/{ACCOUNT}/role/orders-writer/trailfit-orders-writer.json"
    assert git(repo, "diff", "--name-only", "main", NAME).splitlines() == [path]
    after = only_orders()["recommendations"][0]["after"][0]["document"]
    assert git(repo, "show", f"{NAME}:{path}") == json.dumps(after, indent=2, ensure_ascii=False) + "\n"


def test_a_document_that_iam_would_refuse_is_not_put_anywhere(repo: Path, tmp_path: Path) -> None:
    data = only_orders()
    statement = {"Sid": "Same", **allow("dynamodb:PutItem", "*")}
    data["recommendations"][0]["after"][0]["document"]["Statement"] = [
        statement,
        {**statement, "Action": "dynamodb:Scan"},
    ]
    done = branch.propose(data, repo, tmp_path / "out")

    assert any("must be unique" in reason for _, reason in done.not_edited)
    assert not done.has_changes
    assert "**not edited**: `trailfit-orders-writer`" in done.body.read_text()


def test_the_work_tree_the_index_and_the_current_branch_are_left_alone(repo: Path, tmp_path: Path) -> None:
    (repo / "template.yaml").write_text("half done\n")
    (repo / "new.txt").write_text("not added\n")
    git(repo, "add", "new.txt")
    before = (
        git(repo, "status", "--porcelain"),
        git(repo, "rev-parse", "HEAD"),
        (repo / ".git" / "index").read_bytes(),
    )
    branch.propose(only_orders(), repo, tmp_path / "out")

    assert (
        git(repo, "status", "--porcelain"),
        git(repo, "rev-parse", "HEAD"),
        (repo / ".git" / "index").read_bytes(),
    ) == before
    assert git(repo, "symbolic-ref", "--short", "HEAD").strip() == "main"
    assert (repo / "template.yaml").read_text() == "half done\n"


def test_a_second_run_changes_nothing(repo: Path, tmp_path: Path) -> None:
    first = branch.propose(only_orders(), repo, tmp_path / "out")
    second = branch.propose(only_orders(), repo, tmp_path / "out")

    assert (second.status, second.tip) == ("unchanged", first.tip)


def test_once_merged_there_is_nothing_left_to_do(repo: Path, tmp_path: Path) -> None:
    branch.propose(only_orders(), repo, tmp_path / "out")
    git(repo, "merge", "-q", "--ff-only", NAME)
    _principal, proposal = sample.orders_writer()
    merged = {**only_orders(), "recommendations": [{**proposal, "before": proposal["after"]}]}
    done = branch.propose(merged, repo, tmp_path / "out")

    assert done.status == "nothing"
    assert not done.has_changes


def test_a_dry_run_writes_nothing_to_the_repository(repo: Path, tmp_path: Path) -> None:
    objects = sorted(str(path) for path in (repo / ".git").rglob("*"))
    done = branch.propose(only_orders(), repo, tmp_path / "out", dry_run=True)

    assert done.has_changes
    assert "+                Action: dynamodb:PutItem" in done.diff
    assert sorted(str(path) for path in (repo / ".git").rglob("*")) == objects


def test_an_unsafe_proposal_is_only_told(repo: Path, tmp_path: Path) -> None:
    done = branch.propose(only_orders(disposition="unsafe", reasons=["ask its owner"]), repo, tmp_path / "out")

    assert done.status == "nothing"
    text = done.body.read_text()
    assert "Not in this pull request: a person should look first" in text
    assert f"`{ORDERS}`: Create policy. ask its owner" in text


def test_a_new_proposal_moves_trailfit_s_own_branch(repo: Path, tmp_path: Path) -> None:
    branch.propose(only_orders(), repo, tmp_path / "out")
    data = only_orders()
    data["recommendations"][0]["after"][0]["document"]["Statement"] = [allow("dynamodb:PutItem", "*")]
    done = branch.propose(data, repo, tmp_path / "out")

    assert done.status == "updated"
    assert len(git(repo, "log", "--format=%s", f"main..{NAME}").splitlines()) == 1


def test_a_branch_with_somebody_s_commit_is_never_moved(repo: Path, tmp_path: Path) -> None:
    branch.propose(only_orders(), repo, tmp_path / "out")
    git(repo, "switch", "-q", NAME)
    git(repo, "commit", "-q", "--allow-empty", "-m", "My own thought")
    git(repo, "switch", "-q", "main")
    mine = git(repo, "rev-parse", NAME)
    with pytest.raises(ForgeError, match="holds commits that are not trailfit’s: My own thought"):
        branch.propose(only_orders(), repo, tmp_path / "out")

    assert git(repo, "rev-parse", NAME) == mine


def test_from_trailfit_s_own_branch_nothing_is_built(repo: Path, tmp_path: Path) -> None:
    branch.propose(only_orders(), repo, tmp_path / "out")
    git(repo, "switch", "-q", NAME)
    with pytest.raises(ForgeError, match="switch to the main branch"):
        branch.propose(only_orders(), repo, tmp_path / "out")


def test_a_template_that_makes_another_role_too_is_not_edited_for_one(repo: Path, tmp_path: Path) -> None:
    data = only_orders()
    other = ORDERS.replace(ACCOUNT, "111122223333")
    data["principals"].append({**data["principals"][0], "principal": other, "account": "111122223333"})
    done = branch.propose(data, repo, tmp_path / "out")

    assert done.not_edited == [(ORDERS, f"OrdersWriterRole also makes {other}, for which nothing safe is proposed")]
    assert "template.yaml" not in git(repo, "diff", "--name-only", "main", NAME)
    assert "**not edited**: `template.yaml`" in done.body.read_text()


def test_a_file_that_drifted_from_what_is_deployed_is_not_edited(repo: Path, tmp_path: Path) -> None:
    (repo / "template.yaml").write_text(TEMPLATE.replace("AmazonDynamoDBFullAccess", "ReadOnlyAccess"))
    git(repo, "commit", "-q", "-a", "-m", "Drift")
    done = branch.propose(only_orders(), repo, tmp_path / "out")

    assert "does not hold the policy AmazonDynamoDBFullAccess as it is deployed" in done.not_edited[0][1]


def with_policy_file(repo: Path, path: str, text: str) -> None:
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_bytes(text.encode())
    git(repo, "rm", "-q", "--ignore-unmatch", "template.yaml")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Policies")


OLD = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b/*"))
NEW = document(allow(["s3:GetObject"], "arn:aws:s3:::b/*"))


def s3_only() -> dict[str, Any]:
    change = sample.recommendation(
        ORDERS,
        [{"kind": "inline", "name": "access", "document": OLD}],
        [{"kind": "inline", "name": "access", "document": NEW}],
    )
    return {**only_orders(), "recommendations": [change]}


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_a_json_file_that_holds_the_policy_is_edited_and_no_second_one_made(
    repo: Path, tmp_path: Path, eol: str
) -> None:
    text = json.dumps(OLD, indent=4).replace("\n", eol) + eol
    with_policy_file(repo, "iam/orders-writer/access.json", text)
    branch.propose(s3_only(), repo, tmp_path / "out")

    assert git(repo, "diff", "--name-only", "main", NAME).splitlines() == ["iam/orders-writer/access.json"]
    edited = subprocess.run(
        ["git", "-C", str(repo), "show", f"{NAME}:iam/orders-writer/access.json"], check=True, capture_output=True
    ).stdout
    assert edited.decode() == json.dumps(NEW, indent=4).replace("\n", eol) + eol


def test_a_json_file_with_the_same_text_for_somebody_else_is_left_alone(repo: Path, tmp_path: Path) -> None:
    with_policy_file(repo, "iam/invoices/other.json", json.dumps(OLD))
    branch.propose(s3_only(), repo, tmp_path / "out")

    assert git(repo, "diff", "--name-only", "main", NAME).splitlines() == [
        f"policies/{ACCOUNT}/role/orders-writer/access.json"
    ]


@pytest.mark.parametrize("text", sample.HOSTILE)
def test_hostile_names_stay_in_their_folder_and_in_their_line(repo: Path, tmp_path: Path, text: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{text}"
    change = sample.recommendation(
        arn, [{"kind": "inline", "name": text, "document": OLD}], [{"kind": "inline", "name": text, "document": NEW}],
        id=text, reasons=[text], rollback=[text],
    )  # fmt: skip
    done = branch.propose({**only_orders(), "recommendations": [change], "principals": []}, repo, tmp_path / "out")

    [path] = git(repo, "diff", "--name-only", "-z", "main", NAME).strip("\0").split("\0")
    assert path.startswith(f"policies/{ACCOUNT}/role/")
    assert ".." not in path.split("/")
    [message] = [one for one in git(repo, "log", "--format=%B%x00", f"main..{NAME}").split("\0") if one.strip()]
    assert len(message.strip().splitlines()) == 6
    assert not set(done.body.read_text()) & set("\x1b\x07\u202e\u202c\u2066\u2069\u200b\ufeff")


def test_the_body_stays_within_the_forges_limit(repo: Path, tmp_path: Path) -> None:
    data = only_orders()
    for number in range(120):
        arn = f"arn:aws:iam::{ACCOUNT}:role/service-{number:03d}"
        data["recommendations"].append(sample.recommendation(
            arn, [{"kind": "inline", "name": "a", "document": OLD}], [{"kind": "inline", "name": "a", "document": NEW}], reasons=["x" * 900]))  # fmt: skip
    done = branch.propose(data, repo, tmp_path / "out")

    assert len(done.body.read_text()) <= 65_536
    assert len(git(repo, "log", "--format=%s", f"main..{NAME}").splitlines()) == 121


def test_every_role_is_told_in_the_same_detail_where_not_all_has_room(repo: Path, tmp_path: Path) -> None:
    principal, proposal = sample.orders_writer()
    roles = [f"arn:aws:iam::{ACCOUNT}:role/service-{number:03d}" for number in range(30)]
    data = {
        **only_orders(),
        "principals": [{**principal, "principal": arn} for arn in roles],
        "recommendations": [{**proposal, "principal": arn, "id": f"r-{arn[-3:]}"} for arn in roles],
    }
    text = branch.propose(data, repo, tmp_path / "out").body.read_text()

    assert len(text) <= 65_536
    parts = text.split("\n### ")[1:]
    assert len(parts) == len(roles)
    assert all("<details><summary>Used: 1</summary>" in part for part in parts)
    assert all("| unused |" in part for part in parts)
    assert len({part.count("\n") for part in parts[:-1]}) == 1


def test_findings_point_to_the_line_that_defines_the_role(repo: Path, tmp_path: Path) -> None:
    data = {
        **only_orders(),
        "findings": [sample.finding(ORDERS, "UnusedPermission"), sample.finding("x", "UnusedIAMRole")],
    }
    branch.propose(data, repo, tmp_path / "out")
    sarif = json.loads((tmp_path / "out" / "findings.sarif").read_text())

    found = {}
    for result in sarif["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        found[result["ruleId"]] = (place["artifactLocation"]["uri"], place["region"]["startLine"])
    lines = (repo / "template.yaml").read_text().splitlines()
    path, line = found["UnusedPermission"]
    assert path == "template.yaml"
    assert lines[line - 1].strip() == "OrdersWriterRole:"
    assert found["UnusedIAMRole"] == ("recommendations.json", 1)


def test_the_head_tells_what_was_not_edited_and_why(repo: Path, tmp_path: Path) -> None:
    text = (repo / "template.yaml").read_text()
    (repo / "template.yaml").write_text(text.replace("AmazonDynamoDBFullAccess", "AmazonS3FullAccess"))
    git(repo, "commit", "-q", "-am", "other")
    text = branch.propose(only_orders(), repo, tmp_path / "out").body.read_text()

    assert "0 of 1 are edited where this repository defines them." in text
    assert f"- `{ORDERS}`: `template.yaml`: OrdersWriterRole: the file does not hold the policy" in text


def test_no_markup_of_a_name_is_live_where_the_body_is_rendered(repo: Path, tmp_path: Path) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    data = sample.hostile()
    done = branch.propose(data, repo, tmp_path / "out")
    html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(done.body.read_text())

    tags = set(re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", html))
    known = "h1 h2 h3 p table thead tbody tr th td code ul ol li strong em details summary"
    assert tags <= set(known.split(" "))


@pytest.mark.parametrize("make", ["missing", "plain", "empty"])
def test_what_is_no_repository_is_one_readable_line(tmp_path: Path, make: str) -> None:
    folder = tmp_path / "x"
    if make != "missing":
        folder.mkdir()
    if make == "empty":
        git(folder, "init", "-q")
    with pytest.raises(UsageError):
        branch.propose(only_orders(), folder, tmp_path / "out")


def test_the_same_proposal_is_the_same_commit_everywhere(repo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(repo), str(copy))
    git(copy, "config", "user.name", "Ada Example")
    git(copy, "config", "user.email", "ada@example.com")

    assert (
        branch.propose(only_orders(), repo, tmp_path / "a").tip
        == branch.propose(only_orders(), copy, tmp_path / "b").tip
    )


def test_a_bare_repository_and_a_work_tree_of_another_branch_work_too(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(bare))
    assert branch.propose(only_orders(), bare, tmp_path / "out").status == "created"
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert branch.propose(only_orders(), tmp_path / "side", tmp_path / "out").status == "created"
    assert branch.propose(only_orders(), tmp_path / "side", tmp_path / "out", dry_run=True).status == "unchanged"


def test_folders_of_several_accounts_are_told_apart_by_what_their_providers_allow(repo: Path, tmp_path: Path) -> None:
    pytest.importorskip("tree_sitter_hcl", reason="tree-sitter-hcl is not installed")
    other = "111122223333"
    for folder, account in (("live", ACCOUNT), ("test", other)):
        place = repo / "terraform" / folder
        place.mkdir(parents=True)
        (place / "main.tf").write_text(
            f'provider "aws" {{\n  allowed_account_ids = ["{account}"]\n}}\n# peer of {ACCOUNT} and {other}\n'
        )
        (place / "app.tf").write_text(
            'resource "aws_iam_role" "app" {\n  name = "orders-writer"\n}\n\n'
            'resource "aws_iam_role_policy_attachment" "app" {\n  role       = aws_iam_role.app.name\n'
            '  policy_arn = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"\n}\n'
        )
    git(repo, "rm", "-q", "template.yaml")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Terraform")
    data = only_orders()
    twin = ORDERS.replace(ACCOUNT, other)
    data["principals"].append({**data["principals"][0], "principal": twin, "account": other})
    done = branch.propose(data, repo, tmp_path / "out")

    assert done.not_edited == []
    assert "terraform/live/app.tf" in git(repo, "diff", "--name-only", "main", NAME)
    assert "terraform/test/app.tf" not in git(repo, "diff", "--name-only", "main", NAME)
    edited = git(repo, "show", f"{NAME}:terraform/live/app.tf")
    assert 'resource "aws_iam_role_policy" "app_trailfit-orders-writer"' in edited
    assert "AmazonDynamoDBFullAccess" not in edited


def test_what_was_merged_and_is_not_deployed_yet_needs_nothing_more(repo: Path, tmp_path: Path) -> None:
    branch.propose(only_orders(), repo, tmp_path / "out")
    git(repo, "merge", "-q", "--ff-only", NAME)
    done = branch.propose(only_orders(), repo, tmp_path / "out")

    assert (done.status, done.not_edited) == ("nothing", [])


def test_json_of_earlier_runs_goes_when_the_code_itself_is_edited(repo: Path, tmp_path: Path) -> None:
    own = f"policies/{ACCOUNT}/role/orders-writer"
    for path in (f"{own}/trailfit-orders-writer.json", f"{own}/named.json", f"policies/{ACCOUNT}/role/other/x.json"):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text("{}\n")
    (repo / "main.tf").write_text('policy = file("policies/012345678901/role/orders-writer/named.json")\n')
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Policies")
    branch.propose(only_orders(), repo, tmp_path / "out")

    changed = git(repo, "diff", "--name-status", "main", NAME).splitlines()
    assert changed == [f"D\t{own}/trailfit-orders-writer.json", "M\ttemplate.yaml"]


def test_the_report_keeps_the_lines_that_define_roles(repo: Path, tmp_path: Path) -> None:
    from trailfit.deliver import report

    data = {**only_orders(), "findings": [sample.finding(ORDERS, "UnusedPermission")]}
    branch.propose(data, repo, tmp_path / "out")
    made = (tmp_path / "out" / "findings.sarif").read_bytes()
    report.write(data, tmp_path / "out")

    assert (tmp_path / "out" / "findings.sarif").read_bytes() == made
    assert b"template.yaml" in made
    report.write({**data, "window": {"from": "2026-09-02", "to": "2026-11-30", "days": 90}}, tmp_path / "out")
    assert b"template.yaml" not in (tmp_path / "out" / "findings.sarif").read_bytes(), "of another run"


def test_a_role_is_found_by_the_tag_that_its_stack_gave_it(repo: Path, tmp_path: Path) -> None:
    text = (repo / "template.yaml").read_text()
    (repo / "template.yaml").write_text(text.replace("      RoleName: orders-writer\n", ""))
    git(repo, "commit", "-q", "-am", "CloudFormation names it")
    data = only_orders()
    data["principals"][0]["tags"] = {"aws:cloudformation:logical-id": "OrdersWriterRole"}
    done = branch.propose(data, repo, tmp_path / "out")

    assert git(repo, "diff", "--name-only", "main", NAME).splitlines() == ["template.yaml"]
    assert "(likely: the role’s tag aws:cloudformation:logical-id names it)" in done.text


def test_the_configuration_says_who_defines_what(repo: Path, tmp_path: Path) -> None:
    from trailfit.deliver.git import Repository
    from trailfit.deliver.owner import Mapped

    text = (repo / "template.yaml").read_text()
    (repo / "template.yaml").write_text(text.replace("RoleName: orders-writer", "RoleName: !Ref Name"))
    git(repo, "commit", "-q", "-am", "A parameter names it")
    mapped = [Mapped("arn:aws:iam::*:role/*/orders-*", "template.yaml", "OrdersWriterRole")]
    with Repository(repo) as repository:
        done = branch.on_branch(
            only_orders(), repository, tmp_path / "out", base=repository.head(), mapped=mapped, dry_run=True
        )

    assert "template.yaml" in done.paths
    assert "(certain: trailfit.toml says so)" in done.text
    owners = json.loads((tmp_path / "out" / "owners.json").read_text())["principals"]
    assert [(row["where"], row["sure"]) for row in owners[ORDERS]] == [("OrdersWriterRole", "certain")]
