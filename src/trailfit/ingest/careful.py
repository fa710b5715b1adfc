"""The Python decoder: reads whatever an object holds, and names what cannot be read.

Fields are read typed (msgspec) from slices of the inflated document; what an event means is worked out once per
distinct shape, where the shape is every field on which `understand` depends; columns with few values are built from
codes, never from text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import deflate
import msgspec

from trailfit.catalog.rules import response_readers
from trailfit.cloudtrail.arns import partition_of
from trailfit.cloudtrail.envelope import Unreadable, log_records, mend, raw_records
from trailfit.cloudtrail.inflate import GZIP, inflate
from trailfit.cloudtrail.meaning import settled, understand, uses_of
from trailfit.cloudtrail.principal import caller
from trailfit.cloudtrail.record import Record, parse_record
from trailfit.cloudtrail.transforms import Place
from trailfit.ingest.columns import Columns
from trailfit.ingest.fields import known_account, parse_identity, read_time

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from trailfit.cloudtrail.plan import Plan
    from trailfit.cloudtrail.record import UserIdentity
    from trailfit.model import LogObject

#: Callers, kinds of calls and whole records that are remembered; minutes, a week.
_SHAPES = 4_000
_TIMES = 10_000
#: The ends of times as CloudTrail writes them, in microseconds.
_SECONDS = {f"{second:02d}Z": second * 1_000_000 for second in range(60)}


_FIELDS = {
    "event_id": "eventID",
    "event_time": "eventTime",
    "event_source": "eventSource",
    "event_name": "eventName",
    "region": "awsRegion",
    "event_type": "eventType",
    "event_category": "eventCategory",
    "account": "recipientAccountId",
    "shared_event_id": "sharedEventID",
    "error_code": "errorCode",
    "error_message": "errorMessage",
    "source_ip": "sourceIPAddress",
    "user_agent": "userAgent",
    "read_only": "readOnly",
    "management_event": "managementEvent",
    "user_identity": "userIdentity",
    "request_parameters": "requestParameters",
    "response_elements": "responseElements",
    "resources": "resources",
}


class _Thin(msgspec.Struct, gc=False, rename=_FIELDS):
    """What the loop reads of every record; nested parts stay text."""

    event_id: str | None = None
    event_time: str | None = None
    event_source: str | None = None
    event_name: str | None = None
    region: str | None = None
    event_type: str | None = None
    event_category: str | None = None
    account: str | None = None
    shared_event_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    read_only: bool | None = None
    management_event: bool | None = None
    user_identity: msgspec.Raw = msgspec.Raw()
    request_parameters: msgspec.Raw = msgspec.Raw()
    response_elements: msgspec.Raw = msgspec.Raw()
    resources: msgspec.Raw = msgspec.Raw()


_thin = msgspec.json.Decoder(_Thin).decode
_NULL = b"null"


@dataclass(slots=True)
class Decoded:
    """What one object held: records by unit, what could not be read, records of regions not asked for.

    Of an object that the native decoder reads, the records are told when they are taken.
    """

    object: LogObject
    records: dict[tuple[str, date], int] = field(default_factory=dict)
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    not_asked: int = 0


@dataclass(slots=True)
class _Kind:
    """What all calls have in common that were made to one service under one name, alike in all but who and on what.

    `plan` gives their uses, `known` remembers these by request (and resources, where it `lists` them); it is None
    where more than the uses hangs on the request. `units` remembers codes by day.
    """

    account: str
    call_code: int
    plan: Plan | None
    lists: bool
    event_source: str
    place: Place
    units: dict[date, int] = field(default_factory=dict)
    known: dict[Any, int] = field(default_factory=dict)


class Careful:
    """Turns log objects into rows; keeps what it learned of shapes from one object to the next."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._shapes: dict[tuple[object, ...], tuple[str, int, int]] = {}
        self._kinds: dict[tuple[object, ...], _Kind] = {}
        self._callers: dict[bytes, tuple[int, int, UserIdentity | None]] = {}
        self._variants: dict[tuple[object, ...], int] = {}
        self._times: dict[str, tuple[int, date]] = {}

    @property
    def pending(self) -> int:
        """Rows added and not yet taken."""
        return len(self.columns.rows)

    def take(self) -> dict[tuple[str, date], pa.Table]:
        """Give the rows added so far, a table a unit (columns as `columns.rows_schema`), and forget them."""
        tables = self.columns.take()
        if self.columns.is_large or len(self._callers) > _SHAPES or len(self._kinds) > _SHAPES:
            self.columns = Columns()
            for memo in (self._shapes, self._kinds, self._callers, self._variants):
                memo.clear()
        elif self.columns.forget_uses():
            self._shapes.clear()
            for kind in self._kinds.values():
                kind.known.clear()
        return tables

    def add(self, data: bytes, source: LogObject, regions: frozenset[str] | None = None) -> Decoded:
        """Read one log object's bytes; with `regions`, only its records of these regions are kept.

        Never raises for what the bytes hold: see `Decoded.unreadable`.
        """
        done = Decoded(source)
        uri = self.columns.code_source(source.uri)
        start = self.pending
        raws = _delivered(data) if regions is None else None
        if raws is not None:
            self._add_all(raws, uri, done)
        else:
            for number, piece in enumerate(raw_records(data, source.uri), 1):
                if isinstance(piece, Unreadable):
                    done.unreadable.append((number, piece.reason))
                else:
                    self._add_one(piece, uri, done, number, regions)
        units = list(self.columns.code_unit)
        found = Counter(row[2] for row in islice(self.columns.rows, start, None))
        done.records = {units[code]: count for code, count in found.items()}
        return done

    def _add_all(self, raws: list[msgspec.Raw], uri: int, done: Decoded) -> None:
        """Add the records of a document as CloudTrail delivers it."""
        kinds, callers, times = self._kinds, self._callers, self._times
        append, checksum = self.columns.rows.append, deflate.crc32
        code_ip, code_agent = self.columns.code_ip, self.columns.code_agent
        for number, raw in enumerate(raws, 1):
            try:
                thin = _thin(raw)
            except (ValueError, RecursionError):
                self._add_one(bytes(raw), uri, done, number)
                continue
            text = thin.event_time or ""
            when, second = times.get(text[:17]), _SECONDS.get(text[17:], -1)
            if when is None or second < 0:
                when, second = self._learn_time(text), 0
            if when is None or not thin.event_name or not thin.event_source:
                self._add_one(bytes(raw), uri, done, number)
                continue
            who = bytes(thin.user_identity)
            request = bytes(thin.request_parameters)
            who_code, variant, identity = callers.get(who) or self._learn_caller(who)
            kind = None
            if thin.error_code is None and thin.error_message is None:
                key = (
                    variant,
                    thin.event_source,
                    thin.event_name,
                    thin.region,
                    thin.account,
                    thin.event_type,
                    thin.event_category,
                    thin.read_only,
                    thin.management_event,
                )
                kind = kinds.get(key) or self._learn_kind(key, thin, identity)
            if kind is None or kind.plan is None:
                account, call_code, uses_code = self._whole(thin, who, identity, request)
                unit_code = self.columns.code_unit[account, when[1]]
            else:
                unit_code = kind.units.get(when[1], -1)
                if unit_code < 0:
                    unit_code = kind.units[when[1]] = self.columns.code_unit[kind.account, when[1]]
                call_code = kind.call_code
                said = (request, bytes(thin.resources)) if kind.lists else request
                uses_code = kind.known.get(said, -1)
                if uses_code < 0:
                    uses_code = self._learn_uses(kind, said)
            append(
                (
                    thin.event_id,
                    when[0] + second,
                    unit_code,
                    who_code,
                    call_code,
                    uses_code,
                    code_ip[thin.source_ip],
                    code_agent[thin.user_agent],
                    thin.shared_event_id,
                    None if request == _NULL or not request else request,
                    checksum(raw) << 31 | len(memoryview(raw)) & 0x7FFFFFFF,
                    uri,
                )
            )

    def _learn_time(self, text: str) -> tuple[int, date] | None:
        """Read a time, and remember its minute where it is written as CloudTrail does."""
        if text[16:17] == ":" and text[17:] in _SECONDS and (minute := read_time(f"{text[:17]}00Z")) is not None:
            if len(self._times) >= _TIMES:
                self._times.clear()
            self._times[text[:17]] = minute
        return read_time(text)

    def _learn_caller(self, who: bytes) -> tuple[int, int, UserIdentity | None]:
        """Give the code of a caller, that of all in it that a call's meaning hangs on, and the identity."""
        identity = parse_identity(who)
        found = caller(identity)
        by = identity.invokedBy if identity else None
        variant = (found.nobody, identity.accountId if identity else None, by)
        number = self._variants.setdefault(variant, len(self._variants) + 1)
        code = self.columns.code_who(found.principal, found.kind, found.session, found.access_key_id, by)
        learnt = self._callers[who] = (code, number, identity)
        return learnt

    def _learn_kind(self, key: tuple[object, ...], thin: _Thin, identity: UserIdentity | None) -> _Kind:
        """Work out what all calls of a kind have in common."""
        record = _record(thin, identity)
        event = understand(record)
        account, region = event.account, event.region
        how = settled(record)
        lists = how is not None and any(need.resources.known is not None for need in how.needs)
        place = Place(partition_of(region), region, account)
        kind = _Kind(known_account(event.account), self.columns.code_call(event), how, lists, event.event_source, place)
        self._kinds[key] = kind
        return kind

    def _learn_uses(self, kind: _Kind, said: Any) -> int:
        assert kind.plan is not None
        request, listed = said if kind.lists else (said, b"")
        uses = uses_of(kind.plan, kind.event_source, kind.place, request, listed)
        code = kind.known[said] = self.columns.code_uses(uses)
        return code

    def _whole(self, thin: _Thin, who: bytes, identity: UserIdentity | None, request: bytes) -> tuple[str, int, int]:
        """Work out what a record means as a whole: its account, call and uses; kept where nothing else matters."""
        key = (
            who, thin.event_source, thin.event_name, thin.region, thin.account, thin.error_code, thin.error_message,
            request, bytes(thin.resources), thin.event_type, thin.event_category, thin.read_only, thin.management_event,
        )  # fmt: skip
        shape = self._shapes.get(key)
        if shape is None:
            event = understand(_record(thin, identity))
            shape = (known_account(event.account), self.columns.code_call(event), self.columns.code_uses(event.uses))
            if thin.event_name not in response_readers():
                if len(self._shapes) >= _SHAPES:
                    self._shapes.clear()
                self._shapes[key] = shape
        return shape

    def _add_one(self, raw: bytes, uri: int, done: Decoded, number: int, regions: frozenset[str] | None = None) -> None:
        """Add one record by the tolerant way; what cannot be read or placed in time is named."""
        try:
            event = understand(parse_record(mend(raw)))
        except (ValueError, RecursionError) as problem:
            done.unreadable.append((number, str(problem)))
            return
        when = read_time(event.time)
        if when is None:
            done.unreadable.append((number, f"eventTime cannot be read: {event.time[:60]!r}"))
            return
        if regions is not None and event.region not in regions:
            done.not_asked += 1
            return
        unit = (known_account(event.account), when[1])
        columns = self.columns
        request = event.request_parameters
        text = None if request is None else request.encode("utf-8", "replace")
        columns.rows.append(
            (
                event.event_id,
                when[0],
                columns.code_unit[unit],
                columns.code_who(
                    event.principal, event.principal_kind, event.session, event.access_key_id, event.invoked_by
                ),
                columns.code_call(event),
                columns.code_uses(event.uses),
                columns.code_ip[event.source_ip],
                columns.code_agent[event.user_agent],
                event.shared_event_id,
                text,
                deflate.crc32(raw) << 31 | len(raw) & 0x7FFFFFFF,
                uri,
            )
        )


def _record(thin: _Thin, identity: UserIdentity | None) -> Record:
    return Record(
        eventID=thin.event_id,
        eventTime=thin.event_time,
        eventSource=thin.event_source,
        eventName=thin.event_name,
        awsRegion=thin.region,
        eventType=thin.event_type,
        eventCategory=thin.event_category,
        recipientAccountId=thin.account,
        sharedEventID=thin.shared_event_id,
        errorCode=thin.error_code,
        errorMessage=thin.error_message,
        sourceIPAddress=thin.source_ip,
        userAgent=thin.user_agent,
        readOnly=thin.read_only,
        managementEvent=thin.management_event,
        userIdentity=identity,
        requestParameters=thin.request_parameters,
        responseElements=thin.response_elements,
        resources=thin.resources,
    )


def _delivered(data: bytes) -> list[msgspec.Raw] | None:
    """Split an object that is as CloudTrail delivers it: one gzip of one compact document; None for any other."""
    if not data.startswith(GZIP):
        return log_records(data)
    document = next(inflate(data), None)
    return log_records(document.data) if document and not document.problem else None
