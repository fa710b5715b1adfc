"""A CloudTrail record as AWS writes it, typed: only the fields that trailfit reads.

`Record` is what the fast decoder fills straight from bytes; the parts whose form differs from service to
service stay raw JSON (`msgspec.Raw`) until a rule asks for them.
Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

# ruff: noqa: N815 - the fields are named as in the record

from __future__ import annotations

from typing import TypeVar

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


class NotRecordError(ValueError):
    """What was read is no CloudTrail record; the text says why."""


_decode_json = msgspec.json.Decoder().decode
_decode_record = msgspec.json.Decoder(Record).decode


def parse_record(obj: object) -> Record:
    """Make a Record of one JSON object: bytes, text or a dict.

    Tolerant: a field of a wrong type becomes absent (``"false"`` and ``"null"`` as text are read as what they say).
    Raises NotRecordError for JSON that is no CloudTrail record, and for what is no JSON object at all.
    """
    if isinstance(obj, str):
        obj = obj.encode()
    if isinstance(obj, bytes | bytearray | memoryview | msgspec.Raw):
        try:
            record = _decode_record(obj)
            if record.eventName and record.eventSource:
                return record
        except (msgspec.DecodeError, RecursionError):
            pass
        try:
            obj = _decode_json(obj)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise NotRecordError(f"no JSON: {problem}") from None
    if not isinstance(obj, dict):
        raise NotRecordError("no JSON object")
    if obj.get("eventCategory") in ("Aggregated", "Insight"):
        obj = _named(obj)
    if not isinstance(obj.get("eventName"), str) or not isinstance(obj.get("eventSource"), str):
        raise NotRecordError("no CloudTrail record: it lacks eventName or eventSource")
    return _typed(obj, Record)


def _named(obj: dict[str, object]) -> dict[str, object]:
    """Give an aggregated or Insight record the names that others have; what it sums up stays in its own fields.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html
    """
    details = obj.get("insightDetails")
    given: dict[str, object] = {
        "eventName": str(obj.get("eventType") or obj["eventCategory"]),
        "eventID": obj.get("eventId"),
        "recipientAccountId": obj.get("accountId"),
        **(details if isinstance(details, dict) else {}),
        **{key: value for key, value in obj.items() if value is not None},
    }
    window = obj.get("timeWindow")
    if "eventTime" not in given and isinstance(window, dict):
        given["eventTime"] = str(window.get("windowStart", "")).replace(" ", "T") + "Z"
    return given


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _typed(obj: dict[str, object], kind: type[_Struct]) -> _Struct:
    """Fill a struct from a dict, field by field; what does not fit is left absent."""
    given: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        value = obj.get(field.name)
        if value is None:
            continue
        if field.type is msgspec.Raw:
            given[field.name] = msgspec.Raw(msgspec.json.encode(value))
        elif (nested := _NESTED.get(field.name)) is not None:
            if isinstance(value, dict):
                given[field.name] = _typed(value, nested)
        elif field.type == (bool | None):
            flag = {"true": True, "false": False}.get(str(value).lower())
            if flag is not None:
                given[field.name] = flag
        elif isinstance(value, str) and value != "null":
            given[field.name] = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            given[field.name] = str(value)
    return kind(**given)


_NESTED: dict[str, type[msgspec.Struct]] = {
    "userIdentity": UserIdentity,
    "sessionContext": SessionContext,
    "sessionIssuer": SessionIssuer,
}
