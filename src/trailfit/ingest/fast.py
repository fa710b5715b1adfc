"""Rows from the native decoder: what an event means is worked out once for all that are alike in what matters.

The kernel gives codes: of who called (the userIdentity as it is written), of the call (all short fields that its
meaning hangs on), of what was said (of the request, only what the plan of such calls reads). `understand` and `uses_of`
are asked once for each distinct kind and each distinct saying; events are then put together from these answers by
number. ARNs in ``resources[]`` are mostly distinct, but uses hang only on which needs take them: they are left out of
the answer, as slots, and filled in event by event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from trailfit.catalog.rules import response_readers
from trailfit.cloudtrail.arns import partition_of
from trailfit.cloudtrail.meaning import account_of, reads, settled, understand, uses_of
from trailfit.cloudtrail.principal import caller
from trailfit.cloudtrail.record import Record, UserIdentity
from trailfit.cloudtrail.transforms import Place
from trailfit.ingest.answers import Arns, Numbers, Slots, Templates, distinct
from trailfit.ingest.columns import WHO, Codes, by_unit, dictionary, packed, packed_call
from trailfit.ingest.fields import known_account, parse_identity
from trailfit.ingest.kernel import SLOT, Kernel

if TYPE_CHECKING:
    import ctypes
    from datetime import date

    import pyarrow as pa

    from trailfit.cloudtrail.plan import Plan

#: Words and answers that are remembered; bytes of them, and of the texts of rows.
_MANY = 60_000
_HEAVY = 32 * 1024 * 1024
#: Letters of requests and resources that are remembered whole.
_SHORT = 2048
_DAY = 86_400_000_000
_MOST_NEEDS = 60
_REQUEST, _LISTS, _WHOLE = range(3)
_NO_KEYS: frozenset[str] = frozenset()
_text = msgspec.json.Decoder(str).decode
_FLAG = {b"true": True, b"false": False}


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all calls have in common that are alike in all but who, when and on what.

    Where `how` is `_WHOLE`, more than the uses hangs on the request, and `call` is told event by event. `name` is
    negative where nothing hangs on the request.
    """

    name: int
    how: int
    account: int
    call: int
    plan: Plan | None
    event_source: str
    place: Place


class Fast:
    """Rows of objects that the kernel takes; keeps what it learned from one object to the next."""

    def __init__(self, lib: ctypes.CDLL) -> None:
        self.kernel = Kernel(lib, response_readers())
        self.rows = 0
        self._numbers = Codes()
        self._names: list[tuple[str, str, Plan | None]] = []
        self._key_sets: dict[tuple[int, int], int] = {}
        self._identities: list[UserIdentity | None] = []
        self._who, self._who_code = Codes(), Numbers()
        self._variants, self._variant = Codes(), Numbers()
        self._calls: list[list[Any]] = []
        self._call = Codes()
        self._accounts = Codes()
        self._kinds: list[_Kind] = []
        self._kind_of: dict[tuple[int, int], int] = {}
        self._ips: list[str | None] = []
        self._agents: list[str | None] = []
        self._forms = Codes()
        self._answers: dict[tuple[int, int, int], int] = {}
        self._own: dict[tuple[Any, ...], int] = {}
        self._said: list[bytes] = []
        self._templates = Templates()

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to take the rows."""
        return self.kernel.weight() > _HEAVY

    @property
    def is_large(self) -> bool:
        """Tell whether so much was learned that it is time to begin anew."""
        told = (self._said, self._answers, self._own, self._names, self._forms)
        known = (self._identities, self._calls, self._ips, self._agents, *told)
        return max(len(one) for one in known) > _MANY or self.kernel.weight(words=True) > _HEAVY

    def add(self, data: bytes, source: int) -> int:
        """Add an object's records and give their number; -1 for an object that it takes Python to read."""
        number = self.kernel.add(data, source)
        self.rows += max(0, number)
        return number

    def take(self, sources: list[str]) -> tuple[dict[tuple[str, date], pa.Table], list[dict[tuple[str, date], int]]]:
        """Give the rows added so far, a table a unit, and for each of `sources` its rows by unit; forget the rows."""
        import numpy as np
        import pyarrow as pa

        counts: list[dict[tuple[str, date], int]] = [{} for _ in sources]
        if not self.rows:
            return {}, counts
        kernel, rows = self.kernel, self.rows
        self._learn()
        who, call = kernel.codes("who"), kernel.codes("call")
        texts = {name: kernel.texts(name, rows) for name in ("id", "shared", "request", "resources", "response")}
        kind = self._kind(who, call, texts)
        kinds = self._kinds
        arns = self._arns(kind)
        whole = np.array([one.how == _WHOLE for one in kinds], np.uint8)
        kernel.project(self._keys(kind, arns), whole[kind])
        self._said += kernel.words("said", len(self._said))
        slots = Slots(
            [raw.decode() for raw in kernel.words("slot")], kernel.codes("slot"), kernel.codes("slot_ends")[:-1]
        )
        answer = self._answer(kind, arns, who, call, texts)
        time = kernel.figures("time")
        columns = {
            "event_id": texts["id"],
            "event_time": pa.array(time).view(pa.timestamp("us")),
            "who": dictionary(list(self._who), self._who_code.array[who]),
            "call": dictionary(list(self._call), self._templates.call.array[answer]),
            "source_ip": dictionary(self._ips, kernel.codes("ip")),
            "user_agent": dictionary(self._agents, kernel.codes("agent")),
            "shared_event_id": texts["shared"],
            "request_parameters": texts["request"],
            "uses": self._templates.uses(answer, arns, slots),
            "record_check": pa.array(kernel.figures("check")),
            "source_object": dictionary(sources, kernel.codes("source")),
        }
        account = np.array([one.account for one in kinds], np.int64)[kind]
        unit, units = _units(account, time // _DAY, list(self._accounts))
        number = np.bincount(kernel.codes("source") * np.int64(len(units)) + unit)
        for code in np.flatnonzero(number).tolist():
            counts[code // len(units)][units[code % len(units)]] = int(number[code])
        tables = by_unit(columns, unit, units)
        self.rows = 0
        kernel.clear()
        return tables, counts

    def _learn(self) -> None:
        """Read the words that came new."""
        kernel = self.kernel
        for raw in kernel.words("who", len(self._identities)):
            identity = parse_identity(raw)
            found = caller(identity)
            by = identity.invokedBy if identity else None
            self._identities.append(identity)
            self._variant.append(self._variants[found.nobody, identity.accountId if identity else None, by])
            who = (found.principal, found.kind, found.session, found.access_key_id, by)
            assert len(who) == len(WHO)
            self._who_code.append(self._who[packed(who)])
        for raw in kernel.words("call", len(self._calls)):
            *texts, last = raw.split(b"\x1f")
            assert not last
            self._calls.append([_FLAG[one] if one in _FLAG else _text(one) if one else None for one in texts])
        for name, known in (("ip", self._ips), ("agent", self._agents)):
            known += [_text(raw) if raw else None for raw in kernel.words(name, len(known))]

    def _kind(self, who: Any, call: Any, texts: dict[str, Any]) -> Any:
        """Tell each row's kind."""
        import numpy as np

        found, first, inverse = distinct(self._variant.array[who] * len(self._calls) + call)
        known = self._kind_of
        kinds = np.empty(len(found), np.int64)
        for at, (key, row) in enumerate(zip(found.tolist(), first.tolist(), strict=True)):
            pair = divmod(key, len(self._calls))
            number = known.get(pair)
            if number is None:
                number = known[pair] = len(self._kinds)
                self._kinds.append(self._learn_kind(self._record(row, who, call, texts)))
            kinds[at] = number
        return kinds[inverse]

    def _record(self, row: int, who: Any, call: Any, texts: dict[str, Any]) -> Record:
        source, name, region, account, kind, category, read_only, management, error, message = self._calls[call[row]]
        return Record(
            eventSource=source,
            eventName=name,
            awsRegion=region,
            recipientAccountId=account,
            eventType=kind,
            eventCategory=category,
            readOnly=read_only,
            managementEvent=management,
            errorCode=error,
            errorMessage=message,
            userIdentity=self._identities[who[row]],
            requestParameters=_raw(texts["request"][row]),
            responseElements=_raw(texts["response"][row]),
            resources=_raw(texts["resources"][row]),
        )

    def _learn_kind(self, record: Record) -> _Kind:
        """Work out what all calls of a kind have in common."""
        source, name, region = record.eventSource or "", record.eventName or "", record.awsRegion or ""
        place = Place(partition_of(region), region, account_of(record))
        account = self._accounts[known_account(place.account)]
        plan = settled(record) if record.errorMessage is None else None
        if plan is None or len(plan.needs) > _MOST_NEEDS:
            return _Kind(self._name(source, name, None), _WHOLE, account, -1, None, source, place)
        call = self._call[packed_call(understand(record))]
        if plan.free or plan.unknown or plan.is_constant:
            return _Kind(-1, _REQUEST, account, call, plan, source, place)
        how = _LISTS if plan.lists else _REQUEST
        return _Kind(self._name(source, name, plan), how, account, call, plan, source, place)

    def _name(self, source: str, name: str, plan: Plan | None) -> int:
        """Give the number of a kind's name: all of one number have one plan, or none."""
        number = self._numbers[source, name, plan is None]
        if number == len(self._names):
            self._names.append((source, name, plan))
        return number

    def _arns(self, kind: Any) -> Arns:
        """List the ARNs in the rows' resources, and what takes them."""
        import numpy as np

        kinds = self._kinds
        names = np.array([one.name if one.how == _LISTS else -1 for one in kinds], np.int32)
        self.kernel.list_arns(names[kind])
        words = self.kernel.words("arn")
        texts = [word[4:].decode() for word in words]
        ask = [plan.takers if plan else _none for _, _, plan in self._names]
        found = [ask[int.from_bytes(word[:4], "little")](arn) for word, arn in zip(words, texts, strict=True)]
        taken = np.array(found, np.int64)
        codes, ends = self.kernel.codes("arn"), self.kernel.codes("arn_ends")
        masks, _, number = distinct(taken)
        listed = Arns(texts, codes, ends[:-1], np.diff(ends), np.zeros(len(kind), np.int64), np.zeros(len(kind), int))
        size = len(masks) + 1
        for place in range(int(listed.sizes.max(initial=0))):
            rows = np.flatnonzero(listed.sizes > place)
            here = codes[listed.starts[rows] + place]
            listed.taken[rows] |= taken[here]
            listed.form *= size
            listed.form[rows] += number[here] + 1
            # Kept small: one code for each form so far.
            forms, _, inverse = distinct(listed.form)
            told = [self._forms[place, tuple(masks.tolist()), one] for one in forms.tolist()]
            listed.form = np.array(told, np.int64)[inverse]
        return listed

    def _keys(self, kind: Any, arns: Arns) -> Any:
        """Give each row's set of the keys that matter of its request."""
        import numpy as np

        masks, _, mask = distinct(arns.taken)
        names = np.array([one.name for one in self._kinds], np.int64)[kind]
        found, _, inverse = distinct((names + 1) * len(masks) + mask)
        sets = np.empty(len(found), np.int32)
        for at, one in enumerate(found.tolist()):
            name, taken = one // len(masks) - 1, int(masks[one % len(masks)])
            sets[at] = -1 if name < 0 else self._key_set(name, taken)
        return sets[inverse]

    def _key_set(self, name: int, taken: int) -> int:
        number = self._key_sets.get((name, taken))
        if number is None:
            source, event_name, plan = self._names[name]
            decide, copied = (reads(source, event_name), _NO_KEYS) if plan is None else plan.reads(taken)
            every = any(key.startswith("@") for key in decide | copied)
            number = self._key_sets[name, taken] = self.kernel.keys(decide, copied, every=every)
        return number

    def _answer(self, kind: Any, arns: Arns, who: Any, call: Any, texts: dict[str, Any]) -> Any:
        """Tell each row's template."""
        import numpy as np

        said = self.kernel.codes("said").astype(np.int64)
        _, _, alike = distinct(kind * (int(arns.form.max()) + 1) + arns.form)
        found, first, inverse = distinct(alike << 32 | (said + 1))
        answers, known = np.empty(len(found), np.int64), self._answers
        for at, row in enumerate(first.tolist()):
            key = (int(kind[row]), int(arns.form[row]), int(said[row]))
            number = known.get(key)
            if number is None:
                number = known[key] = self._learn_answer(self._kinds[key[0]], row, who, call, texts, arns, key[2])
            answers[at] = number
        answer = answers[inverse]
        for row in np.flatnonzero((said < 0) | (answer < 0)).tolist():
            # Resources that the kernel leaves to Python, or texts that do not just fill slots: an answer of its own.
            answer[row] = self._own_answer(self._kinds[kind[row]], texts["request"][row], texts["resources"][row])
        return answer

    def _learn_answer(
        self, kind: _Kind, row: int, who: Any, call: Any, texts: dict[str, Any], arns: Arns, said: int
    ) -> int:
        """Work out the uses of all events like that of a row, and their call where it hangs on more than the kind.

        Gives -1 where no answer fits them all.
        """
        if kind.plan is None:
            event = understand(self._record(row, who, call, texts))
            return self._templates.add(event.uses, self._call[packed_call(event)], [])
        if said < 0 or SLOT in kind.place.region or SLOT in kind.place.account:
            return -1
        start = arns.starts[row]
        mine = [arns.texts[code] for code in arns.codes[start : start + arns.sizes[row]]]
        listed = texts["resources"][row].as_py().encode() if kind.how == _LISTS else b""
        uses = uses_of(kind.plan, kind.event_source, kind.place, self._said[said][4:], listed)
        return self._templates.add(uses, kind.call, mine, slots=True)

    def _own_answer(self, kind: _Kind, request: Any, resources: Any) -> int:
        """Work out the uses of one event, remembered by its whole request and resources."""
        assert kind.plan is not None
        key = (kind.place, kind.call, request.as_py(), resources.as_py() if kind.how == _LISTS else "")
        number = self._own.get(key)
        if number is None:
            uses = uses_of(kind.plan, kind.event_source, kind.place, (key[2] or "").encode(), key[3].encode())
            number = self._templates.add(uses, kind.call, [])
            if len(key[2] or "") + len(key[3]) < _SHORT:
                self._own[key] = number
        return number


def _units(account: Any, day: Any, accounts: list[str]) -> tuple[Any, list[tuple[str, date]]]:
    """Give each row's place in a list of units."""
    from datetime import date, timedelta

    low = int(day.min())
    found, _, unit = distinct((day - low) * len(accounts) + account)
    start = date(1970, 1, 1)
    pairs = (divmod(one, len(accounts)) for one in found.tolist())
    return unit, [(accounts[code], start + timedelta(days=low + days)) for days, code in pairs]


def _none(_arn: str) -> int:
    return 0


def _raw(text: Any) -> msgspec.Raw:
    return msgspec.Raw((text.as_py() or "").encode())
