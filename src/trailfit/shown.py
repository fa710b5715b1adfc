"""What Jupyter shows of a lake, a run and a proposal: small HTML tables, all text in them escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from trailfit.deliver.diff import policy_diffs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_GREEN, _RED, _GREY = "#1a7f37", "#b42318", "#777777"
_SIGNS = {"+": _GREEN, "-": _RED, "@": _GREY, " ": "inherit"}


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give an HTML table; numbers stand to the right, with thousands separated."""
    head = "".join(f"<th style='text-align:left'>{escape(each)}</th>" for each in header)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def lake(root: str, held: tuple[object, object] | None, accounts: Iterable[Sequence[object]]) -> str:
    """Show a lake: its days, and per account the days, events and what could not be read."""
    span = f"{held[0]} to {held[1]}" if held else "empty"
    header = ("account", "first day", "last day", "days", "events", "duplicates", "skipped")
    return f"<b>lake</b> {escape(root)}: {escape(span)}{table(header, accounts)}"


def run(told: Mapping[str, Any]) -> str:
    """Show a run: what it judged, and its proposals, the safe ones first."""
    window, summary = told["window"], told["summary"]
    counts = ", ".join(f"{number:,} {name}" for name, number in summary["permissions"].items())
    title = (
        f"<b>{summary['principals']:,} principals, {window['from']} to {window['to']}</b>: {counts} permissions; "
        f"{summary['findings']:,} findings, {summary['recommendations']:,} proposals ({summary['safe']:,} safe)"
    )
    rows = [
        (
            each["disposition"],
            each["principal"],
            *(each["permissions"][name] for name in ("used", "unused", "undetermined", "kept")),
            _mark(each["proofs"]["no_new_access"]["holds"]),
            _mark(each["proofs"]["still_allows"]["holds"]),
        )
        for each in sorted(told["recommendations"], key=lambda each: (each["disposition"], each["principal"]))
    ]
    header = ("", "principal", "used", "unused", "undetermined", "kept", "grants nothing new", "allows all used")
    unassessed = f"<p>{len(told['unassessed']):,} could not be judged</p>" if told["unassessed"] else ""
    return title + table(header, rows) + unassessed


def proposal(told: Mapping[str, Any]) -> str:
    """Show one proposal: the policies line by line, the two proofs, the reasons."""
    nothing_new, still = told["proofs"]["no_new_access"], told["proofs"]["still_allows"]
    facts = [
        ("disposition", told["disposition"]),
        ("grants nothing new", f"{_mark(nothing_new['holds'])} by {nothing_new['method']}"),
        ("allows all that was used", f"{_mark(still['holds'])} {still['requests']:,} requests by {still['method']}"),
        *(("reason", reason) for reason in told["reasons"]),
    ]
    return f"<b>{escape(told['principal'])}</b>{table(('', ''), facts)}" + "".join(
        f"<p>{escape(_title(each.before, each.after))}</p><pre style='line-height:1.3'>{_lines(each.lines)}</pre>"
        for each in policy_diffs(told["before"], told["after"])
    )


def _lines(lines: Iterable[Any]) -> str:
    return "\n".join(f"<span style='color:{_SIGNS[one.sign]}'>{one.sign} {escape(one.text)}</span>" for one in lines)


def _title(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    policy = after or before or {}
    verb = "goes" if after is None else "comes" if before is None else "changes"
    return f"{policy['kind']} policy {policy['name']} {verb}"


def _mark(holds: bool | None) -> str:
    return {True: "✓ proved", False: "✗ fails", None: "undecided"}[holds]


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"<td style='text-align:right'>{value:,}</td>"
    return f"<td style='text-align:left'>{'' if value is None else escape(str(value))}</td>"
