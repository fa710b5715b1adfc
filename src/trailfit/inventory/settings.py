"""What to take an inventory of."""

from __future__ import annotations

from dataclasses import dataclass

from trailfit.errors import UsageError
from trailfit.inventory.values import ACCOUNT, REGION

ORGANIZATION = "org"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which accounts and regions to read, and how.

    `accounts` () is the caller's own; ("org",) all active ones of its organization. `role_name` is assumed in
    every account but the caller's own. `regions` () are all that are enabled. `workers` requests run at once,
    each tried `attempts` times. Raises `UsageError` for settings that fit no account.
    """

    role_name: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    workers: int = 8
    attempts: int = 10

    def __post_init__(self) -> None:
        for account in self.accounts:
            if account != ORGANIZATION and not ACCOUNT.fullmatch(account):
                message = f"`{account}` is no account ID"
                raise UsageError(message, hint="twelve digits, or `org` for all accounts of the organization")
        for region in self.regions:
            if not REGION.fullmatch(region):
                message = f"`{region}` is no region"
                raise UsageError(message, hint="such as eu-west-1")
