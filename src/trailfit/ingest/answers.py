"""Answers: the uses that events have which are alike, with slots for what differs; events are put together of them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailfit.cloudtrail.plan import LISTED
from trailfit.ingest.columns import Codes, dictionary, packed_how, uses_array
from trailfit.ingest.kernel import SLOT

if TYPE_CHECKING:
    import pyarrow as pa

    from trailfit.cloudtrail.event import Use


@dataclass(slots=True)
class Arns:
    """The ARNs in the resources of rows: `codes`, from `starts` on as many as `sizes`, are places in `texts`.

    `taken` has a bit for each need of a row's plan that takes one of its ARNs; rows of one `form` have as many ARNs,
    and the same needs take the same of them.
    """

    texts: list[str]
    codes: Any
    starts: Any
    sizes: Any
    taken: Any
    form: Any


@dataclass(slots=True)
class Slots:
    """The texts for the slots of rows' requests: `codes`, from `starts` on, are places in `texts`."""

    texts: list[str]
    codes: Any
    starts: Any


class Templates:
    """Answers: the uses of events that are alike, with slots for those of their resources that are not."""

    def __init__(self) -> None:
        self.call = Numbers()
        self._how = Codes()
        self._how_texts: list[str] = []
        self._resources = Codes()
        self._filled: list[tuple[int, int, int]] = []
        self._starts, self._sizes = Numbers(), Numbers()
        self._hows, self._slots = Numbers(), Numbers()

    def add(self, uses: tuple[Use, ...], call: int, arns: list[str], *, slots: bool = False) -> int:
        """Add an answer and give its number; in it `arns` are slots, and, with `slots`, copied texts are.

        Gives -1 where what is put into the slots might make two uses one: then no answer fits all.
        """
        hows = [self._code_how(use) for use in uses]
        resources = []
        for use, how in zip(uses, hows, strict=True):
            if arns and use.basis.endswith(f"; {LISTED}"):
                resources.append(arns.index(use.resource))
            elif slots and SLOT in use.resource:
                pieces = use.resource.split(SLOT)
                if len(pieces) != 3 or hows.count(how) > 1:
                    return -1
                self._filled.append((self._resources[pieces[0]], int(pieces[1]), self._resources[pieces[2]]))
                resources.append(-2 * len(self._filled))
            else:
                resources.append(-1 - 2 * self._resources[use.resource])
        number = len(self.call)
        self.call.append(call)
        self._starts.append(len(self._hows))
        self._sizes.append(len(uses))
        for how, resource in zip(hows, resources, strict=True):
            self._hows.append(how)
            self._slots.append(resource)
        return number

    def _code_how(self, use: Use) -> int:
        how = self._how[use.action, use.role, use.basis, use.context]
        if how == len(self._how_texts):
            self._how_texts.append(packed_how(use))
        return how

    def uses(self, answer: Any, arns: Arns, slots: Slots) -> pa.ListArray:
        """Make the list column `uses` of rows with these answers."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        sizes = self._sizes.array[answer]
        offsets = np.zeros(len(answer) + 1, np.int32)
        np.cumsum(sizes, out=offsets[1:])
        rows = np.repeat(np.arange(len(answer)), sizes)
        place = self._starts.array[answer][rows] + np.arange(len(rows)) - offsets[rows]
        slot = self._slots.array[place]
        # Codes from 0 on are slots for ARNs; odd ones below are whole texts, even ones pieces around a slot.
        whole = pa.array([*arns.texts, *self._resources], pa.string())
        resource = len(arns.texts) + (-1 - slot) // 2
        listed = np.flatnonzero(slot >= 0)
        resource[listed] = arns.codes[arns.starts[rows[listed]] + slot[listed]]
        filled = np.flatnonzero((slot < 0) & (slot % 2 == 0))
        if len(filled):
            pieces = np.array(self._filled, np.int64)[-slot[filled] // 2 - 1]
            before, after = (whole.take(pa.array(pieces[:, side] + len(arns.texts))) for side in (0, 2))
            text = pa.array(slots.texts, pa.string()).take(
                pa.array(slots.codes[slots.starts[rows[filled]] + pieces[:, 1]])
            )
            resource[filled] = len(whole) + np.arange(len(filled))
            whole = pa.concat_arrays([whole, pc.binary_join_element_wise(before, text, after, "")])
        how = dictionary(self._how_texts, self._hows.array[place])
        return pa.ListArray.from_arrays(pa.array(offsets), uses_array(how, whole.take(pa.array(resource))))


class Numbers:
    """Whole numbers that grow one by one and are read as an array."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self.append = self._numbers.append

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def array(self) -> Any:
        """Give them as an array of 64 bits."""
        import numpy as np

        return np.array(self._numbers, np.int64)


def distinct(values: Any) -> tuple[Any, Any, Any]:
    """Give the distinct values, sorted, the first place of each, and each value's place among them."""
    import numpy as np

    size = int(values.max(initial=-1)) + 1
    if size > 4 * len(values) + 1024:
        found, first, place = np.unique(values, return_index=True, return_inverse=True)
        return found, first, place
    first = np.full(size, -1, np.int64)
    first[values[::-1]] = np.arange(len(values) - 1, -1, -1)
    seen = first >= 0
    return np.flatnonzero(seen), first[seen], (np.cumsum(seen) - 1)[values]
