"""The shape of a name: which of its parts look drawn by a machine, and which are words that a person chose.

``part-00012`` and ``part-00013`` have one shape, ``pr-17-feed`` and ``app-feed`` have not.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Stands for a part of a name that a machine drew (an identifier, a hash, a number).
MACHINE = "\ue010"
#: The shape of all names that are only words.
WORDS = "\ue011"

_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_PIECE = re.compile(rf"({_UUID}|[A-Za-z0-9]+)")
_DIGITS = re.compile(r"\d+")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_RUN = re.compile(r"\d+|[a-z]+|[A-Z]+")
_LEAST = 6
_LONG = 10


@lru_cache(maxsize=65536)
def shape(value: str) -> str:
    """Give the shape of one segment: its text, `MACHINE` for every part that a machine drew.

    >>> shape("part-00012.csv").replace(MACHINE, "#"), shape("config.json") == WORDS + ".json"
    ('part-#.csv', True)
    """
    written = "".join(_part(piece) if at % 2 else piece for at, piece in enumerate(_PIECE.split(value)))
    if MACHINE in written:
        return re.sub(f"{MACHINE}+", MACHINE, written)
    stem, dot, extension = value.rpartition(".")
    return f"{WORDS}.{extension}" if dot and stem and len(extension) <= _LEAST else WORDS


def _part(text: str) -> str:
    """Put `MACHINE` for what looks drawn: a UUID, a long mix of letters and digits, a run of digits."""
    if "-" in text or _is_drawn(text):
        return MACHINE
    return _DIGITS.sub(MACHINE, text)


def _is_drawn(text: str) -> bool:
    """Tell whether a piece without separators is an identifier as a whole.

    Hex digits and base-62 text mix letters and digits often; words with a number at their end do not.
    """
    if len(text) < _LEAST:
        return False
    digits = sum(character.isdigit() for character in text)
    if digits == len(text):
        return True
    if _HEX.fullmatch(text) and digits and (len(text) >= _LEAST):
        return True
    runs = len(_RUN.findall(text))
    if len(text) >= _LONG and digits:
        return runs >= len(text) / 3.5
    # Letters alone, of both cases, in runs shorter than any word's.
    return len(text) >= _LONG + 2 and runs >= len(text) / 2.2


def is_machine(form: str) -> bool:
    """Tell whether the shape holds a part that a machine drew."""
    return MACHINE in form


def as_pattern(form: str) -> str:
    """Write the shape of drawn names as a pattern: ``*`` for what a machine drew."""
    return re.sub(r"\*+", "*", form.replace(MACHINE, "*"))


def common(values: list[str]) -> tuple[str, str]:
    """Give the longest beginning and ending that all `values` share, cut at the edge of a word.

    >>> common(["tenant-acme.json", "tenant-abc.json"])
    ('tenant-', '.json')
    """
    low, high = min(values), max(values)
    start = next((at for at, (one, two) in enumerate(zip(low, high, strict=False)) if one != two), len(low))
    turned = sorted(value[start:][::-1] for value in values)
    low_end, high_end = turned[0], turned[-1]
    end = next((at for at, (one, two) in enumerate(zip(low_end, high_end, strict=False)) if one != two), len(low_end))
    head, tail = low[:start], low_end[:end][::-1]
    while head and head[-1].isalnum() and any(len(v) > len(head) and v[len(head)].isalnum() for v in values):
        head = head[:-1]
    while tail and tail[0].isalnum() and any(len(v) > len(tail) and v[-len(tail) - 1].isalnum() for v in values):
        tail = tail[1:]
    return head, tail
