"""What every forge can do: the nouns and the protocol that GitHub and GitLab fulfil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.deliver.forge.remote import Kind

State = Literal["open", "merged", "closed"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request as the forge has it. `closed` is closed without being merged.

    `head` is the commit it ends in; `merged` the time (ISO, UTC) it was merged at.
    """

    number: int
    url: str
    branch: str
    head: str
    title: str
    body: str
    draft: bool
    state: State
    labels: frozenset[str] = frozenset()
    merged: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The one request that there should be for a branch."""

    branch: str
    base: str
    title: str
    body: str
    draft: bool = False
    labels: Sequence[str] = field(default=())


class Forge(Protocol):
    """One project on one forge. Every method raises `ForgeError` where the forge refuses."""

    kind: Kind
    #: The most characters that a request's text may have.
    limit: int
    #: What could not be done, and harms nobody.
    notes: list[str]

    def default_branch(self) -> str:
        """Return the name of the branch that requests are merged into."""
        ...

    def open_ones(self, prefix: str) -> list[PullRequest]:
        """List the open requests from this project's own branches that begin with `prefix`, newest first."""
        ...

    def request(self, number: int) -> PullRequest | None:
        """Return one request; None where there is none of this number."""
        ...

    def create(self, wanted: Wanted) -> PullRequest:
        """Open a request; return the one that is open for the branch already, where somebody was quicker."""
        ...

    def update(self, known: PullRequest, wanted: Wanted) -> PullRequest:
        """Give an open request the title, text and labels wanted; labels of others stay."""
        ...

    def ask(self, request: PullRequest, owners: Sequence[str]) -> list[str]:
        """Ask owners (``@name``) to review; return those that could not be asked, with the reason."""
        ...
