"""Whether AWS can be asked: who we are, and whether the role can be assumed in each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailfit.errors import SourceError
from trailfit.inventory import sessions
from trailfit.inventory.requests import PROBLEMS
from trailfit.inventory.settings import ORGANIZATION
from trailfit.model import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.inventory.settings import Settings


def checks(profile: str | None, settings: Settings) -> Iterator[Check]:
    """Ask AWS who is asking, and assume the role in each account that the settings name. Reads nothing else."""
    try:
        caller = sessions.Caller(sessions.named(profile), settings)
    except SourceError as problem:
        yield Check("credentials", "bad", str(problem))
        return
    yield Check("credentials", "good", f"account {caller.account} is asking")
    others = [account for account in settings.accounts if account not in (ORGANIZATION, caller.account)]
    if others and not settings.role_name:
        yield Check("role_name", "bad", f"no role to assume in {', '.join(others)}")
        return
    for account in others:
        try:
            caller.in_account(account)
        except PROBLEMS as problem:
            yield Check(caller.role_arn(account), "bad", f"cannot be assumed: {problem}")
        else:
            yield Check(caller.role_arn(account), "good", "can be assumed")
    if ORGANIZATION in settings.accounts:
        yield Check("accounts", "open", "all of the organization: `trailfit inventory` finds them")
