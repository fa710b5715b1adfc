"""Sessions: who we are, the role assumed in another account, and the clients, each request counted."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ProfileNotFound

from trailfit.errors import SourceError
from trailfit.inventory.requests import PROBLEMS

if TYPE_CHECKING:
    from trailfit.inventory.settings import Settings

_SESSION_NAME = "trailfit-inventory"


def named(profile: str | None) -> boto3.Session:
    """Return the session of a profile, or of the environment. Raises `SourceError` for a profile that is none."""
    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as problem:
        message = f"there is no profile `{profile}`"
        raise SourceError(message, hint="aws configure list-profiles prints them") from problem


class Caller:
    """The caller's own session: its account, and sessions in other accounts.

    `sent` counts every request sent, retries too, by service and operation, in all sessions made here.
    Raises `SourceError` where there are no credentials, or none that AWS takes.
    """

    def __init__(self, session: boto3.Session, settings: Settings) -> None:
        self.session = session
        self.settings = settings
        self.sent: Counter[tuple[str, str]] = Counter()
        self.region = session.region_name or "us-east-1"
        self._count(session)
        try:
            identity = client(session, "sts", self.region, settings).get_caller_identity()
        except PROBLEMS as problem:
            message = f"AWS does not say who is asking: {problem}"
            raise SourceError(message, hint="check the credentials, or name a --profile") from problem
        self.account: str = identity["Account"]
        self.partition: str = identity["Arn"].split(":")[1]

    def role_arn(self, account: str) -> str:
        """Return the ARN of the role to assume in an account."""
        return f"arn:{self.partition}:iam::{account}:role/{self.settings.role_name}"

    def in_account(self, account: str) -> boto3.Session:
        """Return a session in an account; its credentials renew themselves.

        The role is assumed now: raises `ClientError` where that is refused.
        """
        if account == self.account:
            return self.session
        own = self.session._session  # boto3 has no public way to share the loaded service models
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(own.create_client, region_name=self.region),
            source_credentials=own.get_credentials(),
            role_arn=self.role_arn(account),
            extra_args={"RoleSessionName": _SESSION_NAME},
        )
        credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        credentials.get_frozen_credentials()
        inner = botocore.session.get_session()
        inner.register_component("data_loader", own.get_component("data_loader"))
        inner._credentials = credentials
        session = boto3.Session(botocore_session=inner, region_name=self.region)
        self._count(session)
        return session

    def _count(self, session: boto3.Session) -> None:
        def sent(event_name: str, **_request: object) -> None:
            _, service, operation = event_name.split(".", 2)
            self.sent[service, operation] += 1

        session.events.register("before-send.*.*", sent)


def client(session: boto3.Session, service: str, region: str, settings: Settings) -> Any:
    """Return a client that retries politely."""
    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": settings.attempts},
        max_pool_connections=settings.workers,
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="trailfit",
    )
    return session.client(service, region_name=region, config=config)
