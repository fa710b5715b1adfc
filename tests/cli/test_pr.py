import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from trailfit.cli.main import cli

ROLE = "arn:aws:iam::012345678901:role/reader"


def data(after: str) -> dict[str, object]:
    def policy(action: str) -> dict[str, object]:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
        return {"kind": "inline", "name": "access", "document": document}

    proofs = {
        "no_new_access": {"holds": True, "method": "m", "counterexample": None},
        "still_allows": {"holds": True, "requests": 1, "denied": []},
    }
    return {
        "trailfit": "1", "window": {"from": "2026-08-03", "to": "2026-10-31", "days": 90},
        "coverage": [], "unassessed": [], "findings": [],
        "recommendations": [{
            "id": "r1", "principal": ROLE, "action": "UPDATE_POLICY", "finding_ids": [], "disposition": "safe",
            "reasons": ["all that is left out would have been logged"], "before": [policy("s3:*")], "after": [policy(after)],
            "permissions": {"used": 1, "unused": 1, "undetermined": 0, "kept": 0}, "proofs": proofs,
        }],
    }  # fmt: skip


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    repo, out = tmp_path / "repo", tmp_path / "out"
    out.mkdir()
    (out / "recommendations.json").write_text(json.dumps(data("s3:GetObject")))
    for command in (["init", "-q", str(repo)], ["-C", str(repo), "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "x"]):  # fmt: skip
        subprocess.run(["git", *command], check=True)
    return repo, out


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["pr", *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


def test_pr_makes_the_branch_and_the_body(places: tuple[Path, Path]) -> None:
    repo, out = places
    code, printed = run("--repo", str(repo), "--out", str(out))

    assert code == 0
    assert printed.startswith("made branch trailfit/2026-10-31: 1 roles")
    assert (out / "pull-request.md").read_text().startswith("# Fit 1 role to what CloudTrail saw")


def test_a_dry_run_prints_the_diff_and_exits_1_only_when_asked(places: tuple[Path, Path]) -> None:
    repo, out = places
    code, printed = run("--repo", str(repo), "--out", str(out), "--dry-run")
    failing, _ = run("--repo", str(repo), "--out", str(out), "--dry-run", "--fail-on", "changes")

    assert (code, failing) == (0, 1)
    assert '+      "Action": "s3:GetObject",' in printed
    assert (
        subprocess.run(
            ["git", "-C", str(repo), "branch", "--list", "trailfit/*"], check=True, capture_output=True
        ).stdout
        == b""
    )


def test_with_nothing_to_change_fail_on_passes(places: tuple[Path, Path]) -> None:
    repo, out = places
    (out / "recommendations.json").write_text(json.dumps({**data("x:y"), "recommendations": []}))

    assert run("--repo", str(repo), "--out", str(out), "--dry-run", "--fail-on", "changes") == (0, "")
