"""The pull request's text: what its reviewer needs to judge it in two minutes, within the forges' limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.deliver.markdown import code, evidence_table, not_used_table, proof_lines
from trailfit.deliver.plan import is_for_code
from trailfit.deliver.text import code_span, markdown
from trailfit.deliver.view import CLASSES, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.deliver.plan import Plan, Role
    from trailfit.deliver.view import PrincipalView

#: GitHub refuses a body of more than 65,536 characters, which it counts as UTF-8 may not; GitLab takes more.
LIMIT = 60_000
_CUT = "\n\n*Cut here: the whole evidence is in report.html and report.md.*\n"


def render(data: Mapping[str, Any], planned: Plan) -> str:
    """Return the text; roles beyond the limit are told in one line each."""
    roles = planned.roles
    view = page(data, access_level=lambda _: None)
    people = {one.arn: one for one in view.principals}
    head = "\n".join(_head(data, roles))
    tail = "\n".join(_tail(data, planned))
    room = LIMIT - len(head) - min(len(tail), LIMIT // 3)
    parts: list[str] = []
    for role in roles:
        part = "\n".join(_role(role, people[role.arn]))
        if len(part) > room:
            part = f"\n### {code_span(role.arn)}\n\nToo long to show here: see report.html."
        if len(part) > room:
            parts.append("\nMore roles are changed: see the commits and report.html.")
            break
        room -= len(part)
        parts.append(part)
    text = "\n".join([head, *parts, tail]) + "\n"
    return text if len(text) <= LIMIT else text[: LIMIT - len(_CUT)] + _CUT


def _head(data: Mapping[str, Any], roles: Sequence[Role]) -> Iterator[str]:
    window = data["window"]
    changed = [role for role in roles if role.files or role.edited]
    yield f"# Fit {len(changed):,} {'role' if len(changed) == 1 else 'roles'} to what CloudTrail saw"
    yield ""
    yield (
        f"From {window['from']} to {window['to']} ({window['days']} days). Each change was proved to grant nothing "
        "new and to allow every call that the logs show."
    )
    backtest = data.get("summary", {}).get("backtest")
    if backtest:
        yield from ("", markdown(backtest))
    if changed:
        yield from (
            "",
            "| Role | Granted | Used | Kept | Undetermined | Unused, goes | Edited |",
            "|---|--:|--:|--:|--:|--:|---|",
        )
    people = {one.arn: one for one in page(data, access_level=lambda _: None).principals} if changed else {}
    for role in changed:
        counts = people[role.arn].counts
        numbers = " | ".join(f"{getattr(counts, name):,}" for name in CLASSES)
        where = ", ".join(dict.fromkeys(code_span(one.path, in_table=True) for one in role.edited)) or "JSON only"
        who = f"{code(people[role.arn].name)} in {people[role.arn].account}"
        yield f"| {who} | {counts.granted:,} | {numbers} | {where} |"


def _role(role: Role, one: PrincipalView) -> Iterator[str]:
    yield from ("", f"### {code_span(one.name)} in {one.account}", "", code_span(role.arn), "")
    for edited in role.edited:
        yield f"- edited {code_span(edited.path)}, {code_span(edited.where)} ({markdown(edited.because)})"
    for path in role.added:
        yield f"- policy as JSON: {code_span(path)}"
    if not role.edited and not role.refused:
        yield "- no file of this repository was found to define it"
    for path, reason in role.refused:
        yield f"- **not edited**: {code_span(path)}: {markdown(reason)}"
    for recommendation in role.recommendations:
        yield from (f"- {markdown(reason)}" for reason in recommendation["reasons"])
        yield from proof_lines(recommendation["proofs"])
    if one.used:
        yield from (
            "",
            f"<details><summary>Used: {len(one.used):,}</summary>",
            "",
            *evidence_table(one),
            "",
            "</details>",
        )
    if one.groups:
        yield from ("", "<details><summary>Not used: why each goes or stays</summary>", "")
        yield from (*not_used_table(one), "", "</details>")
    steps = [step for recommendation in role.recommendations for step in recommendation.get("rollback", ())]
    if steps:
        yield from (
            "",
            "<details><summary>How to roll back</summary>",
            "",
            "Revert this role's commit; or at once:",
            "",
        )
        yield from (f"{number}. {code_span(step)}" for number, step in enumerate(steps, 1))
        yield from ("", "</details>")


def _tail(data: Mapping[str, Any], planned: Plan) -> Iterator[str]:
    """Tell what is not in this pull request, and why."""
    here = {one["id"] for role in planned.roles for one in role.recommendations}
    left = sorted((r for r in data["recommendations"] if r["id"] not in here), key=lambda r: (r["principal"], r["id"]))
    code_changes = [one for one in left if is_for_code(one)]
    others = [one for one in left if not is_for_code(one)]
    for title, listed in (
        ("Not in this pull request: a person should look first", code_changes),
        ("Not for code: credentials and removals, for a person to decide", others),
    ):
        if listed:
            yield from ("", f"## {title}", "")
            for one in listed:
                action = markdown(one["action"].replace("_", " ").capitalize())
                yield f"- {code_span(one['principal'])}: {action}. {'; '.join(map(markdown, one['reasons'][:3]))}"
    if planned.unread:
        yield from ("", "## Files that could not be read", "")
        yield from (f"- {code_span(path)}: {markdown(reason)}" for path, reason in planned.unread)
    if data["unassessed"]:
        yield from ("", f"{len(data['unassessed']):,} could not be judged; they are listed in report.html.")
