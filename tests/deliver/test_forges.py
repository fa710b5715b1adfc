"""GitHub's and GitLab's API, each on its own: what they refuse, when they are busy, what is lost on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from trailfit.deliver.forge import codeowners, github, gitlab
from trailfit.deliver.forge.http import Api
from trailfit.deliver.forge.remote import bases, config_environment, git_access, is_url, parse, token_of
from trailfit.deliver.forge.request import Forge, Wanted
from trailfit.errors import ForgeError, UsageError

from .forge_fake import TOKEN, Fault, Server, forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = "trailfit/2026-10-31"
WANTED = Wanted(NAME, "main", "Fit 1 role", "why", labels=("trailfit",))


@pytest.fixture(params=["github", "gitlab"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with forge(request.param, tmp_path, {"a.txt": "a", "b.txt": "b"}) as server:
        (server.bare / "refs" / "heads" / "trailfit").mkdir(parents=True)
        made = server.git("-c", "user.name=G", "-c", "user.email=g@example.com", "commit-tree", "-m", "x", "-p", "main", "main^{tree}")  # fmt: skip
        (server.bare / "refs" / "heads" / NAME).write_text(made + "\n")
        yield server


def connect(server: Server, pause: Callable[[float], None] = time.sleep, patience: float = 120.0) -> Forge:
    module = github if server.kind == "github" else gitlab
    apis = [Api(server.url + server.prefix, module.headers(TOKEN), pause=pause, patience=patience)]
    made: Forge = (
        github.GitHub(apis, server.project) if server.kind == "github" else gitlab.GitLab(apis, server.project)
    )
    return made


def test_a_request_is_opened_read_updated_and_listed(there: Server) -> None:
    one = connect(there)
    made = one.create(WANTED)
    assert (made.number, made.branch, made.state, made.body) == (1, NAME, "open", "why")
    changed = one.update(made, Wanted(NAME, "main", "Fit 2 roles", "more", labels=("trailfit", "iam")))
    assert (changed.title, changed.body) == ("Fit 2 roles", "more")
    assert there.requests[0]["labels"] == ["iam", "trailfit"]
    [listed] = one.open_ones("trailfit/")
    assert (listed.number, listed.labels) == (1, {"iam", "trailfit"})
    there.seen.clear()
    assert one.update(listed, Wanted(NAME, "main", "Fit 2 roles", "more", labels=("iam",))) == listed
    assert there.writes() == []


def test_what_became_of_a_request_is_told(there: Server) -> None:
    one = connect(there)
    one.create(WANTED)
    there.decide(1)
    assert one.request(1).state == "closed"  # type: ignore[union-attr]  # it is there
    there.decide(1, merged=True)
    found = one.request(1)
    assert found is not None
    assert (found.state, found.merged is not None) == ("merged", True)
    assert one.request(99) is None
    assert one.open_ones("trailfit/") == []


def test_a_draft_is_a_draft(there: Server) -> None:
    made = connect(there).create(Wanted(NAME, "main", "t", "b", draft=True))

    assert made.draft


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "TRAILFIT_FORGE_TOKEN"),
        (403, "write access"),
        (404, "existing repository"),
        (409, "no good"),
        (422, "no good"),
        (500, "run again later"),
        (503, "run again later"),
    ],
)
def test_what_the_forge_refuses_is_one_readable_line(there: Server, status: int, says: str) -> None:
    body = {"message": f"no good \x1b[31m {TOKEN}\nx"}
    there.faults.append(Fault("GET", "pulls$|merge_requests$", status, body=body, times=9))
    waited: list[float] = []
    with pytest.raises(ForgeError) as told:
        connect(there, waited.append).open_ones("trailfit/")

    text = str(told.value)
    assert f"status {status}: no good" in text
    assert says in text
    assert TOKEN not in text
    assert not set(text) & set("\x1b\n")
    assert waited == ([1.0, 2.0, 4.0] if status >= 500 else [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 503])
def test_a_request_that_is_refused_says_why(there: Server, status: int) -> None:
    there.faults.append(Fault("POST", "pulls$|merge_requests$", status, body={"message": "no good"}, times=9))
    with pytest.raises(ForgeError, match=f"status {status}.*: no good"):
        connect(there, lambda _: None).create(WANTED)

    assert there.requests == []


def test_a_title_or_branch_that_the_forge_does_not_take_is_told(there: Server) -> None:
    with pytest.raises(ForgeError, match=r"no (pull|merge) request was opened"):
        connect(there).create(Wanted("trailfit/none", "main", "t", "b"))
    with pytest.raises(ForgeError, match="too long"):
        connect(there).create(Wanted(NAME, "main", "t", "x" * 1_100_000))


def test_a_busy_forge_is_waited_for_as_long_as_it_says(there: Server) -> None:
    there.faults += [
        Fault("GET", "shop/infra$", 429, {"Retry-After": "3"}),
        Fault("POST", "pulls$|merge_requests$", 429, {"retry-after": "7"}),
        Fault("GET", "pulls$|merge_requests$", 502),
    ]
    waited: list[float] = []
    one = connect(there, waited.append)
    one.default_branch()
    one.open_ones("trailfit/")
    one.create(WANTED)

    assert waited == [3.0, 1.0, 7.0]
    assert len(there.requests) == 1


@pytest.mark.parametrize("form", ["date", "reset"])
def test_the_time_to_wait_may_be_told_as_a_moment(there: Server, form: str) -> None:
    import email.utils

    at = time.time() + 30
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(at))}
    headers = {"Retry-After": email.utils.formatdate(at, usegmt=True)} if form == "date" else reset
    there.faults.append(Fault("GET", "shop/infra$", 403, headers, {"message": "API rate limit exceeded"}))
    waited: list[float] = []
    connect(there, waited.append).default_branch()

    assert 20 < waited[0] <= 30


def test_really_waiting_takes_that_long(there: Server) -> None:
    there.faults.append(Fault("GET", "shop/infra$", 429, {"Retry-After": "1"}))
    started = time.monotonic()
    assert connect(there).default_branch() == "main"

    assert time.monotonic() - started >= 1


def test_nobody_waits_for_an_hour(there: Server) -> None:
    there.faults.append(Fault("GET", "shop/infra$", 429, {"Retry-After": "3600"}))
    waited: list[float] = []
    with pytest.raises(ForgeError, match=r"a rate limit of the forge .*wait 3600 s"):
        connect(there, waited.append).default_branch()

    assert waited == []


def test_the_waits_together_are_bounded(there: Server) -> None:
    there.faults.append(Fault("GET", "shop/infra$", 429, {"Retry-After": "40"}, times=9))
    waited: list[float] = []
    with pytest.raises(ForgeError, match="a rate limit"):
        connect(there, waited.append).default_branch()

    assert sum(waited) <= 120


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_answer_that_is_lost_makes_no_second_request(there: Server, status: int) -> None:
    there.faults.append(Fault("POST", "pulls$|merge_requests$", status, body={"message": "x"}, after=True))
    made = connect(there).create(WANTED)

    assert (made.number, len(there.requests), there.requests[0]["labels"]) == (1, 1, ["trailfit"])


def test_a_request_that_is_open_for_the_branch_is_updated(there: Server) -> None:
    one = connect(there)
    one.create(WANTED)
    made = one.create(Wanted(NAME, "main", "Fit 3 roles", "anew"))

    assert (made.number, made.title, len(there.requests)) == (1, "Fit 3 roles", 1)


def test_a_fork_s_request_is_not_ours(there: Server) -> None:
    one = connect(there)
    one.create(WANTED)
    there.requests[0]["fork"] = True

    assert one.open_ones("trailfit/") == []


def test_owners_whom_the_forge_does_not_take_are_told_one_by_one(there: Server) -> None:
    one = connect(there)
    left = one.ask(one.create(WANTED), ["@ada", "@nobody", "@shop/team"])

    assert there.requests[0]["reviewers"] == {"github": ["ada"], "gitlab": [7]}[there.kind]
    assert [told.split(":")[0] for told in left] == ["@nobody", "@shop/team"]


def test_no_redirect_carries_the_token_away(there: Server, tmp_path: Path) -> None:
    with forge(there.kind, tmp_path / "other", {"a.txt": "a", "b.txt": "b"}) as other:
        there.faults.append(Fault("GET", "merge_requests$|pulls$", 302, {"Location": f"{other.url}/steal"}))
        with pytest.raises(ForgeError, match="has moved"):
            connect(there).open_ones("trailfit/")

        assert other.seen == []


def test_a_long_list_is_read_to_its_end_and_only_on_this_forge(there: Server) -> None:
    one = connect(there)
    one.create(WANTED)
    listed = there.url + there.prefix + ("/repos/shop/infra/pulls" if there.kind == "github" else "/projects/shop%2Finfra/merge_requests")  # fmt: skip
    link = (
        f'<{listed}?state={"open" if there.kind == "github" else "opened"}&page=2>; rel="next", <{listed}>; rel="last"'
    )
    there.faults.append(Fault("GET", "pulls$|merge_requests$", 200, {"Link": link}, []))
    assert [found.number for found in one.open_ones("trailfit/")] == [1]
    there.faults.append(Fault("GET", "pulls$|merge_requests$", 200, {"Link": '<http://127.0.0.1:1/x>; rel="next"'}, []))
    assert one.open_ones("trailfit/") == []


@pytest.mark.parametrize("body", ["<html>", "", "[]", "null"])
def test_a_page_that_is_no_api_is_told(there: Server, body: str) -> None:
    there.faults.append(Fault("GET", "shop/infra$", 200, body=body, times=3))
    with pytest.raises(ForgeError, match="is not Git"):
        connect(there).default_branch()


def test_where_nobody_listens_that_is_told() -> None:
    api = Api("http://127.0.0.1:9", {}, pause=lambda _: None)
    with pytest.raises(ForgeError, match="nobody answers"):
        api.call("GET", "/x")


@pytest.mark.parametrize(
    "url", ["http://ghe.example.com", "ftp://x", "https://user:pw@ghe.example.com", "x", "https://"]
)
def test_a_token_is_sent_over_tls_or_to_this_machine_only(url: str) -> None:
    with pytest.raises(UsageError):
        Api(url, {})


# --- addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scheme", "host", "project", "kind"),
    [
        ("https://github.com/shop/infra.git", "https", "github.com", "shop/infra", "github"),
        ("https://ada:pw@github.com/shop/infra", "https", "github.com", "shop/infra", "github"),
        ("git@github.com:shop/infra.git", "ssh", "github.com", "shop/infra", "github"),
        ("ssh://git@gitlab.example.com:2222/a/b/infra.git", "ssh", "gitlab.example.com", "a/b/infra", "gitlab"),
        ("https://gitlab.example.com:8443/a/b/c/infra/", "https", "gitlab.example.com", "a/b/c/infra", "gitlab"),
        ("https://code.example.com/shop/infra", "https", "code.example.com", "shop/infra", None),
        ("/srv/git/shop/infra.git", "file", None, "shop/infra", None),
        ("file:///srv/git/shop/infra.git", "file", None, "shop/infra", None),
    ],
)
def test_an_address_is_read_as_git_reads_it(
    url: str, scheme: str, host: str | None, project: str, kind: str | None
) -> None:
    found = parse(url)

    assert (found.scheme, found.host, found.project, found.kind()) == (scheme, host, project, kind)
    assert "pw" not in found.url


@pytest.mark.parametrize("url", ["https://", "https://host:port/x", "-oProxyCommand=x://y", "ext::x://y"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse(url)


def test_a_folder_is_no_address() -> None:
    assert [is_url(text) for text in ("/srv/x", "x", "./a/b", "C:\\x", "ext::sh -c x", "git@h.example:x", "https://x/y")] == [
        False, False, False, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "kind", "told", "expected"),
    [
        ("https://github.com/a/b", "github", None, ["https://api.github.com"]),
        ("https://ghe.example.com/a/b", "github", None, ["https://ghe.example.com/api/v3"]),
        ("git@ghe.example.com:a/b", "github", None, ["https://ghe.example.com/api/v3"]),
        ("https://x.example.com/a/b", "github", "https://github.com", ["https://api.github.com"]),
        ("https://x.example.com/a/b", "github", "https://g.example.com/api/v3/", ["https://g.example.com/api/v3"]),
        ("https://x.example.com/a/b", "github", "https://g.example.com", ["https://g.example.com", "https://g.example.com/api/v3"]),
        ("https://gitlab.com/a/b", "gitlab", None, ["https://gitlab.com/api/v4"]),
        ("https://l.example.com:8443/a/b", "gitlab", None, ["https://l.example.com:8443/api/v4"]),
    ],
)  # fmt: skip
def test_the_api_is_found_from_the_remote_or_as_told(
    url: str, kind: str, told: str | None, expected: list[str]
) -> None:
    assert bases(parse(url), kind, told) == expected  # type: ignore[arg-type]  # one of two


def test_git_gets_the_token_for_the_forge_s_own_host_only() -> None:
    for url, api, given in (
        ("https://github.com/a/b", "https://api.github.com", True),
        ("https://ghe.example.com/a/b", "https://ghe.example.com/api/v3", True),
        ("https://evil.example.com/a/b", "https://ghe.example.com/api/v3", False),
        ("git@github.com:a/b", "https://api.github.com", False),
        ("/srv/a/b", "https://api.github.com", False),
    ):
        assert bool(git_access(parse(url), "github", "secret", api)) is given, url


def test_configuration_of_the_environment_stays() -> None:
    assert config_environment((("a.b", "c"),), {"GIT_CONFIG_COUNT": "2"}) == {
        "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_2": "a.b", "GIT_CONFIG_VALUE_2": "c",
    }  # fmt: skip


@pytest.mark.parametrize("token", ["a b", "a\nX-Evil: 1", "tök"])
def test_what_cannot_be_a_token_is_no_header(token: str) -> None:
    with pytest.raises(UsageError) as told:
        token_of({"TRAILFIT_FORGE_TOKEN": token})

    assert token not in str(told.value)


# --- CODEOWNERS -----------------------------------------------------------------------------------------------

OWNERS = r"""
# the last line that fits counts
*            @all
*.tf         @shop/platform ada@example.com   # a comment
/iam/        @ada
docs/*       @docs
apps/        @apps
/build/logs/ @logs
**/secret    @secrets
/iam/public/
with\ blank  @blank
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ["@all"]),
        ("main.tf", ["@shop/platform"]),
        ("a/b/main.tf", ["@shop/platform"]),
        ("iam/x.json", ["@ada"]),
        ("x/iam/x.json", ["@all"]),
        ("docs/a.md", ["@docs"]),
        ("docs/a/b.md", ["@all"]),
        ("x/apps/y/z", ["@apps"]),
        ("build/logs/a/b", ["@logs"]),
        ("a/b/secret", ["@secrets"]),
        ("iam/public/x.json", []),
        ("with blank", ["@blank"]),
    ],
)
def test_the_last_line_that_fits_a_path_counts(path: str, expected: list[str]) -> None:
    assert codeowners.owners({".github/CODEOWNERS": OWNERS}, "github", [path]) == expected


def test_each_section_of_gitlab_has_its_say() -> None:
    text = "* @all\n[Security][2] @sec\n*.tf\n/iam/ @iam\n^[Docs]\n*.md @docs\n"
    found = codeowners.owners({"CODEOWNERS": text}, "gitlab", ["iam/role.tf", "a.tf"])

    assert found == ["@all", "@iam", "@sec"]


def test_the_first_file_counts_and_none_is_no_owner() -> None:
    files = {"CODEOWNERS": "* @second", ".github/CODEOWNERS": "* @first"}

    assert codeowners.owners(files, "github", ["x"]) == ["@first"]
    assert codeowners.owners({}, "github", ["x"]) == []
