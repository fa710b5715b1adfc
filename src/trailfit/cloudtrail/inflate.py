"""Undo what holds a log's bytes: gzip (any number of members), zstd, zip, or nothing.

Damage is a value: what could be read before it is kept, and `Inflated.problem` says what happened. Output is
bounded (`MAX_DOCUMENT`), so that a small object which expands without end cannot fill the memory.
Sources: RFC 1952 (gzip: members may follow one another, the trailer holds CRC-32 and length), RFC 8878 (zstd).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import deflate
import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP = b"\x1f\x8b\x08"
ZSTD = b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"

#: The most bytes that one object may expand to. CloudTrail ends an object at 50 MB compressed at the latest, which
#: is about 500 MB of JSON: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
#: An object beyond it is read this far, and the rest is named.
MAX_DOCUMENT = 512 * 1024 * 1024

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Inflated:
    """The plain bytes of one document, and what went wrong after them (None when nothing did)."""

    data: bytes | bytearray
    problem: str | None = None
    member: str | None = None


def inflate(data: bytes, limit: int = MAX_DOCUMENT) -> Iterator[Inflated]:
    """Yield the documents in `data`: one, or one a member for a zip archive."""
    if data.startswith(ZIP):
        yield from _unzip(data, limit)
    else:
        yield _inflate_one(data, limit)


def _inflate_one(data: bytes, limit: int) -> Inflated:
    if data.startswith(GZIP[:2]):
        return _gunzip(data, limit)
    if data.startswith(ZSTD):
        return _unzstd(data, limit)
    return Inflated(data)


def _gunzip(data: bytes, limit: int) -> Inflated:
    """Inflate at libdeflate's speed where that is safe to, else member by member.

    libdeflate stops in silence after the first member, so it only gets data in which no second header can
    begin, and whose trailer promises a length within `limit`; it checks the CRC-32 itself.
    """
    promised = int.from_bytes(data[-4:], "little")
    if len(data) >= 18 and 0 < promised <= min(limit, 1032 * len(data)) and data.find(GZIP, 1) < 0:
        try:
            plain = deflate.gzip_decompress(data, promised)
        except deflate.DeflateError:
            return _gunzip_members(data, limit)
        if len(plain) == promised:
            return Inflated(plain)
    return _gunzip_members(data, limit)


def _gunzip_members(data: bytes, limit: int) -> Inflated:
    out = bytearray()
    rest = data
    while rest:
        if not rest.startswith(GZIP[:2]):
            # Zero padding after the last member is allowed by convention (tar, tape); anything else is damage.
            if out and not rest.strip(b"\0"):
                break
            return Inflated(bytes(out), f"{len(rest):,} bytes after the gzip data are not gzip")
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            try:
                piece = stream.decompress(rest, _CHUNK)
            except zlib.error as problem:
                return Inflated(bytes(out), f"damaged gzip: {problem}")
            out += piece
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
            if len(out) > limit:
                return Inflated(bytes(out[:limit]), f"expands beyond {limit:,} bytes: the rest was not read")
            if not piece and not rest and not stream.eof:
                return Inflated(bytes(out), "the gzip data is cut off")
    return Inflated(bytes(out))


def _unzstd(data: bytes, limit: int) -> Inflated:
    out = bytearray()
    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            while piece := reader.read(_CHUNK):
                out += piece
                if len(out) > limit:
                    return Inflated(bytes(out[:limit]), f"expands beyond {limit:,} bytes: the rest was not read")
    except zstandard.ZstdError as problem:
        return Inflated(bytes(out), f"damaged zstd: {problem}")
    return Inflated(bytes(out), None if out else "the zstd data is cut off")


def _unzip(data: bytes, limit: int) -> Iterator[Inflated]:
    left = limit
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                # A member never yields more than the size its header declares: zipfile stops there.
                if info.file_size > left:
                    yield Inflated(b"", f"expands beyond {limit:,} bytes: the rest was not read", info.filename)
                    return
                plain = archive.read(info)
                left -= len(plain)
                inner = _inflate_one(plain, limit)
                yield Inflated(inner.data, inner.problem, info.filename)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as problem:
        yield Inflated(b"", f"damaged zip: {problem}")
