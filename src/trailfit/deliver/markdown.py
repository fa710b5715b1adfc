"""Render ``report.md``: the report's facts for a terminal, a wiki or a forge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.deliver.findings import title_of
from trailfit.deliver.text import code_span, markdown, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trailfit.deliver.diff import PolicyDiff
    from trailfit.deliver.view import Page, PrincipalView, RecommendationView

_PROVED = {True: "proved", False: "**FAILS**", None: "**undecided**"}


def render(page: Page) -> str:
    """Return the report as one Markdown document."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    window = page.window
    yield f"# trailfit, {window['from']} to {window['to']} ({window['days']} days)"
    yield ""
    yield (
        f"{page.removable.unused:,} of {page.counts.granted:,} permissions can go. "
        f"{page.people:,} roles and users in {len(page.accounts):,} accounts used {page.counts.used:,}; "
        f"for {page.counts.undetermined:,} the logs cannot tell; {page.counts.kept:,} are kept by a rule."
    )
    yield ""
    yield (
        f"{page.changes:,} can be tightened: {page.by_disposition.get('safe', 0):,} safely as proposed, "
        f"{page.needs_person:,} after a person has looked. "
        f"{page.requests:,} requests seen in the logs were replayed; {page.proofs_open:,} proofs are open."
    )
    if page.backtest:
        yield ""
        yield markdown(page.backtest)
    if page.trend:
        yield ""
        yield (
            f"Since the run that ended {page.trend.since}: {page.trend.counts.unused:+,} unused, "
            f"{page.trend.counts.used:+,} used, {page.trend.counts.granted:+,} granted. "
            f"{page.trend.grew:,} roles and users grew, {page.trend.shrank:,} shrank, {page.trend.came:,} came, "
            f"{page.trend.went:,} went."
        )
    yield from _section(
        "Unused, by access level",
        ("Access level", "Permissions"),
        [(level, f"{count:,}") for level, count in page.levels],
    )
    yield from _section(
        "What was found",
        ("Finding", "Severity", "Count"),
        [(markdown(title_of(kind)), severity, f"{count:,}") for kind, severity, count in page.kinds],
    )
    yield from _unassessed(page)
    yield from _section(
        "What was logged",
        ("Account", "Region", "Events", "Days", "Gaps"),
        [
            (
                row.account,
                markdown(row.region),
                markdown(row.what),
                f"{row.days_seen} / {row.days_asked}",
                str(len(row.gaps)),
            )
            for row in page.coverage
        ],
    )
    yield from ("", "## Roles and users")
    for one in page.principals:
        yield from _principal(one)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a GitHub table; cells are Markdown already escaped."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join(' --- ' for _ in heads)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    if rows:
        yield from table(heads, rows)
    else:
        yield "None."


def _unassessed(page: Page) -> Iterator[str]:
    yield from ("", "## What could not be judged", "")
    if not page.unassessed:
        yield "Everything that was looked at could be judged."
    yield from _by_reason(page.unassessed)
    if page.exempt:
        yield from ("", "## Left alone on purpose", "")
        yield from _by_reason(page.exempt)


def _by_reason(groups: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for reason, subjects in groups:
        more = f" and {len(subjects) - 8:,} more" if len(subjects) > 8 else ""
        yield f"- {markdown(reason)}: {', '.join(code_span(s) for s in subjects[:8])}{more}"


def _principal(one: PrincipalView) -> Iterator[str]:
    yield from ("", f"### {one.kind.capitalize()} {code_span(one.name)}", "")
    counts = one.counts
    yield f"{code_span(one.arn)}"
    yield ""
    yield (
        f"{counts.granted:,} granted: {counts.used:,} used, {counts.kept:,} kept, "
        f"{counts.undetermined:,} undetermined, {counts.unused:,} unused."
    )
    if one.change:
        months = ", ".join(f"{day} {count:,}" for day, count in one.change.months)
        yield from ("", f"Granted at the end of each run: {months}.")
    for recommendation in one.recommendations:
        yield from recommendation_lines(recommendation)
    if one.used:
        yield ""
        yield from evidence_table(one)
    if one.groups:
        yield ""
        yield from not_used_table(one)
    if one.denied:
        yield from ("", "Asked for and refused (never counts as use):", "")
        yield from table(
            ("Action", "Resource", "Calls", "Last"),
            [
                (
                    code_span(d["action"], in_table=True),
                    code_span(d["resource"], in_table=True),
                    f"{d['calls']:,}",
                    moment(d.get("last")),
                )
                for d in one.denied
            ],
        )
    if one.findings:
        yield ""
        for finding in one.findings:
            about = f" {code_span(finding['resource'])}" if finding.get("resource") else ""
            yield (
                f"- {markdown(title_of(finding['kind']))}{about}: {finding['severity']}, "
                f"{finding['confidence']} confidence ({code_span(finding['id'])})"
                + (f". {markdown(str(finding['remedy']))}" if finding.get("remedy") else "")
            )
            yield from (f"  - {code_span(str(line))}" for line in finding.get("commands", ()))


def recommendation_lines(recommendation: RecommendationView) -> Iterator[str]:
    """Yield one recommendation: what happens, why, the policies' lines, the proofs, the way back."""
    yield ""
    yield f"**{markdown(recommendation.action.replace('_', ' ').capitalize())}** ({recommendation.disposition})"
    if recommendation.reasons:
        yield ""
        yield from (f"- {markdown(reason)}" for reason in recommendation.reasons)
    for diff in recommendation.diffs:
        yield from diff_lines(diff)
    yield ""
    yield from proof_lines(recommendation.proofs)
    yield from outlook_lines(recommendation)
    if recommendation.rollback:
        yield from ("", "How to roll back:", "")
        yield from (f"{number}. {code_span(step)}" for number, step in enumerate(recommendation.rollback, 1))


def diff_lines(diff: PolicyDiff) -> Iterator[str]:
    """Yield one policy's comparison as a fenced diff; the fence cannot be closed from inside."""
    policy: Mapping[str, Any] = diff.after or diff.before or {}
    yield from ("", f"{code_span(policy['name'])} ({policy['kind'].replace('_', ' ')}): {diff.change}", "", "```diff")
    for line in diff.lines:
        yield f"{line.sign} {visible(line.text)}" if line.sign != "@" else f"@@ {line.text} @@"
    yield "```"


def proof_lines(proofs: Mapping[str, Any]) -> Iterator[str]:
    """Yield the two proofs."""
    nothing_new, still = proofs["no_new_access"], proofs["still_allows"]
    yield f"- Grants nothing new: {_PROVED[nothing_new['holds']]} ({markdown(nothing_new['method'])})"
    example = nothing_new["counterexample"]
    if example:
        yield f"  - counterexample: {code_span(example['action'])} on {code_span(example['resource'])}"
    yield (
        f"- Still allows what was used: {_PROVED[still['holds']]}, {still['requests']:,} requests replayed, "
        f"{len(still['denied']):,} denied"
    )


def outlook_lines(recommendation: RecommendationView) -> Iterator[str]:
    """Yield how the role's own past would have fared, with examples, and the chance that it breaks something."""
    past, chance = recommendation.backtest, recommendation.p_break
    if past:
        yield f"- Its own past: {markdown(past['summary'])}"
        for each in past["denials"][:3]:
            event = f", for example event {code_span(each['example_event'])}" if each.get("example_event") else ""
            yield (
                f"  - {code_span(each['action'])} on {code_span(each['resource'])}: {each['calls']:,} calls"
                f" ({each['cause']}){event}; kept by: {markdown(each['remedy'])}"
            )
    if chance:
        yield f"- {markdown(chance['summary'][:1].upper() + chance['summary'][1:])}"


def evidence_table(one: PrincipalView, shown: int = 3) -> Iterator[str]:
    """Yield the table of what was used: calls, first and last seen, on what (up to `shown` each), an example event."""
    columns = ("Used action", "Calls", "First", "Last", *(("On",) if shown else ()), "Example event")
    rows = [
        (
            code_span(u["action"], in_table=True),
            f"{u.get('calls', 0):,}",
            moment(u.get("first_used")),
            moment(u.get("last_used")),
            *((resources(u.get("resources", ()), shown),) if shown else ()),
            code_span(u["example_event"], in_table=True) if u.get("example_event") else "–",
        )
        for u in one.used
    ]
    yield from table(columns, rows)


def not_used_table(one: PrincipalView) -> Iterator[str]:
    """Yield the table of what was not used: kept, undetermined or unused, by service, and why."""
    yield from table(
        ("Class", "Service", "Actions", "Why"),
        [(g.cls, code(g.service), f"{g.count:,}", markdown(g.reason)) for g in one.groups],
    )


def code(text: str) -> str:
    """Return a code span for a table's cell."""
    return code_span(text, in_table=True)


def resources(items: Sequence[str], most: int) -> str:
    """Return up to `most` resources as code spans for a table's cell, and the count of the rest."""
    shown = ", ".join(code_span(item, in_table=True) for item in items[:most])
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown or "–"


def moment(text: str | None) -> str:
    """Return an ISO time in UTC to the minute."""
    return text[:16].replace("T", " ") if text else "–"
