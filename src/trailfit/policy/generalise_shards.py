"""Drawn names that lie in folders named after their own beginning: ``ab/cd/abcd0123…``.

People spread hashed names over folders like this, so that no folder grows too large. The folder is no name of its own:
each new file may bring a new one, and it says nothing that the file's name does not say.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from trailfit.policy.generalise_shapes import MACHINE, shape

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Stands for one character of such a folder, before the name that repeats it; for the last one of each folder.
SHARD, END = "\ue006", "\ue007"
_FOLDED = re.compile(f"([{SHARD}{END}]+)([^/:]*)")
_MOST_FOLDERS = 3
#: Together the folders have so many characters at least, each at most, and the name at least: else it may be chance.
_LEAST_FOLDER, _MOST_FOLDER, _LEAST_NAME = 2, 4, 12


def fold(names: Iterable[str]) -> dict[str, str]:
    """Map each name to itself without such folders, marked; only where all names below the folders' parent agree.

    >>> folded = fold(["x/ab/abcdef0123456789", "x/7f/7f00aa11bb22cc33"])
    >>> [unfold(each) for each in folded.values()]
    ['x/ab/abcdef0123456789', 'x/7f/7f00aa11bb22cc33']
    >>> fold(["x/ab/abcdef0123456789", "x/cd/readme.txt"])
    {}
    """
    folded: dict[str, str] = {}
    parents: dict[str, list[str]] = defaultdict(list)
    others: list[str] = []
    for name in names:
        folders = _folders(name)
        if folders:
            *above, last = name.split("/")
            parent = "".join(f"{each}/" for each in above[: -len(folders)])
            folded[name] = parent + "".join(SHARD * (len(each) - 1) + END for each in folders) + last
            parents[parent].append(name)
        else:
            others.append(name)
    for parent, members in parents.items():
        depth = min(member.count("/") for member in members)
        if any(other.startswith(parent) and other.count("/") >= depth for other in others):
            for name in members:
                del folded[name]
    return folded


def unfold(name: str) -> str:
    """Write the folders again that `fold` put away: from the name's beginning, or as ``*`` in a pattern."""
    return _FOLDED.sub(_written, name)


def _folders(name: str) -> list[str]:
    """Give the folders above a drawn name that are, put together, its own beginning."""
    *above, last = name.split("/")
    stem = last.rpartition(".")[0] or last
    if len(stem) < _LEAST_NAME or shape(stem) != MACHINE:
        return []
    for count in range(min(_MOST_FOLDERS, len(above)), 0, -1):
        folders = above[-count:]
        joined = "".join(folders)
        fits = all(0 < len(each) <= _MOST_FOLDER for each in folders)
        if fits and len(joined) >= _LEAST_FOLDER and last.startswith(joined):
            return folders
    return []


def _written(match: re.Match[str]) -> str:
    lengths = [len(part) + 1 for part in match[1].split(END)[:-1]]
    if "*" in match[2]:
        return "*/" * len(lengths) + match[2]
    ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
    return "/".join([*(match[2][end - length : end] for end, length in zip(ends, lengths, strict=True)), match[2]])
