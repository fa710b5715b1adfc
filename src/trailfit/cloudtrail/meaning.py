"""What an event means: whose permissions it used, which IAM actions, on which ARNs, with what outcome.

`understand` is called for every record that ingest reads. What depends on the event's source and name alone is compiled
once (``plan``), and the uses of equal requests are worked out once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from trailfit.catalog.rules import response_readers
from trailfit.cloudtrail import outcome as outcomes
from trailfit.cloudtrail.arns import Source, partition_of
from trailfit.cloudtrail.event import Event, Outcome, Use
from trailfit.cloudtrail.names import prefixes
from trailfit.cloudtrail.paths import unwrapped
from trailfit.cloudtrail.plan import Plan, plan
from trailfit.cloudtrail.principal import caller
from trailfit.cloudtrail.refused import refused_uses
from trailfit.cloudtrail.transforms import Place

if TYPE_CHECKING:
    from trailfit.cloudtrail.record import Record

#: Categories whose records tell of calls that records of their own exist for. Sources:
#: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html
#: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
_REPEATING = frozenset({"NetworkActivity", "Insight", "Aggregated"})
_NO_CALLS = frozenset({"AwsServiceEvent", "AwsConsoleSignIn", "AwsVpceEvent", "AwsVpceEvents", "AwsAggregatedEvent"})
_EC2 = "ec2.amazonaws.com"
_MEMO_SIZE = 20_000
_Meaning = tuple[Plan, tuple[Use, ...], str | None]
_memo: dict[tuple[object, ...], _Meaning] = {}
_decode = msgspec.json.Decoder().decode
_FRACTION = re.compile(r"\.\d+(?=Z|\Z|[+-])")


def understand(record: Record) -> Event:
    """Work out the meaning of one record. Never raises for what it holds: what cannot be told is said in `why`."""
    who = caller(record.userIdentity)
    account = account_of(record)
    region = record.awsRegion or ""
    category = record.eventCategory or _category(record)
    how, uses, data_type = _meaning(record, region, account)
    result, why, uses = _outcome(record, how, uses, Place(partition_of(region), region, account))
    no_call = _no_call(record, category)
    counts = result == "allowed" and no_call is None and who.nobody is None
    if no_call is not None and result == "allowed":
        why = no_call
    elif how.unknown and not uses:
        why = f"unknown: {how.unknown}"
    elif result == "allowed":
        why = why or who.nobody
    return Event(
        event_id=record.eventID,
        time=_time(record.eventTime),
        account=account,
        region=region,
        event_source=record.eventSource or "",
        event_name=record.eventName or "",
        event_category=category,
        event_type=record.eventType or "",
        read_only=record.readOnly,
        principal=who.principal,
        principal_kind=who.kind,
        session=who.session,
        access_key_id=who.access_key_id,
        outcome=result,
        error_code=record.errorCode,
        error_message=record.errorMessage,
        counts_as_use=counts,
        why=why,
        uses=_through(record, region, uses),
        data_type=data_type if category == "Data" else None,
        source_ip=record.sourceIPAddress,
        user_agent=record.userAgent,
        invoked_by=record.userIdentity.invokedBy if record.userIdentity else None,
        shared_event_id=record.sharedEventID,
        request_parameters=_text(record.requestParameters),
    )


def _meaning(record: Record, region: str, account: str) -> _Meaning:
    """Give the plan, the uses as if allowed, and the data type of a record; remembered by what they depend on."""
    request, listed = bytes(record.requestParameters), bytes(record.resources)
    response = bytes(record.responseElements) if record.eventName in response_readers() else b""
    key = (record.eventSource, record.eventName, region, account, request, listed, response)
    found = _memo.get(key)
    if found is None:
        found = _work_out(record, Place(partition_of(region), region, account), request, listed, response)
        if len(_memo) >= _MEMO_SIZE:
            _memo.clear()
        _memo[key] = found
    return found


def _work_out(record: Record, place: Place, request: bytes, listed: bytes, response: bytes) -> _Meaning:
    parameters = _json(request)
    if record.eventSource == _EC2:
        parameters = unwrapped(parameters)
    resources = _json(listed)
    how = _plan(record, parameters)
    data_type = _data_type(how, resources)
    if how.free or how.unknown:
        return how, (), data_type
    source = Source.of(place, parameters, _json(response))
    return how, how.uses(source, _listed_arns(resources)), data_type


def settled(record: Record) -> Plan | None:
    """Give the plan of a record all of whose meaning but its uses is independent of its request and resources.

    That is so of a call that did not fail, where neither the service nor the data type nor a condition key hangs on
    the request; None for others. Such records' uses are `uses_of`, and the rest is as of any other of their kind.
    """
    services = prefixes(record.eventSource or "")
    name = record.eventName or ""
    if record.errorCode or len(services) != 1 or name in response_readers() or _via(record):
        return None
    how = plan(services[0][1], name)
    if (record.eventCategory or _category(record)) == "Data" and not how.data_types:
        return None
    return how


@lru_cache(maxsize=16384)
def reads(event_source: str, event_name: str) -> frozenset[str]:
    """List the lower-case keys of a request whose values the meaning of such events hangs on; see `Plan.reads`.

    A key that begins with ``@`` stands for all keys.
    """
    services = prefixes(event_source)
    conditions = (when.reads for when, _ in services if when is not None)
    plans = (plan(service, event_name).reads() for _, service in services)
    return frozenset().union(*conditions, *(keys for both in plans for keys in both))


def uses_of(how: Plan, event_source: str, place: Place, request: bytes, listed: bytes) -> tuple[Use, ...]:
    """Work out the uses of a record that is `settled`, from the JSON of its request and its resources."""
    if how.free or how.unknown:
        return ()
    parameters = _json(request)
    if event_source == _EC2:
        parameters = unwrapped(parameters)
    arns = _listed_arns(_json(listed)) if listed else []
    return how.uses(Source(place, parameters, None, []), arns)


def _plan(record: Record, parameters: object) -> Plan:
    """Find the plan: of a source's services the first whose condition holds, else one that knows the name."""
    name = record.eventName or ""
    services = prefixes(record.eventSource or "")
    if len(services) == 1:
        return plan(services[0][1], name)
    fitting = [service for when, service in services if when is None or when(parameters)]
    plans = [plan(service, name) for service in dict.fromkeys([*fitting, *(s for _, s in services)])]
    return next((one for one in plans if one.unknown is None), plans[0])


def _listed_arns(resources: object) -> list[str]:
    """List the ARNs of ``resources[]``; ``ARNPrefix`` (of listings) is none."""
    if not isinstance(resources, list):
        return []
    arns: list[str] = []
    for one in resources:
        if isinstance(one, dict):
            arn = one.get("ARN") or one.get("arn")
            if isinstance(arn, str) and arn.startswith("arn:"):
                arns.append(arn)
    return arns


def _outcome(
    record: Record, how: Plan, uses: tuple[Use, ...], place: Place
) -> tuple[Outcome, str | None, tuple[Use, ...]]:
    """Tell the outcome, why it is not plain, and the uses that it leaves."""
    if how.free:
        return "no_authorization", "no IAM permission is needed for this call", ()
    match outcomes.classify(record.errorCode):
        case "denied":
            said = outcomes.refusal(record.errorMessage)
            return "denied", said.why, refused_uses(said, uses, place)
        case "denied_dependent":
            own = tuple(use for use in uses if use.role == "required")
            return "allowed", "the call was allowed, a permission that it depends on was denied", own
        case "not_authenticated":
            return "undetermined", f"the credentials were refused ({record.errorCode}) before any authorization", uses
        case "undetermined":
            return "undetermined", f"{record.errorCode} does not tell whether the call was authorized", uses
        case _:
            return "allowed", None, uses


def _no_call(record: Record, category: str) -> str | None:
    """Say why a record is no call of a principal's own; None where it is one."""
    if category in _REPEATING:
        return f"{category} events repeat calls that other events record"
    if record.eventType in _NO_CALLS:
        return f"{record.eventType} is no API call of a principal"
    return None


def _through(record: Record, region: str, uses: tuple[Use, ...]) -> tuple[Use, ...]:
    """Add kms:ViaService to what a service did under the principal's own name (a forward access session)."""
    by = _via(record)
    if by is None:
        return uses
    via = ("kms:ViaService", f"{by.removesuffix('.amazonaws.com')}.{region}.amazonaws.com")
    return tuple(Use(u.action, u.resource, u.role, u.basis, (*u.context, via)) for u in uses)


def _via(record: Record) -> str | None:
    """Name the service that called KMS under the principal's own name; None where none did."""
    by = record.userIdentity.invokedBy if record.userIdentity else None
    return by if by and record.eventSource == "kms.amazonaws.com" and by.endswith(".amazonaws.com") else None


def _category(record: Record) -> str:
    """Tell the event's category where the record, older than version 1.07, does not state it."""
    return "Data" if record.managementEvent is False else "Management"


def _data_type(how: Plan, resources: object) -> str | None:
    """Name the resource type under which a trail logs this event as a data event."""
    if how.data_types:
        return how.data_types[0]
    if not isinstance(resources, list):
        return None
    types = (one.get("type") for one in resources if isinstance(one, dict))
    return next((kind for kind in types if isinstance(kind, str)), None)


def account_of(record: Record) -> str:
    """Tell the account that an event was recorded for; empty where the record names none."""
    return record.recipientAccountId or (record.userIdentity and record.userIdentity.accountId) or ""


def _time(text: str | None) -> str:
    """ISO 8601 in UTC with a ``Z``, whole seconds, where the record has that; else as it is."""
    if not text:
        return ""
    return _FRACTION.sub("", text) if "." in text else text


def _text(raw: msgspec.Raw) -> str | None:
    data = bytes(raw)
    return None if not data or data == b"null" else data.decode("utf-8", "replace")


def _json(data: bytes) -> Any:
    if not data or data == b"null":
        return None
    try:
        return _decode(data)
    except UnicodeDecodeError:
        return _json(data.decode(errors="replace").encode())
    except (msgspec.DecodeError, RecursionError):
        return None
