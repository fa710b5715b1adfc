"""The team's git repository: a SAM template, Terraform and policy files that define the demo's roles.

The working tree and all commits are the same bytes on every machine: names, dates and order are fixed, and no
configuration of the user is read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

from trailfit.demo import hcl
from trailfit.demo.iam_files import policy_arn
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trailfit.demo.cast import Account, ManagedPolicy, Role

AUTHOR = "Ada Example"
MAIL = "ada@example.com"
README = """# The shop's infrastructure

- `template.yaml`: the shop's functions and their roles (AWS SAM), stack `shop` in prod and staging.
- `terraform/<account>/`: everything else that has a role.
- `policies/<account>/<role>/`: policies of roles made by hand, kept here for review.
"""
CODEOWNERS = """# Who reviews what
*               @example-shop/platform
/template.yaml  @example-shop/shop
/terraform/     @example-shop/platform @example-shop/security
/policies/      @example-shop/security
"""
WORKFLOW = """name: deploy
on:
  push:
    branches: [main]
permissions:
  contents: read
  id-token: write
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - uses: actions/checkout@v5
      - run: sam deploy --stack-name shop --no-confirm-changeset --no-fail-on-empty-changeset
"""


def write(repo: Path, accounts: Sequence[Account], end: date) -> None:
    """Write the repository: three commits, the last a week before the log's end, and a clean working tree.

    Raises `UsageError` when there is no git.
    """
    if shutil.which("git") is None:
        raise UsageError("the demo needs git to make its repository", hint="install git and run it again")
    repo.mkdir(parents=True, exist_ok=True)
    _git(repo, end, "init", "-q", "--template=", "--initial-branch=main")
    _put(repo / "README.md", README)
    _put(repo / "template.yaml", files("trailfit.demo").joinpath("sam_template.yaml").read_text(encoding="utf-8"))
    _put(repo / ".github" / "workflows" / "deploy.yml", WORKFLOW)
    _commit(repo, end - timedelta(days=400), "Define the shop's functions")
    for account in accounts:
        _terraform(repo / "terraform" / account.name, account)
    _commit(repo, end - timedelta(days=320), "Manage the other roles with Terraform")
    for account in accounts:
        for role in account.roles:
            if role.defined_in == "policies":
                for name, document in role.inline.items():
                    target = repo / "policies" / account.name / role.name / f"{name}.json"
                    _put(target, json.dumps(document, indent=2) + "\n")
    _put(repo / "CODEOWNERS", CODEOWNERS)
    _commit(repo, end - timedelta(days=7), "Keep the policies of hand-made roles for review")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _commit(repo: Path, day: date, message: str) -> None:
    _git(repo, day, "add", "--all")
    _git(repo, day, "commit", "-q", "-m", message)


def _git(repo: Path, day: date, *arguments: str) -> None:
    """Run git with nothing of the user's: no configuration, no hooks, no signing, fixed names and dates."""
    when = f"{day}T10:00:00+00:00"
    identity = {"NAME": AUTHOR, "EMAIL": MAIL, "DATE": when}
    environment = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in identity.items()}
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ["-c", "core.autocrlf=false", "-c", "gc.auto=0"]
    done = subprocess.run(
        ["git", *settings, "-C", str(repo), *arguments],
        env=inherited | nothing | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UsageError(f"git {arguments[0]} failed: {done.stderr.strip()}", where=str(repo))


# --- Terraform --------------------------------------------------------------------------------------------


def _terraform(folder: Path, account: Account) -> None:
    roles = [role for role in account.roles if role.defined_in == "terraform"]
    if not roles:
        return
    provider = f'provider "aws" {{\n  region              = "eu-west-1"\n  allowed_account_ids = ["{account.id}"]\n}}\n'
    required = '    aws = {\n      source  = "hashicorp/aws"\n      version = "~> 6.0"\n    }\n'
    _put(folder / "main.tf", f"terraform {{\n  required_providers {{\n{required}  }}\n}}\n\n{provider}")
    for number, role in enumerate(roles):
        _put(folder / f"{role.name.replace('-', '_')}.tf", _role(account, role, blocks=number % 2 == 1))
    shared = [own for own in account.policies if any(own.name in {*role.managed, role.boundary} for role in roles)]
    if shared:
        _put(folder / "policies.tf", "\n".join(map(_shared, shared)))


def _role(account: Account, role: Role, *, blocks: bool) -> str:
    """Write a role's file, its inline policies as `jsonencode` or, with `blocks`, as policy documents."""
    label = role.name.replace("-", "_")
    head = [("name", hcl.text(role.name))]
    if role.path != "/":
        head.append(("path", hcl.text(role.path)))
    if role.boundary:
        head.append(("permissions_boundary", f"aws_iam_policy.{role.boundary.replace('-', '_')}.arn"))
    width = max(len(name) for name, _ in head)
    lines = "\n".join(f"  {name.ljust(width)} = {written}" for name, written in head)
    trust = f"  assume_role_policy = jsonencode({hcl.value(role.trust, 1)})"
    parts = [f'resource "aws_iam_role" "{label}" {{\n{lines}\n\n{trust}\n}}\n']
    for name in role.managed:
        own = any(policy.name == name for policy in account.policies)
        arn = f"aws_iam_policy.{name.replace('-', '_')}.arn" if own else hcl.text(policy_arn(account, name))
        attached = f"  role       = aws_iam_role.{label}.name\n  policy_arn = {arn}\n"
        title = f"{label}_{name.replace('-', '_').lower()}"
        parts.append(f'resource "aws_iam_role_policy_attachment" "{title}" {{\n{attached}}}\n')
    for name, document in role.inline.items():
        where = f'  name = "{name}"\n  role = aws_iam_role.{label}.id\n'
        title = f"{label}_{name}"
        if blocks:
            parts.append(f'data "aws_iam_policy_document" "{title}" {{\n{hcl.statement_blocks(document)}\n}}\n')
            source = f"data.aws_iam_policy_document.{title}.json"
            where = where.replace(" = ", "   = ") + f"  policy = {source}\n"
        else:
            where += f"\n  policy = jsonencode({hcl.value(document, 1)})\n"
        parts.append(f'resource "aws_iam_role_policy" "{title}" {{\n{where}}}\n')
    if role.profile:
        profile = f"  name = {hcl.text(role.profile)}\n  role = aws_iam_role.{label}.name\n"
        parts.append(f'resource "aws_iam_instance_profile" "{label}" {{\n{profile}}}\n')
    return "\n".join(parts)


def _shared(policy: ManagedPolicy) -> str:
    label = policy.name.replace("-", "_")
    body = f"  name = {hcl.text(policy.name)}\n\n  policy = jsonencode({hcl.value(policy.document, 1)})\n"
    return f'resource "aws_iam_policy" "{label}" {{\n{body}}}\n'
