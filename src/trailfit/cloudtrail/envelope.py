"""From the bytes of a file to its records, whatever they are wrapped in.

Envelopes: ``{"Records": [...]}``, an array, one object, NDJSON or objects in a row, an EventBridge event
(``detail``), CloudWatch Logs (``logEvents[].message``, ``events[].message``), ``lookup-events`` output
(``Events[].CloudTrailEvent``), and objects or JSON text nested in other JSON; each plain, gzip, zstd or zip.

Nothing is lost in silence: what is no readable record comes out as an `Unreadable` with the place and reason,
in its turn. Records before and after a damaged spot are kept.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from trailfit.cloudtrail.inflate import inflate
from trailfit.cloudtrail.record import Record, parse_record

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Keys whose value holds records, in the order in which they are tried.
_ENVELOPES = (
    "Records",
    "CloudTrailEvent",
    "Events",
    "detail",
    "logEvents",
    "events",
    "message",
    "Message",
    "_raw",
    "event",
    "body",
)
_MAX_DEPTH = 6

#: Where a record, an envelope or a line's object may begin anew after damage.
_RESYNC = re.compile(r'\{\s*"(?:eventVersion|Records|Events|EventId|CloudTrailEvent|eventID|awsRegion)"\s*:|(?<=\n)\{')
_OPEN_LIST = re.compile(r'\s*(?:\{\s*"(?:Records|Events|logEvents)"\s*:\s*)?\[')
_BETWEEN = re.compile(r"[\s,\]}]*")
_SCANNER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece of a log that is no event: where (``file:record``, counted from 1) and why."""

    where: str
    reason: str


class _Log(msgspec.Struct, gc=False):
    Records: list[msgspec.Raw]


_decode_log = msgspec.json.Decoder(_Log).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


def records(data: bytes, where: str) -> Iterator[Record | Unreadable]:
    """Yield each record of one file, typed; an `Unreadable` for each piece that is none. Never raises for bad input."""
    for number, piece in enumerate(raw_records(data, where), 1):
        if isinstance(piece, Unreadable):
            yield piece
            continue
        try:
            yield parse_record(piece)
        except (ValueError, RecursionError) as problem:
            yield Unreadable(f"{where}:{number}", str(problem))


def raw_records(data: bytes, where: str) -> Iterator[bytes | Unreadable]:
    """Yield the JSON text of every record of one file, compact (no space between tokens); see `records`."""
    number = 0
    if not data:
        yield Unreadable(where, "the file is empty")
        return
    for document in inflate(data):
        place = f"{where}/{document.member}" if document.member else where
        for piece in _split(document.data):
            number += 1
            yield piece if isinstance(piece, bytes) else Unreadable(f"{place}:{number}", piece.reason)
        if document.problem:
            yield Unreadable(f"{place}:{number + 1}", document.problem)


def log_records(plain: bytes | bytearray) -> list[msgspec.Raw] | None:
    """Split a document in the form that CloudTrail delivers, ``{"Records":[…]}`` without spaces; None for others.

    This is the fast path: slices of `plain`, no copy.
    """
    if not plain.startswith(b'{"Records":['):
        return None
    try:
        return _decode_log(plain).Records
    except (ValueError, RecursionError):
        return None


def mend(text: bytes | bytearray) -> bytes | bytearray:
    """Replace what is not UTF-8 by U+FFFD: a record with a damaged letter is still a record."""
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text


@dataclass(frozen=True, slots=True)
class _Bad:
    reason: str


def _split(plain: bytes | bytearray) -> Iterator[bytes | _Bad]:
    """Yield the records of one inflated document."""
    if plain.startswith(codecs.BOM_UTF8):
        plain = plain[len(codecs.BOM_UTF8) :]
    elif plain.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        plain = plain.decode("utf-16", errors="replace").encode()
    plain = mend(plain)
    try:
        compact = msgspec.json.format(plain, indent=-1)
        found = list(_walk(compact, 0, required=True))
    except (ValueError, RecursionError):
        yield from _salvage(plain)
        return
    yield from found


def _walk(raw: bytes, depth: int, *, required: bool) -> Iterator[bytes | _Bad]:
    """Yield the records in one valid, compact JSON value; when `required`, a `_Bad` where it holds none."""
    kind = raw[:1]
    if kind == b"{":
        yield from _walk_object(raw, depth, required=required)
    elif kind == b"[":
        for item in _decode_list(raw):
            yield from _walk(bytes(item), depth + 1, required=required)
    elif kind == b'"' and (inner := _decode_text(raw).lstrip())[:1] in ("{", "["):
        try:
            yield from _walk(msgspec.json.format(inner.encode(), indent=-1), depth + 1, required=required)
        except (ValueError, RecursionError) as problem:
            yield _Bad(f"the text is not whole JSON: {problem}")
    elif required:
        yield _Bad("not a CloudTrail record: no JSON object")


def _walk_object(raw: bytes, depth: int, *, required: bool) -> Iterator[bytes | _Bad]:
    fields = _decode_object(raw)
    if "eventName" in fields and ("eventSource" in fields or "eventVersion" in fields):
        yield raw
        return
    if "digestS3Object" in fields or "previousDigestS3Object" in fields:
        yield _Bad("a digest file, not a log file")
        return
    known = next((fields[key] for key in _ENVELOPES if _holds(fields.get(key))), None)
    if known is not None and depth < _MAX_DEPTH:
        yield from _walk(bytes(known), depth + 1, required=required)
        return
    found = False
    if depth < _MAX_DEPTH:
        for value in fields.values():
            if bytes(memoryview(value)[:1]) in (b"{", b"["):
                for piece in _walk(bytes(value), depth + 1, required=False):
                    found = True
                    yield piece
    if required and not found:
        yield _Bad(_why_no_record(fields))


def _holds(value: msgspec.Raw | None) -> bool:
    """Tell whether an envelope's value may hold records: an object, a list, or text."""
    return value is not None and bytes(memoryview(value)[:1]) in (b"{", b"[", b'"')


def _why_no_record(fields: dict[str, msgspec.Raw]) -> str:
    if not fields:
        return "not a CloudTrail record: an empty object"
    return f"not a CloudTrail record: no eventName; its fields are {', '.join(sorted(fields)[:6])}"


def _salvage(plain: bytes | bytearray) -> Iterator[bytes | _Bad]:
    """Yield the records of a document that is not one whole JSON value: NDJSON, values in a row, or damaged."""
    text = plain.decode("utf-8", errors="replace")
    place = 0
    if opened := _OPEN_LIST.match(text):
        place = opened.end()
    while True:
        gap = _BETWEEN.match(text, place)
        place = gap.end() if gap else place
        if place >= len(text):
            return
        try:
            _, end = _SCANNER.raw_decode(text, place)
            value = msgspec.json.format(text[place:end].encode("utf-8", errors="replace"), indent=-1)
            found = list(_walk(value, 1, required=True))
        except (ValueError, RecursionError) as problem:
            yield _Bad(_damage(problem))
            again = _resume(text, place)
            if again is None:
                return
            place = again
            continue
        yield from found
        place = end


def _resume(text: str, place: int) -> int | None:
    """Find where reading can go on after damage at `place`: the next record, envelope or line that opens an object."""
    anew = _RESYNC.search(text, place + 1)
    if anew is None:
        return None
    opened = _OPEN_LIST.match(text, anew.start())
    if opened is None:
        return anew.start()
    try:
        _SCANNER.raw_decode(text, anew.start())
    except (ValueError, RecursionError):
        return opened.end()
    return anew.start()


def _damage(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "nested too deeply to be read"
    if isinstance(problem, json.JSONDecodeError):
        return f"not JSON: {problem.msg} at character {problem.pos:,}"
    return f"not JSON: {problem}"
