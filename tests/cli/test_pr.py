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


def test_pr_opens_one_request_and_remembers_it(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.deliver.forge_fake import TOKEN, forge

    _repo, out = places
    with forge("github", out.parent / "forge", {"README.md": "x\n"}) as there:
        monkeypatch.setenv("TRAILFIT_FORGE_URL", there.url)
        monkeypatch.setenv("TRAILFIT_FORGE_TOKEN", TOKEN)
        words = ["--repo", there.clone_url, "--forge", "github", "--out", str(out), "--lake", str(out.parent / "lake")]
        code, printed = run(*words)
        again, _ = run(*words)
        there.decide(1)
        _, rejected = run(*words)

    assert (code, again) == (0, 0)
    assert f"opened {there.url}/shop/infra/pull/1" in printed
    assert "was closed unmerged" in rejected
    assert len(there.requests) == 1
    assert (out.parent / "lake" / "state" / "pull-requests.json").is_file()


def test_the_settings_of_the_configuration_hold_and_words_go_before(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.deliver.forge_fake import TOKEN, forge

    _repo, out = places
    with forge("gitlab", out.parent / "forge", {"README.md": "x\n"}) as there:
        monkeypatch.setenv("TRAILFIT_FORGE_URL", there.url)
        monkeypatch.setenv("TRAILFIT_FORGE_TOKEN", TOKEN)
        configuration = out.parent / "trailfit.toml"
        configuration.write_text(
            f'lake = "lake"\n[pr]\nrepo = "{there.clone_url}"\nforge = "gitlab"\nby = "account"\nlabels = ["iam", "x"]\n'
        )
        code, printed = run("--out", str(out), "--config", str(configuration))
        wrong = CliRunner().invoke(cli, ["pr", "--out", str(out), "--config", str(configuration), "--base", "none"])

    assert code == 0, printed
    assert there.requests[0]["branch"] == "trailfit/2026-10-31-012345678901"
    assert there.requests[0]["labels"] == ["iam", "x"]
    assert "the repository has no branch none" in str(wrong.exception)


def test_without_a_repository_it_says_what_to_give(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(places[1])
    found = CliRunner().invoke(cli, ["pr", "--out", str(places[1])])

    assert "give --repo PATH or URL" in str(found.exception)
