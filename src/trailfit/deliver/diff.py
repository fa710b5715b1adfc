"""A policy before and after, as lines that a person can compare."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Below this likeness two policies of different names are shown one after the other, not line against line:
#: the result would read like neither.
ALIKE = 0.6
_CONTEXT = 4
_ORDER = (
    "Version", "Id", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
    "Condition", "Statement",
)  # fmt: skip
_SAYS_NOTHING = re.compile(
    r'[\s\[\]{},]*|\s*"(Effect|Version|Statement|Action|Resource)": ("Allow"|"\*"|"2012-10-17"|\[),?'
)

Sign = Literal["+", "-", " ", "@"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. `sign` is ``+`` new, ``-`` gone, blank unchanged, ``@`` for unchanged lines left out."""

    sign: Sign
    text: str


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """One policy that comes (`before` is None), goes (`after` is None) or changes."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    lines: tuple[Line, ...]

    @property
    def change(self) -> Literal["new", "gone", "changed", "same"]:
        """Say what happens to the policy."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        return "changed" if self.added or self.removed else "same"

    @property
    def added(self) -> int:
        """Count the lines that come."""
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        """Count the lines that go."""
        return sum(line.sign == "-" for line in self.lines)


def document_lines(document: Mapping[str, Any]) -> list[str]:
    """Return a policy document as lines of JSON, two spaces deep, its elements in the order that AWS writes them."""
    return json.dumps(_in_order(document), indent=2, ensure_ascii=False).split("\n")


def _in_order(value: Any) -> Any:
    """Put known elements first, so that only what differs in meaning differs in a line."""
    if isinstance(value, dict):
        known = [key for key in _ORDER if key in value]
        return {key: _in_order(value[key]) for key in [*known, *(key for key in value if key not in _ORDER)]}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


def line_diff(before: Sequence[str], after: Sequence[str], context: int = _CONTEXT) -> tuple[Line, ...]:
    """Compare lines of JSON; a comma at the end of a line, which JSON wants or not by what follows, is no change.

    Runs of more than ``2 * context`` unchanged lines are left out and counted.
    """
    matcher = SequenceMatcher(None, [t.rstrip(",") for t in before], [t.rstrip(",") for t in after], autojunk=False)
    lines: list[Line] = []
    blocks = matcher.get_opcodes()
    for number, (tag, i1, i2, j1, j2) in enumerate(blocks):
        if tag != "equal":
            lines += [Line("-", text) for text in before[i1:i2]]
            lines += [Line("+", text) for text in after[j1:j2]]
            continue
        head = context if number > 0 else 0
        tail = context if number < len(blocks) - 1 else 0
        same = after[j1:j2]
        if len(same) > head + tail + 1 and len(blocks) > 1:
            left_out = len(same) - head - tail
            lines += [Line(" ", text) for text in same[:head]]
            lines.append(Line("@", f"{left_out} lines unchanged"))
            lines += [Line(" ", text) for text in same[len(same) - tail :]]
        else:
            lines += [Line(" ", text) for text in same]
    return tuple(lines)


def policy_diffs(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[PolicyDiff]:
    """Pair the policies that go with those that come, and compare each pair.

    A pair has the same kind and name, or is all that is left and alike. What comes is listed first, what goes last.
    """
    left = {(policy["kind"], policy["name"]): policy for policy in before}
    pairs: list[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
    new: list[Mapping[str, Any]] = []
    for policy in after:
        old = left.pop((policy["kind"], policy["name"]), None)
        if old is None:
            new.append(policy)
        else:
            pairs.append((old, policy))
    gone = list(left.values())
    if len(new) == len(gone) == 1 and _alike(gone[0], new[0]):
        pairs.append((gone.pop(), new.pop()))
    pairs += [(None, policy) for policy in new]
    pairs += [(policy, None) for policy in gone]
    return [
        PolicyDiff(
            old,
            fresh,
            line_diff(
                document_lines(old["document"]) if old else [],
                document_lines(fresh["document"]) if fresh else [],
            ),
        )
        for old, fresh in pairs
    ]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two documents share enough lines to be read line against line.

    Lines that any two policies share (brackets, ``"Effect": "Allow"``) say nothing and are left out.
    """
    a, b = ([t for t in document_lines(p["document"]) if _SAYS_NOTHING.fullmatch(t) is None] for p in (one, other))
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= ALIKE
