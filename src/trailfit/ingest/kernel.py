"""The native decoder's face in Python: objects in, columns of codes and the words behind them out.

`native/kernel.cpp` is built where a C++ compiler, simdjson and libdeflate are at hand when trailfit is installed;
without it all is decoded in Python, with the same result. ``TRAILFIT_DECODER=python`` leaves it unused.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

#: What a slot's number stands between.
SLOT = "\x01"
LIBRARY = Path(__file__).parent / "native" / "kernel.so"

#: Numbers of the buffers that the kernel gives: see `trailfit_buffer`.
_CODES = {
    "who": 0, "call": 1, "ip": 2, "agent": 3, "source": 4, "said": 5, "arn": 6, "arn_ends": 7, "slot": 8,
    "slot_ends": 9,
}  # fmt: skip
_FIGURES = {"time": 10, "check": 11}
_TEXTS = {"id": 20, "shared": 23, "request": 26, "resources": 29, "response": 32}
_WORDS = {"who": 40, "call": 42, "ip": 44, "agent": 46, "said": 48, "arn": 50, "slot": 52}


@cache
def library() -> ctypes.CDLL | None:
    """Load the native decoder; None where there is none, it is not wanted, or it was built from another source."""
    if os.environ.get("TRAILFIT_DECODER") == "python":
        return None
    try:
        lib = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    handle, number, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64
    signatures: dict[str, tuple[Any, ...]] = {
        "source": (ctypes.c_char_p,),
        "new": (handle, ctypes.c_char_p),
        "free": (None, handle),
        "add": (size, handle, ctypes.c_char_p, ctypes.c_uint64, number),
        "keys": (number, handle, ctypes.c_char_p, ctypes.c_char_p, number),
        "list": (None, handle, ctypes.c_void_p),
        "project": (None, handle, ctypes.c_void_p, ctypes.c_void_p),
        "clear": (None, handle),
        "weight": (size, handle, number),
        "buffer": (handle, handle, number, ctypes.POINTER(size)),
    }
    for name, (result, *arguments) in signatures.items():
        function = getattr(lib, f"trailfit_{name}")
        function.restype, function.argtypes = result, arguments
    built_from: bytes = lib.trailfit_source()
    source = b"".join(path.read_bytes() for path in sorted(LIBRARY.parent.glob("*.?pp")))
    return lib if built_from.decode() == hashlib.sha256(source).hexdigest() else None


class Kernel:
    """Rows that wait to be taken, and the words that their codes stand for."""

    def __init__(self, lib: ctypes.CDLL, response_readers: Iterable[str]) -> None:
        """Make one for records; of the events that `response_readers` name, the response is kept too."""
        self._call = lib
        self._kernel = lib.trailfit_new(_listed(response_readers))

    def __del__(self) -> None:
        self._call.trailfit_free(self._kernel)

    def add(self, data: bytes, source: int) -> int:
        """Add an object's records and give their number; -1 for an object that it takes Python to read."""
        return int(self._call.trailfit_add(self._kernel, data, len(data), source))

    def keys(self, decide: frozenset[str], copied: frozenset[str], *, every: bool) -> int:
        """Make a set of request keys (lower-case) as `Plan.reads` gives them, or of every one; give its number."""
        return int(self._call.trailfit_keys(self._kernel, _listed(decide), _listed(copied), every))

    def list_arns(self, of: Any) -> None:
        """List the ARNs in the rows' resources: the codes `arn` and `arn_ends`.

        `of` (int32) is a number that each row's words begin with (4 bytes, little-endian); negative: not listed.
        """
        self._call.trailfit_list(self._kernel, of.ctypes.data)

    def project(self, of: Any, whole: Any) -> None:
        """Tell rows apart by what matters of them, after `list_arns`: the codes `said`, -1 where it takes Python.

        A word of `said` is the number of the keys (4 bytes) and a request that means the same, with slots for texts
        that are copied: `SLOT`, its number, `SLOT`. The codes `slot` and `slot_ends` give a row's texts for them.
        `of` (int32) gives each row's set of keys, negative where no part of the request matters; where `whole` (uint8)
        is 1, all of the resources and of the response matters too.
        """
        self._call.trailfit_project(self._kernel, of.ctypes.data, whole.ctypes.data)

    def clear(self) -> None:
        """Forget the rows, not what their codes stand for."""
        self._call.trailfit_clear(self._kernel)

    def weight(self, *, words: bool = False) -> int:
        """Tell the bytes of all texts of the rows, or of the words."""
        return int(self._call.trailfit_weight(self._kernel, words))

    def codes(self, name: str) -> Any:
        """Give a column of codes (int32)."""
        import numpy as np

        return np.frombuffer(self._buffer(_CODES[name]), np.int32)

    def figures(self, name: str) -> Any:
        """Give a column of numbers (int64)."""
        import numpy as np

        return np.frombuffer(self._buffer(_FIGURES[name]), np.int64)

    def texts(self, name: str, rows: int) -> pa.StringArray:
        """Give a column of texts."""
        import pyarrow as pa

        ends, text, valid = (pa.py_buffer(self._buffer(_TEXTS[name] + part)) for part in range(3))
        return pa.StringArray.from_buffers(rows, ends, text, valid)

    def words(self, name: str, start: int = 0) -> list[bytes]:
        """List the words behind codes from `start` on."""
        import numpy as np

        ends = np.frombuffer(self._buffer(_WORDS[name]), np.int64)[start:].tolist()
        if len(ends) < 2:
            return []
        text = self._buffer(_WORDS[name] + 1, ends[0])
        return [text[low - ends[0] : high - ends[0]] for low, high in pairwise(ends)]

    def _buffer(self, which: int, start: int = 0) -> bytes:
        size = ctypes.c_int64()
        address = self._call.trailfit_buffer(self._kernel, which, ctypes.byref(size))
        return ctypes.string_at(address + start, size.value - start) if size.value > start else b""


def _listed(names: Iterable[str]) -> bytes:
    """Write names as the kernel reads them, each ended by NUL (the call adds the one that ends them all)."""
    return b"".join(name.encode() + b"\0" for name in sorted(names) if name)
