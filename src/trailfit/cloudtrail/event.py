"""One CloudTrail event made flat: what `trailfit decode` prints and what a row of the lake is made from."""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["allowed", "denied", "undetermined", "no_authorization"]


class Use(msgspec.Struct, frozen=True):
    """One IAM action on one resource that an event needed (or, when denied, asked for).

    `role` is ``required``, ``conditional``, ``dependent`` or ``one_of:<group>``; `resource` is an ARN, an ARN
    pattern, or ``*`` with the reason in `basis`; `context` holds condition keys that the event proves, such as
    ``("iam:PassedToService", "lambda.amazonaws.com")``.
    """

    action: str
    resource: str
    role: str
    basis: str
    context: tuple[tuple[str, str], ...] = ()


class Event(msgspec.Struct, frozen=True):
    """One event, flat. `principal` is the role (sessionIssuer ARN, path kept), never the session.

    `time` is ISO 8601 in UTC with a ``Z``; `account` the account that the event was recorded for
    (recipientAccountId); `data_type` the resource type of a data event (``AWS::S3::Object``);
    `why` says why an event does not count as use, or what could not be told.
    """

    event_id: str | None
    time: str
    account: str
    region: str
    event_source: str
    event_name: str
    event_category: str
    event_type: str
    read_only: bool | None
    principal: str | None
    principal_kind: str
    session: str | None
    access_key_id: str | None
    outcome: Outcome
    error_code: str | None
    error_message: str | None
    counts_as_use: bool
    why: str | None
    uses: tuple[Use, ...]
    data_type: str | None
    source_ip: str | None
    user_agent: str | None
    invoked_by: str | None
    shared_event_id: str | None
    request_parameters: str | None
