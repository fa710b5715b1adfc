"""Pull requests on GitHub and GitHub Enterprise Server (https://docs.github.com/en/rest/pulls/pulls)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailfit.deliver.forge.http import Answer, Api, told
from trailfit.deliver.forge.request import PullRequest, Wanted
from trailfit.deliver.text import visible
from trailfit.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.deliver.forge.remote import Kind

#: More reviewers than these GitHub refuses to take at once.
_MOST_REVIEWERS = 15
#: Tries to open a request while GitHub answers that it is broken; before each it is looked whether one is there.
_TRIES = 3


def headers(token: str) -> dict[str, str]:
    """Return what each request carries."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


class GitHub:
    """One repository on GitHub. `project` is ``owner/name``."""

    kind: Kind = "github"
    #: GitHub refuses longer bodies with 422 "body is too long (maximum is 65536 characters)".
    limit = 65_536

    def __init__(self, apis: Sequence[Api], project: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", project):
            raise ForgeError("is no repository of GitHub", where=visible(project), hint="owner/name")
        self._apis = list(apis)
        self._path = f"/repos/{project}"
        self._project = project.lower()
        self.notes: list[str] = []

    @property
    def api(self) -> Api:
        """Return the API in use."""
        return self._apis[0]

    def default_branch(self) -> str:
        """Return the branch that pull requests go to; at the first call find out where the API is."""
        while len(self._apis) > 1:
            answer = self._apis[0].call("GET", self._path, expected=(301, 302, 404, 406))
            if isinstance(answer.data, dict) and "default_branch" in answer.data:
                del self._apis[1:]
                return str(answer.data["default_branch"])
            del self._apis[0]
        return str(_object(self.api.call("GET", self._path))["default_branch"])

    def open_ones(self, prefix: str) -> list[PullRequest]:
        """List the open pull requests from branches of this repository (never a fork's) that begin with `prefix`."""
        found = self.api.pages(f"{self._path}/pulls", state="open", sort="created", direction="desc")
        return [_read(item) for item in found if self._is_own(item) and item["head"]["ref"].startswith(prefix)]

    def _is_own(self, item: dict[str, Any]) -> bool:
        repository = item["head"].get("repo") or {}
        return str(repository.get("full_name", "")).lower() == self._project

    def request(self, number: int) -> PullRequest | None:
        """Return one pull request; None where there is none of this number."""
        answer = self.api.call("GET", f"{self._path}/pulls/{number}", expected=(404,))
        return _read(answer.data) if answer.status == 200 else None

    def create(self, wanted: Wanted) -> PullRequest:
        """Open a pull request with its labels."""
        body = {"title": wanted.title, "head": wanted.branch, "base": wanted.base, "body": wanted.body}
        for number in range(_TRIES):
            answer = self.api.call(
                "POST", f"{self._path}/pulls", {**body, "draft": wanted.draft}, expected=(0, 422, 500, 502, 503, 504)
            )
            if answer.status == 201:
                made = _read(answer.data)
                self._label(made, wanted.labels)
                return made
            # it may be there all the same: opened by another run, or by the request whose answer was lost
            known = next((one for one in self.open_ones(wanted.branch) if one.branch == wanted.branch), None)
            if known is not None:
                return self.update(known, wanted)
            if answer.status == 422 or number == _TRIES - 1:
                raise self._refused(answer)
        raise AssertionError("the last try returns or raises")

    def _refused(self, answer: Answer) -> ForgeError:
        reason = visible(told(answer.data), 300) or "no reason given"
        hint = "drafts need a public repository or a paid plan: set pr.unsafe to report" if "raft" in reason else None
        message = f"no pull request was opened (status {answer.status}): {reason}"
        return ForgeError(message, where=self.api.base + self._path, hint=hint)

    def update(self, known: PullRequest, wanted: Wanted) -> PullRequest:
        """Give an open pull request its new title, text and base; add labels that it lacks."""
        if (known.title, known.body) != (wanted.title, wanted.body):
            path = f"{self._path}/pulls/{known.number}"
            known = _read(self.api.call("PATCH", path, {"title": wanted.title, "body": wanted.body}).data)
        self._label(known, wanted.labels)
        return known

    def _label(self, request: PullRequest, labels: Sequence[str]) -> None:
        missing = [label for label in labels if label not in request.labels]
        if missing:
            path = f"{self._path}/issues/{request.number}/labels"
            answer = self.api.call("POST", path, {"labels": missing}, expected=(403, 404, 410, 422))
            if answer.status != 200:
                self.notes.append(f"not labelled (status {answer.status}): {visible(told(answer.data), 120)}")

    def ask(self, request: PullRequest, owners: Sequence[str]) -> list[str]:
        """Ask users and teams; those whom GitHub does not take together are asked one by one."""
        path = f"{self._path}/pulls/{request.number}/requested_reviewers"
        chosen = owners[:_MOST_REVIEWERS]
        left_out = [f"{owner}: GitHub takes {_MOST_REVIEWERS} at once" for owner in owners[_MOST_REVIEWERS:]]
        if not chosen or self.api.call("POST", path, _reviewers(chosen), expected=(403, 404, 422)).status == 201:
            return left_out
        for owner in chosen:
            answer = self.api.call("POST", path, _reviewers([owner]), expected=(403, 404, 422))
            if answer.status != 201:
                left_out.append(f"{owner}: {visible(told(answer.data), 120)}")
        return left_out


def _reviewers(owners: Sequence[str]) -> dict[str, list[str]]:
    names = [owner.removeprefix("@") for owner in owners]
    return {
        "reviewers": [name for name in names if "/" not in name],
        "team_reviewers": [quote(name.partition("/")[2], safe="") for name in names if "/" in name],
    }


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.data, dict):
        raise ForgeError("the answer is not GitHub's", hint="check the forge's address")
    return answer.data


def _read(item: Any) -> PullRequest:
    merged = item.get("merged_at")
    return PullRequest(
        number=int(item["number"]),
        url=str(item["html_url"]),
        branch=str(item["head"]["ref"]),
        head=str(item["head"]["sha"]),
        title=str(item["title"]),
        body=str(item.get("body") or ""),
        draft=bool(item.get("draft")),
        state="merged" if merged else "open" if item["state"] == "open" else "closed",
        labels=frozenset(str(label["name"]) for label in item.get("labels", ())),
        merged=merged,
    )
