"""The pull request's text: what its reviewer needs to judge it in two minutes, within the forges' limits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trailfit.deliver.markdown import code, evidence_table, not_used_table, outlook_lines, proof_lines
from trailfit.deliver.plan import is_for_code
from trailfit.deliver.text import code_span, markdown
from trailfit.deliver.trend import CLASSES
from trailfit.deliver.view import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailfit.deliver.branch import Batch
    from trailfit.deliver.diff import PolicyDiff
    from trailfit.deliver.plan import Plan, Role
    from trailfit.deliver.view import Group, PrincipalView

#: The calls that a reason names: `no event of its own; the parameters of A, B show it: …`.
_PARAMETERS = re.compile(r"(the parameters of )[A-Za-z0-9_]+(?:, [A-Za-z0-9_]+)*( show it)")


@dataclass(frozen=True, slots=True)
class _Detail:
    """How much is told of each role: resources of a used action, used actions, reasons, whether the way back is."""

    resources: int
    used: int
    reasons: int
    way_back: bool


#: GitHub refuses a body of more than 65,536 characters, which it counts as UTF-8 may not; GitLab takes more.
LIMIT = 60_000
#: From all that is known to what a reader cannot do without; the first that fits is taken.
_DETAILS = (
    _Detail(3, 100, 100, True),
    _Detail(1, 100, 20, True),
    _Detail(1, 40, 6, True),
    _Detail(0, 40, 6, True),
    _Detail(0, 40, 6, False),
    _Detail(0, 20, 3, False),
    _Detail(0, 8, 2, False),
    _Detail(0, 0, 0, False),
)
_CUT = "\n\n*Cut here: the whole evidence is in report.html and report.md.*\n"


def render(data: Mapping[str, Any], planned: Plan, batch: Batch, *, held: Mapping[str, str], limit: int = LIMIT) -> str:
    """Return the text, every role in the same detail: as much as the limit leaves room for.

    Where not even one line a role has room, the roles that do not fit are counted. `held` are the roles for which
    nothing is proposed this time, and why.
    """
    roles = planned.roles
    view = page(data, access_level=lambda _: None)
    people = {one.arn: one for one in view.principals}
    everywhere = _everywhere(roles)
    head = "\n".join(_head(data, roles, batch))
    tail = "\n".join(_tail(data, planned, batch, held))
    room = limit - len(head) - min(len(tail), limit // 3) - 200
    for detail in _DETAILS:
        parts = ["\n".join(_role(role, people[role.arn], detail, everywhere)) for role in roles]
        if sum(len(part) + 1 for part in parts) <= room:
            break
    else:
        while parts and sum(len(part) + 1 for part in parts) > room:
            parts.pop()
        parts.append(f"\n{len(roles) - len(parts):,} more roles are changed: see the commits and report.html.")
    text = "\n".join([head, *parts, tail]) + "\n"
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


def _head(data: Mapping[str, Any], roles: Sequence[Role], batch: Batch) -> Iterator[str]:
    window = data["window"]
    changed = [role for role in roles if role.files or role.edited]
    number = f"{len(changed):,} {'role' if len(changed) == 1 else 'roles'}"
    if batch.sort == "restore":
        yield f"# Give {number} back what was denied since a change"
        yield ""
        yield (
            f"From {window['from']} to {window['to']} ({window['days']} days). A change that was merged took away what "
            "these roles asked for since, and were denied. Merge this before anything else, if those calls are right."
        )
    else:
        yield f"# Fit {number} to what CloudTrail saw"
        yield ""
        yield (
            f"From {window['from']} to {window['to']} ({window['days']} days). Each change was proved to grant nothing "
            "new and to allow every call that the logs show."
        )
    if batch.sort == "unsafe":
        yield from ("", "**A draft: something speaks against each of these. It says below what; judge it first.**")
    if roles:
        yield from _edits(roles)
    everywhere = _everywhere(roles)
    if everywhere:
        yield from ("", f"For every role: {'; '.join(map(markdown, everywhere))}.")
    if changed:
        yield from ("", "To roll back a role, revert its commit; report.html has the commands that do it at once.")
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


def _everywhere(roles: Sequence[Role]) -> list[str]:
    """Return the reasons that all recommendations give, which are told once."""
    given = [recommendation["reasons"] for role in roles for recommendation in role.recommendations]
    return [reason for reason in given[0] if all(reason in reasons for reasons in given)] if len(given) > 1 else []


def _edits(roles: Sequence[Role]) -> Iterator[str]:
    """Tell for how many roles the code is edited, for how many there is JSON, and what was not edited and why."""
    edited = sum(bool(role.edited) for role in roles)
    yield from ("", f"{edited:,} of {len(roles):,} are edited where this repository defines them.")
    unknown = sum(bool(role.added) and not role.edited and not role.refused for role in roles)
    if unknown:
        yield f"For {unknown:,} no file was found that does: their new policies lie below `policies/`."
    refused = [(role, path, reason) for role in roles for path, reason in role.refused]
    if refused:
        yield from ("", "**Not edited:**", "")
        yield from (f"- {code_span(role.arn)}: {code_span(path)}: {markdown(reason)}" for role, path, reason in refused)


def _role(role: Role, one: PrincipalView, detail: _Detail, everywhere: Sequence[str]) -> Iterator[str]:
    yield from ("", f"### {code_span(one.name)} in {one.account}", "", code_span(role.arn), "")
    for edited in role.edited:
        yield f"- edited {code_span(edited.path)}, {code_span(edited.where)} ({markdown(edited.because)})"
    for path in role.added:
        yield f"- policy as JSON: {code_span(path)}"
    if not role.edited and not role.refused:
        yield "- no file of this repository was found to define it"
    for path, reason in role.refused:
        yield f"- **not edited**: {code_span(path)}: {markdown(reason)}"
    here = {recommendation["id"] for recommendation in role.recommendations}
    for recommendation in one.recommendations:
        if recommendation.id in here:
            yield from (f"- {_change(diff)}" for diff in recommendation.diffs)
            yield from (f"- {markdown(reason)}" for reason in recommendation.reasons if reason not in everywhere)
            yield from proof_lines(recommendation.proofs)
            yield from outlook_lines(recommendation)
    if one.used and detail.used:
        shown = replace(one, used=one.used[: detail.used])
        yield from (
            "",
            f"<details><summary>Used: {len(one.used):,}</summary>",
            "",
            *evidence_table(shown, detail.resources),
            *_more(len(one.used) - len(shown.used), "used actions"),
            "",
            "</details>",
        )
    if one.groups and detail.reasons:
        groups = _short(one.groups)
        yield from ("", "<details><summary>Not used: why each goes or stays</summary>", "")
        yield from not_used_table(replace(one, groups=_chosen(groups, detail.reasons)))
        yield from _more(len(groups) - detail.reasons, "reasons")
        yield from ("", "</details>")
    yield from _way_back(role) if detail.way_back else ()


def _change(diff: PolicyDiff) -> str:
    """Tell in one line what happens to one policy."""
    policy: Mapping[str, Any] = diff.after or diff.before or {}
    kind = policy["kind"].replace("_", " ").replace("aws", "AWS")
    return f"{code_span(policy['name'])} ({kind} policy): {diff.change}"


def _more(count: int, what: str) -> Iterator[str]:
    if count > 0:
        yield from ("", f"and {count:,} more {what}: see report.html")


def _short(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Tell once for all actions of a service that they show in other calls' parameters, whichever calls those are."""
    found: dict[tuple[str, str, str], Group] = {}
    for group in groups:
        reason = _PARAMETERS.sub(r"\1other calls\2", group.reason)
        known = found.get((group.cls, group.service, reason))
        count = group.count + (known.count if known else 0)
        found[group.cls, group.service, reason] = replace(group, reason=reason, count=count, actions=())
    return tuple(found.values())


def _chosen(groups: Sequence[Group], most: int) -> tuple[Group, ...]:
    """Choose up to `most` groups, those of each class in turn, and leave them in their order."""
    seen: Counter[str] = Counter()
    ranks = []
    for number, group in enumerate(groups):
        ranks.append((seen[group.cls], number))
        seen[group.cls] += 1
    return tuple(groups[number] for _, number in sorted(sorted(ranks)[:most], key=lambda rank: rank[1]))


def _way_back(role: Role) -> Iterator[str]:
    steps = [(one, step) for one in role.recommendations for step in one.get("rollback", ())]
    if not steps:
        return
    yield from ("", "<details><summary>How to roll back</summary>", "", "Revert this role's commit; or at once:", "")
    yield from (f"{number}. {code_span(step)}" for number, (_, step) in enumerate(steps, 1))
    old = {one["id"] for one, step in steps if "before.json" in step}
    if old:
        ids = ", ".join(code_span(name) for name in sorted(old))
        yield from ("", f"before.json is the policy's document under `before` of {ids} in recommendations.json.")
    yield from ("", "</details>")


def _tail(data: Mapping[str, Any], planned: Plan, batch: Batch, held: Mapping[str, str]) -> Iterator[str]:
    """Tell what is not in this pull request, and why."""
    here = {one["id"] for role in planned.roles for one in role.recommendations}
    left = sorted((r for r in data["recommendations"] if r["id"] not in here), key=lambda r: (r["principal"], r["id"]))
    shown = [one for one in left if one["principal"] in held and is_for_code(one)]
    if shown:
        yield from ("", "## Not proposed again", "")
        yield from (f"- {code_span(one['principal'])}: {markdown(held[one['principal']])}" for one in shown)
    left = [one for one in left if one not in shown]
    if batch.sort != "safe":  # the rest is told in the other pull request, and in the report
        return
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
