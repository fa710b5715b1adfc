"""A CloudTrail record as AWS writes it, typed: only the fields that trailfit reads.

`Record` is what the fast decoder fills straight from bytes; the parts whose form differs from service to
service stay raw JSON (`msgspec.Raw`) until a rule asks for them.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import msgspec


class SessionIssuer(msgspec.Struct, frozen=True):
    """userIdentity.sessionContext.sessionIssuer: the role (or user) behind a session."""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None
    userName: str | None = None


class SessionContext(msgspec.Struct, frozen=True):
    """userIdentity.sessionContext."""

    sessionIssuer: SessionIssuer | None = None
    attributes: msgspec.Raw = msgspec.Raw()
    webIdFederationData: msgspec.Raw = msgspec.Raw()
    sourceIdentity: str | None = None


class UserIdentity(msgspec.Struct, frozen=True):
    """Who made the call, in the form of its `type`."""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None
    accessKeyId: str | None = None
    userName: str | None = None
    invokedBy: str | None = None
    identityProvider: str | None = None
    sessionContext: SessionContext | None = None
    onBehalfOf: msgspec.Raw = msgspec.Raw()


class Record(msgspec.Struct, frozen=True):
    """One record. `msgspec.Raw()` (empty) means the field is absent; raw ``null`` is kept as it is."""

    eventID: str | None = None
    eventTime: str | None = None
    eventSource: str | None = None
    eventName: str | None = None
    eventVersion: str | None = None
    awsRegion: str | None = None
    eventType: str | None = None
    eventCategory: str | None = None
    recipientAccountId: str | None = None
    sharedEventID: str | None = None
    errorCode: str | None = None
    errorMessage: str | None = None
    sourceIPAddress: str | None = None
    userAgent: str | None = None
    readOnly: bool | None = None
    managementEvent: bool | None = None
    vpcEndpointId: str | None = None
    userIdentity: UserIdentity | None = None
    requestParameters: msgspec.Raw = msgspec.Raw()
    responseElements: msgspec.Raw = msgspec.Raw()
    additionalEventData: msgspec.Raw = msgspec.Raw()
    serviceEventDetails: msgspec.Raw = msgspec.Raw()
    resources: msgspec.Raw = msgspec.Raw()
    tlsDetails: msgspec.Raw = msgspec.Raw()
