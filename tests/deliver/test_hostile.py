"""Text from a log is never alive: in no file of a run, on no forge, in no browser."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from trailfit.deliver import pull_requests, report, state
from trailfit.deliver.pull_requests import Settings
from trailfit.deliver.view import run_of
from trailfit.lake import Lake

from . import sample
from .browser import Browser, chromium
from .forge_fake import TOKEN, Server, forge
from .test_branch import NEW, OLD, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT, OTHER = sample.ACCOUNT, "111122223333"
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200c\u200e-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
TAGS = frozenset(
    [
        "h1",
        "h2",
        "h3",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "ul",
        "ol",
        "li",
        "strong",
        "em",
        "details",
        "summary",
        "pre",
        "br",
    ]
)


def hostile(disposition: str = "safe", action: str = "CREATE_POLICY") -> dict[str, Any]:
    """The hostile sample, and a proposal for a role of each hostile name, with findings of all new kinds."""
    data = sample.hostile()
    for number, text in enumerate(sample.HOSTILE):
        arn = f"arn:aws:iam::{OTHER}:role/{text}"  # the sample's own of these names have policies that IAM refuses
        data["recommendations"].append(
            sample.recommendation(
                arn,
                [{"kind": "inline", "name": text, "document": OLD}],
                [{"kind": "inline", "name": text, "document": NEW}],
                id=f"{number}-{text}", reasons=[text], rollback=[text], disposition=disposition, action=action,
            )
        )  # fmt: skip
        user = f"arn:aws:iam::{ACCOUNT}:user/{text}"
        for kind in ("UnusedIAMUser", "UnusedIAMUserAccessKey", "UnusedIAMUserPassword", "DeniedAfterChange"):
            data["findings"].append(sample.finding(user, kind, resource=text, evidence={"x": text, text: text}))
    return data


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Server]:
    with forge("github", tmp_path / "forge", {"template.yaml": TEMPLATE}) as server:
        yield server


def ask(server: Server, out: Path, data: dict[str, Any], **settings: Any) -> list[Any]:
    told = {"TRAILFIT_FORGE_URL": server.url, "TRAILFIT_FORGE_TOKEN": TOKEN}
    memory = state.Memory()
    done = pull_requests.run(
        data, server.clone_url, out, Settings(forge="github", **settings), environment=told, memory=memory
    )
    lake = Lake(out.parent / "lake")
    memory.save(lake)
    assert state.Memory.load(lake).requests == memory.requests
    return done


@pytest.mark.parametrize(
    ("disposition", "action"), [("safe", "CREATE_POLICY"), ("unsafe", "CREATE_POLICY"), ("unsafe", "RESTORE_ACCESS")]
)
def test_a_forge_gets_nothing_that_is_alive(there: Server, tmp_path: Path, disposition: str, action: str) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    done = ask(there, tmp_path / "out", hostile(disposition, action), unsafe="draft")

    for one in there.requests:
        assert UNSEEN.search(one["title"] + one["body"]) is None
        html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(one["body"])
        assert set(re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", html)) <= TAGS
        assert "octocat" not in re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL).replace("@\u200doctocat", "")
    branches = [one["branch"] for one in there.requests]
    diffs = [there.git("diff", "--name-only", "-z", "main", branch).strip("\0").split("\0") for branch in branches]
    names = [name for listed in diffs for name in listed if name.startswith(f"policies/{OTHER}/")]
    assert len(names) == len(sample.HOSTILE)
    assert all(
        re.fullmatch(rf"policies/{OTHER}/role/[A-Za-z0-9+=,.@_-]+/[A-Za-z0-9+=,.@_-]+\.json", name) for name in names
    )
    assert all(UNSEEN.search(there.git("log", "--format=%s%n%b", f"main..{branch}")) is None for branch in branches)
    assert UNSEEN.search(pull_requests.summary(done)) is None


def test_no_file_of_a_run_holds_what_cannot_be_seen_or_leaves_its_folder(there: Server, tmp_path: Path) -> None:
    out, data = tmp_path / "out", hostile()
    ask(there, out, data)
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(out)}
    written = report.write(data, out, before=[run_of(data)])

    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(out)} == before
    names = {str(path.relative_to(out)) for path in written}
    assert names >= {
        "report.html",
        "report.md",
        "findings.csv",
        "findings.sarif",
        "findings.asff.json",
        "findings.ocsf.json",
    }
    for path in [path for path in out.rglob("*") if path.is_file()]:
        text = path.read_bytes().decode("utf-8")
        found = UNSEEN.search(text)
        assert found is None, (path, text[max(0, found.start() - 40) : found.end() + 40] if found else "")
    for path in out.glob("credentials/*.sh"):
        subprocess.run(["bash", "-n", str(path)], check=True)


def test_runs_and_their_trend_are_kept_whatever_a_name_holds(tmp_path: Path) -> None:
    lake, data = Lake(tmp_path), hostile()
    state.remember_run(lake, data)
    [run] = state.history(lake, "2026-12-31")

    assert run == run_of(data)


@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("name", ["report.html", "report.md", "pull-request.md"])
def test_a_browser_runs_nothing_of_it(there: Server, tmp_path: Path, name: str) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    data, out = hostile(), tmp_path / "out"
    ask(there, out, data)
    report.write(data, out, before=[run_of(data)])
    page = out / name
    if name.endswith(".md"):  # as a forge shows it, but for its own sanitizer
        html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(page.read_text())
        page = out / f"{name}.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><title>page</title>{html}")
    with Browser(chromium() or "") as browser:
        browser.open(page.as_uri())
        browser.ask("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        browser.ask("new Promise((done) => setTimeout(done, 300))")
        assert browser.requests() == [page.as_uri()]
        assert browser.ask("document.title") != "owned"
        assert [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")] == []
        alive = "document.querySelectorAll('img, iframe, object, embed, svg[onload], a[href^=javascript], form').length"
        assert browser.ask(alive) == 0
        handlers = (
            "[...document.querySelectorAll('*')].some((e) => [...e.attributes].some((a) => a.name.startsWith('on')))"
        )
        assert browser.ask(handlers) is False
