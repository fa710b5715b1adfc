"""Merge requests on GitLab (https://docs.gitlab.com/api/merge_requests/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailfit.deliver.forge.http import Answer, Api, told
from trailfit.deliver.forge.request import PullRequest, Wanted
from trailfit.deliver.text import visible
from trailfit.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.deliver.forge.remote import Kind

_DRAFT = "Draft: "
_TRIES = 3


def headers(token: str) -> dict[str, str]:
    """Return what each request carries."""
    return {"PRIVATE-TOKEN": token}


class GitLab:
    """One project on GitLab. `project` is its full path, with all groups."""

    kind: Kind = "gitlab"
    #: GitLab's limit of a description (https://docs.gitlab.com/administration/instance_limits/).
    limit = 1_048_576

    def __init__(self, apis: Sequence[Api], project: str) -> None:
        self._apis = list(apis)
        self._path = f"/projects/{quote(project, safe='')}"
        self.notes: list[str] = []

    @property
    def api(self) -> Api:
        """Return the API in use."""
        return self._apis[0]

    def default_branch(self) -> str:
        """Return the branch that merge requests go to; at the first call find out where the API is."""
        while True:
            answer = self.api.call("GET", self._path, expected=(404,) if len(self._apis) > 1 else ())
            if isinstance(answer.data, dict) and "default_branch" in answer.data:
                del self._apis[1:]
                return str(answer.data["default_branch"])
            if len(self._apis) == 1:
                raise ForgeError("the answer is not GitLab's", where=self.api.base, hint="check the forge's address")
            del self._apis[0]

    def open_ones(self, prefix: str) -> list[PullRequest]:
        """List the open merge requests from branches of this project (never a fork's) that begin with `prefix`."""
        found = self.api.pages(f"{self._path}/merge_requests", state="opened", order_by="created_at", sort="desc")
        return [_read(item) for item in found if item["source_branch"].startswith(prefix) and _is_own(item)]

    def request(self, number: int) -> PullRequest | None:
        """Return one merge request; None where there is none of this number."""
        answer = self.api.call("GET", f"{self._path}/merge_requests/{number}", expected=(404,))
        return _read(answer.data) if answer.status == 200 else None

    def create(self, wanted: Wanted) -> PullRequest:
        """Open a merge request; a draft is one whose title says so."""
        body = {
            "source_branch": wanted.branch,
            "target_branch": wanted.base,
            "title": _title(wanted),
            "description": wanted.body,
            "labels": ",".join(wanted.labels),
            "remove_source_branch": True,
        }
        for number in range(_TRIES):
            answer = self.api.call(
                "POST", f"{self._path}/merge_requests", body, expected=(0, 400, 409, 422, 500, 502, 503, 504)
            )
            if answer.status == 201:
                return _read(answer.data)
            # it may be there all the same: opened by another run, or by the request whose answer was lost
            known = next((one for one in self.open_ones(wanted.branch) if one.branch == wanted.branch), None)
            if known is not None:
                return self.update(known, wanted)
            if answer.status in (400, 409, 422) or number == _TRIES - 1:
                raise self._refused(answer)
        raise AssertionError("the last try returns or raises")

    def _refused(self, answer: Answer) -> ForgeError:
        reason = visible(told(answer.data), 300) or "no reason given"
        return ForgeError(
            f"no merge request was opened (status {answer.status}): {reason}", where=self.api.base + self._path
        )

    def update(self, known: PullRequest, wanted: Wanted) -> PullRequest:
        """Give an open merge request its new title and text; add labels that it lacks."""
        missing = [label for label in wanted.labels if label not in known.labels]
        change: dict[str, Any] = {"add_labels": ",".join(missing)} if missing else {}
        if (known.title, known.body) != (_title(wanted), wanted.body):
            change |= {"title": _title(wanted), "description": wanted.body}
        if not change:
            return known
        return _read(self.api.call("PUT", f"{self._path}/merge_requests/{known.number}", change).data)

    def ask(self, request: PullRequest, owners: Sequence[str]) -> list[str]:
        """Ask users; GitLab takes no group as a reviewer, and looks for an approval rule itself."""
        numbers, left_out = [], []
        for owner in owners:
            name = owner.removeprefix("@")
            found = self.api.call("GET", "/users", query={"username": name}).data if "/" not in name else None
            if isinstance(found, list) and found:
                numbers.append(int(found[0]["id"]))
            else:
                left_out.append(f"{owner}: no user of this name")
        if numbers:
            path = f"{self._path}/merge_requests/{request.number}"
            answer = self.api.call("PUT", path, {"reviewer_ids": sorted(numbers)}, expected=(400, 403, 422))
            if answer.status != 200:
                left_out.append(f"reviewers: {visible(told(answer.data), 120)}")
        return left_out


def _is_own(item: Any) -> bool:
    return bool(item.get("source_project_id") == item.get("target_project_id"))


def _title(wanted: Wanted) -> str:
    return _DRAFT + wanted.title if wanted.draft else wanted.title


def _read(item: Any) -> PullRequest:
    state = item["state"]
    return PullRequest(
        number=int(item["iid"]),
        url=str(item["web_url"]),
        branch=str(item["source_branch"]),
        head=str(item.get("sha") or ""),
        title=str(item["title"]),
        body=str(item.get("description") or ""),
        draft=bool(item.get("draft")),
        state="merged" if state == "merged" else "open" if state == "opened" else "closed",
        labels=frozenset(map(str, item.get("labels", ()))),
        merged=item.get("merged_at"),
    )
