"""The whole way to one pull request, on fakes that are real git repositories: create, update, refuse, be patient."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.deliver import pull_requests
from trailfit.deliver.pull_requests import Settings
from trailfit.deliver.state import Memory
from trailfit.errors import ForgeError, UsageError

from . import sample
from .forge_fake import TOKEN, Fault, Server, forge
from .sample import ACCOUNT, ORDERS, allow
from .test_branch import NEW, OLD, TEMPLATE, git, only_orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trailfit.deliver.branch import Proposed

FILES = {"template.yaml": TEMPLATE, "CODEOWNERS": "* @ada\ndocs/ @grace\n"}
NAME = "trailfit/2026-10-31"


@pytest.fixture(params=["github", pytest.param("gitlab", marks=pytest.mark.slow)])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with forge(request.param, tmp_path / "forge", FILES) as server:
        yield server


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Server]:
    with forge("github", tmp_path / "forge", FILES) as server:
        yield server


def ask(server: Server, out: Path, data: dict[str, Any] | None = None, **more: Any) -> list[Proposed]:
    told = {"TRAILFIT_FORGE_URL": server.url, "TRAILFIT_FORGE_TOKEN": server.token, **more.pop("environment", {})}
    settings = Settings(forge=server.kind, **more.pop("settings", {}))  # type: ignore[arg-type]  # one of two
    repo = more.pop("repo", server.clone_url)
    return pull_requests.run(data or only_orders(), str(repo), out, settings, environment=told, **more)


def month(last: str, **more: Any) -> dict[str, Any]:
    return {**only_orders(**more), "window": {"from": "2026-09-02", "to": last, "days": 90}}


def test_one_request_is_opened_with_labels_and_the_owners_of_the_files(there: Server, tmp_path: Path) -> None:
    [done] = ask(there, tmp_path / "out")

    [one] = there.requests
    assert (one["branch"], one["base"], one["labels"]) == (NAME, "main", ["trailfit"])
    assert one["reviewers"] == {"github": ["ada"], "gitlab": [7]}[there.kind]
    assert one["title"] == "Fit 1 role to what CloudTrail saw until 2026-10-31"
    assert one["body"] == (tmp_path / "out" / "pull-request.md").read_text() == done.text
    assert there.git("diff", "--name-only", "main", NAME) == "template.yaml"
    assert there.git("log", "--format=%s", f"main..{NAME}") == f"Tighten orders-writer in {ACCOUNT}"
    assert done.status == "created"


def test_a_second_run_writes_nothing(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    there.seen.clear()
    [done] = ask(there, tmp_path / "out")

    assert there.writes() == []
    assert done.status == "unchanged"
    assert any("is up to date" in note for note in done.notes)


def test_the_next_month_updates_the_request_that_is_open(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    before = there.tip(NAME)
    later = month("2026-11-30")
    later["recommendations"][0]["after"][0]["document"]["Statement"] = [allow("dynamodb:PutItem", "*")]
    [done] = ask(there, tmp_path / "out", later)

    [one] = there.requests
    assert one["title"] == "Fit 1 role to what CloudTrail saw until 2026-11-30"
    assert one["body"] == done.text
    assert there.tip(NAME) not in (before, None)
    assert len(there.git("log", "--format=%s", f"main..{NAME}").splitlines()) == 1
    assert done.status == "updated"


def test_after_a_merge_the_next_one_is_a_new_request(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    there.decide(1, merged=True)
    later = month("2026-11-30")
    [proposal] = later["recommendations"]
    proposal["before"], proposal["after"] = proposal["after"], [{**proposal["after"][0], "document": sample.document(allow("dynamodb:PutItem", "*"))}]  # fmt: skip
    ask(there, tmp_path / "out", later)

    assert [one["branch"] for one in there.requests] == [NAME, "trailfit/2026-11-30"]


def test_with_nothing_to_propose_nothing_is_pushed(there: Server, tmp_path: Path) -> None:
    [done] = ask(there, tmp_path / "out", {**only_orders(), "recommendations": []})

    assert (done.status, there.requests, there.writes()) == ("nothing", [], [])
    assert there.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_branch_with_a_commit_of_somebody_else_is_left_alone(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", "--branch", NAME, str(there.bare), str(work))
    git(work, "-c", "user.name=G", "-c", "user.email=g@example.com", "commit", "-q", "--allow-empty", "-m", "By hand")
    git(work, "push", "-q")
    mine = there.tip(NAME)
    with pytest.raises(ForgeError, match="holds commits that are not trailfit’s: By hand"):
        ask(there, tmp_path / "out", month("2026-11-30"))

    assert there.tip(NAME) == mine


def test_a_base_that_moved_on_is_built_upon(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", str(there.bare), str(work))
    (work / "template.yaml").write_text("# changed meanwhile\n" + TEMPLATE)
    git(work, "-c", "user.name=G", "-c", "user.email=g@example.com", "commit", "-q", "-a", "-m", "Meanwhile")
    git(work, "push", "-q")
    ask(there, tmp_path / "out")

    assert len(there.requests) == 1
    assert there.git("merge-base", "main", NAME) == there.tip("main")
    assert there.git("show", f"{NAME}:template.yaml").startswith("# changed meanwhile")


def test_a_push_that_came_too_late_is_refused_by_the_lease(there: Server, tmp_path: Path) -> None:
    ask(there, tmp_path / "out")
    elsewhere = there.git(
        "-c", "user.name=G", "-c", "user.email=g@example.com", "commit-tree", "-m", "By hand", "main^{tree}"
    )
    there.before_push = lambda: there.git("update-ref", f"refs/heads/{NAME}", elsewhere)
    later = month("2026-11-30")
    later["recommendations"][0]["after"][0]["document"]["Statement"] = [allow("dynamodb:PutItem", "*")]
    with pytest.raises(ForgeError, match=r"git push: .*stale info"):
        ask(there, tmp_path / "out", later)

    assert there.tip(NAME) == elsewhere


def test_what_is_unsafe_is_only_told_or_becomes_a_draft_of_its_own(there: Server, tmp_path: Path) -> None:
    data = only_orders(disposition="unsafe", reasons=["ask its owner"])
    ask(there, tmp_path / "out", data)
    assert there.requests == []

    done = ask(there, tmp_path / "out", data, settings={"unsafe": "draft"})
    [one] = there.requests
    assert one["branch"] == f"{NAME}-unsafe"
    assert one["draft"] if there.kind == "github" else one["title"].startswith("Draft: ")
    assert "**A draft: something speaks against each of these." in one["body"]
    assert "ask its owner" in one["body"]
    assert [each.status for each in done] == ["nothing", "created"]
    ask(there, tmp_path / "out", data, settings={"unsafe": "draft"})
    assert len(there.requests) == 1


def test_a_proposal_without_its_proofs_is_not_even_a_draft(there: Server, tmp_path: Path) -> None:
    data = only_orders(disposition="unsafe", proofs=sample.proofs(None))
    ask(there, tmp_path / "out", data, settings={"unsafe": "draft"})

    assert there.requests == []


@pytest.mark.slow
def test_by_account_each_has_a_request_of_its_own(there: Server, tmp_path: Path) -> None:
    data = only_orders()
    for account in ("111122223333", "444455556666"):
        arn = f"arn:aws:iam::{account}:role/reader"
        data["recommendations"].append(sample.recommendation(
            arn, [{"kind": "inline", "name": "a", "document": OLD}], [{"kind": "inline", "name": "a", "document": NEW}],
            id=account))  # fmt: skip
    ask(there, tmp_path / "out", data, settings={"by": "account"})

    assert [one["branch"] for one in there.requests] == [f"{NAME}-{account}" for account in (ACCOUNT, "111122223333", "444455556666")]  # fmt: skip
    assert "111122223333" not in there.requests[0]["body"]
    assert (
        there.git("diff", "--name-only", "main", f"{NAME}-111122223333") == "policies/111122223333/role/reader/a.json"
    )


def test_a_local_clone_is_pushed_to_its_own_remote(there: Server, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(there.bare), str(clone))
    git(clone, "remote", "set-url", "origin", there.clone_url)
    config = (clone / ".git" / "config").read_bytes()
    ask(there, tmp_path / "out", repo=clone)

    assert there.tip(NAME) == git(clone, "rev-parse", NAME).strip()
    assert (clone / ".git" / "config").read_bytes() == config
    assert git(clone, "symbolic-ref", "--short", "HEAD").strip() == "main"


def test_a_token_that_a_checkout_left_in_the_clone_is_not_sent_beside_ours(there: Server, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(there.bare), str(clone))
    git(clone, "remote", "set-url", "origin", there.clone_url)
    git(clone, "config", f"http.{there.url}/.extraheader", "AUTHORIZATION: basic b3RoZXI=")
    ask(there, tmp_path / "out", repo=clone)

    assert len(there.requests) == 1


def test_the_token_is_in_no_file_and_no_argument(
    there: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, log = shutil.which("git"), tmp_path / "arguments"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(there.bare), str(clone))
    git(clone, "remote", "set-url", "origin", there.clone_url)
    git(clone, "config", "credential.helper", "store")
    (tmp_path / "trace").unlink(missing_ok=True)
    ask(there, tmp_path / "out", repo=clone)
    ask(there, tmp_path / "out", month("2026-11-30"))

    import base64

    user = {"github": "x-access-token", "gitlab": "oauth2"}[there.kind]
    secrets = [TOKEN.encode(), base64.b64encode(f"{user}:{TOKEN}".encode())]
    assert b"--force-with-lease" in log.read_bytes()
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        assert not any(secret in path.read_bytes() for secret in secrets), path


def test_no_redirect_carries_the_token_away(there: Server, tmp_path: Path) -> None:
    with forge(there.kind, tmp_path / "other", FILES) as other:
        there.faults.append(Fault("GET", "merge_requests$|pulls$", 302, {"Location": f"{other.url}/steal"}))
        with pytest.raises(ForgeError, match="has moved"):
            ask(there, tmp_path / "out")

        assert other.seen == []


@pytest.mark.parametrize("url", ["http://ghe.example.com", "ftp://x", "https://user:pw@ghe.example.com"])
def test_a_token_is_sent_over_tls_or_to_this_machine_only(tmp_path: Path, url: str) -> None:
    environment = {"TRAILFIT_FORGE_URL": url, "TRAILFIT_FORGE_TOKEN": TOKEN}
    with pytest.raises(UsageError):
        pull_requests.run(only_orders(), "https://ghe.example.com/o/r", tmp_path, Settings(forge="github"), environment=environment)  # fmt: skip


@pytest.mark.parametrize("told", ["", "/api/v3"])
def test_github_enterprise_is_found_by_its_address_or_that_of_its_api(tmp_path: Path, told: str) -> None:
    with forge("github", tmp_path / "forge", FILES, prefix="/api/v3") as server:
        ask(server, tmp_path / "out", environment={"TRAILFIT_FORGE_URL": server.url + told})

        assert len(server.requests) == 1


@pytest.mark.slow
def test_the_text_stays_within_what_github_takes(github: Server, tmp_path: Path) -> None:
    data = only_orders()
    for number in range(150):
        arn = f"arn:aws:iam::{ACCOUNT}:role/service-{number:03d}"
        data["recommendations"].append(sample.recommendation(
            arn, [{"kind": "inline", "name": "a", "document": OLD}], [{"kind": "inline", "name": "a", "document": NEW}],
            id=f"r{number}", reasons=["\U0001f600" * 900]))  # fmt: skip
    ask(github, tmp_path / "out", data)

    assert len(github.requests) == 1


def test_a_dry_run_of_an_address_prints_and_writes_nothing_there(there: Server, tmp_path: Path) -> None:
    [done] = ask(there, tmp_path / "out", dry_run=True)

    assert "+                Action: dynamodb:PutItem" in done.diff
    assert there.requests == []
    assert there.writes() == []
    assert there.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_without_a_token_nothing_is_pushed(there: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TRAILFIT_FORGE_TOKEN is not set"):
        ask(there, tmp_path / "out", environment={"TRAILFIT_FORGE_TOKEN": ""})


def test_which_forge_it_is_is_asked_where_the_name_does_not_tell(there: Server, tmp_path: Path) -> None:
    environment = {"TRAILFIT_FORGE_URL": there.url, "TRAILFIT_FORGE_TOKEN": TOKEN}
    with pytest.raises(UsageError, match="give --forge"):
        pull_requests.run(only_orders(), there.clone_url, tmp_path, Settings(), environment=environment)


# --- between months -----------------------------------------------------------------------------------------


def remembered(server: Server, out: Path, lake: Any) -> Callable[[dict[str, Any]], list[Proposed]]:
    def go(data: dict[str, Any]) -> list[Proposed]:
        memory = Memory.load(lake)
        done = ask(server, out, data, memory=memory)
        memory.save(lake)
        return done

    return go


@pytest.fixture
def lake(tmp_path: Path) -> Any:
    from trailfit.lake import Lake

    return Lake(tmp_path / "lake")


def test_what_was_rejected_is_not_proposed_again_until_the_evidence_changes(
    there: Server, tmp_path: Path, lake: Any
) -> None:
    go = remembered(there, tmp_path / "out", lake)
    go(month("2026-10-31"))
    there.decide(1)
    [second] = go(month("2026-11-30"))
    assert len(there.requests) == 1
    assert "was closed unmerged, and the evidence is the same" in second.summary()
    assert f"- `{ORDERS}`: rejected before: " in second.text

    changed = month("2026-12-31")
    changed["recommendations"][0]["after"][0]["document"]["Statement"] = [allow("dynamodb:PutItem", "*")]
    go(changed)
    assert [one["state"] for one in there.requests] == ["closed", "open"]


def test_what_was_merged_and_taken_back_is_not_proposed_again(there: Server, tmp_path: Path, lake: Any) -> None:
    go = remembered(there, tmp_path / "out", lake)
    start = there.tip("main") or ""
    go(month("2026-10-31"))
    there.decide(1, merged=True)
    [same] = go(month("2026-11-30"))
    assert same.status == "nothing", "merged, not yet deployed: the code says it already"

    there.git("update-ref", "refs/heads/main", start)
    [done] = go(month("2026-12-31"))
    assert len(there.requests) == 1
    assert "and taken back since, and the evidence is the same" in done.summary()
    [one] = Memory.load(lake).requests.values()
    assert (one.state, one.reverted) == ("merged", {ORDERS: "2026-12-31"})


def test_the_memory_is_the_same_bytes_for_the_same_months(there: Server, tmp_path: Path, lake: Any) -> None:
    go = remembered(there, tmp_path / "out", lake)
    go(month("2026-10-31"))
    first = lake.storage.read("state/pull-requests.json")
    go(month("2026-10-31"))

    assert lake.storage.read("state/pull-requests.json") == first
    assert TOKEN.encode() not in first


def test_a_person_may_open_a_rejected_request_again(there: Server, tmp_path: Path, lake: Any) -> None:
    go = remembered(there, tmp_path / "out", lake)
    go(month("2026-10-31"))
    there.decide(1)
    go(month("2026-11-30"))
    there.requests[0]["state"] = "open"
    go(month("2026-12-31"))

    assert len(there.requests) == 1
    assert there.requests[0]["title"].endswith("until 2026-12-31")


def test_git_is_never_asked_for_a_password(tmp_path: Path) -> None:
    with forge("github", tmp_path / "forge", FILES) as server:
        environment = {"TRAILFIT_FORGE_TOKEN": "wrong-token"}
        with pytest.raises(ForgeError) as told:
            ask(server, tmp_path / "out", environment=environment)

    assert "wrong-token" not in str(told.value)


def test_without_a_forge_the_branch_stands_on_the_base_that_is_named(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    git(clone, "init", "-q", "--initial-branch=release")
    (clone / "template.yaml").write_text(TEMPLATE)
    git(clone, "add", ".")
    git(clone, "-c", "user.name=G", "-c", "user.email=g@example.com", "commit", "-q", "-m", "Start")
    git(clone, "switch", "-q", "-c", "mine")
    git(clone, "-c", "user.name=G", "-c", "user.email=g@example.com", "commit", "-q", "--allow-empty", "-m", "Mine")
    [done] = pull_requests.run(only_orders(), str(clone), tmp_path / "out", Settings(base="release"), environment={})

    assert done.base == git(clone, "rev-parse", "release").strip()
    with pytest.raises(UsageError, match="has no branch none"):
        pull_requests.run(only_orders(), str(clone), tmp_path / "out", Settings(base="none"), environment={})


def test_a_remote_that_is_no_forge_keeps_nobody_from_a_branch(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    git(clone, "init", "-q", "--initial-branch=main")
    git(clone, "remote", "add", "origin", "codecommit::eu-west-1://shop")
    (clone / "template.yaml").write_text(TEMPLATE)
    git(clone, "add", ".")
    git(clone, "-c", "user.name=G", "-c", "user.email=g@example.com", "commit", "-q", "-m", "Start")
    environment = {"TRAILFIT_FORGE_TOKEN": TOKEN}
    [done] = pull_requests.run(only_orders(), str(clone), tmp_path / "out", Settings(), environment=environment)

    assert (done.status, done.request) == ("created", None)
