"""Whatever holds a log's bytes is undone; damage keeps what came before it; expansion is bounded."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from trailfit.cloudtrail.inflate import inflate


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(0, 9))
def test_gzip_members_in_a_row_are_all_read(members, level):
    data = b"".join(gzip.compress(member, level) for member in members)

    [found] = inflate(data)

    assert (bytes(found.data), found.problem) == (b"".join(members), None)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lambda data: zipped(a=data), bytes])
def test_every_packing_gives_the_same_bytes(pack):
    [found] = inflate(pack(b'{"Records":[]}' * 1000))

    assert (bytes(found.data), found.problem) == (b'{"Records":[]}' * 1000, None)


def test_two_equal_members_are_not_taken_for_one():
    assert bytes(next(inflate(gzip.compress(b"x" * 50) * 2)).data) == b"x" * 100


def test_a_cut_gzip_keeps_what_came_before_the_cut():
    plain = bytes(range(256)) * 200
    data = gzip.compress(plain)

    [found] = inflate(data[: len(data) // 2])

    assert found.problem == "the gzip data is cut off"
    assert plain.startswith(found.data)
    assert len(found.data) > 0


@pytest.mark.parametrize("position", [4, 30, -6, -2])
def test_a_flipped_byte_is_said_or_harmless(position):
    data = bytearray(gzip.compress(b"some text that is long enough" * 20))
    data[position] ^= 0xFF

    [found] = inflate(bytes(data))

    assert found.problem or bytes(found.data) == b"some text that is long enough" * 20


def test_text_after_the_gzip_data_is_said():
    [found] = inflate(gzip.compress(b"abc") + b"rubbish")

    assert (bytes(found.data), found.problem) == (b"abc", "7 bytes after the gzip data are not gzip")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lambda data: zipped(a=data)])
def test_what_expands_without_end_is_bounded_and_said(pack):
    [found] = inflate(pack(bytes(5_000_000)), limit=1_000_000)

    assert len(found.data) <= 1_000_000
    assert "expands beyond 1,000,000 bytes" in found.problem


def test_a_trailer_that_lies_about_the_length_does_not_fool():
    data = gzip.compress(bytes(5_000_000))

    [found] = inflate(data[:-4] + b"\x10\0\0\0", limit=1_000_000)

    assert found.problem
    assert len(found.data) <= 1_000_000


def test_every_member_of_a_zip_is_a_document():
    found = list(inflate(zipped(a=b"one", b=gzip.compress(b"two"))))

    assert [(one.member, bytes(one.data)) for one in found] == [("a", b"one"), ("b", b"two")]


def test_a_damaged_zip_is_said():
    [found] = inflate(zipped(a=b"one")[:-10])

    assert found.problem.startswith("damaged zip")
