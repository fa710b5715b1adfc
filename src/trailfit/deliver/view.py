"""What a reader is shown, worked out once from ``recommendations.json`` for both the HTML and the Markdown page.

Pure: no file, no clock. Everything is sorted here, so that the same input gives the same bytes. Text stays as it
came; the sinks escape it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from trailfit.deliver.diff import PolicyDiff, policy_diffs
from trailfit.deliver.trend import CLASSES, Change, Counts, Run, Trend, trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

SEVERITIES = ("critical", "high", "medium", "low")
#: AWS's access levels, the gravest first
#: (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html).
LEVELS = ("Permissions management", "Write", "Tagging", "Read", "List", "Told by service only")
#: Names of actions listed in one group; the rest is counted, and is whole in recommendations.json.
NAMED = 60

Disposition = Literal["safe", "mixed", "unsafe", "none"]


@dataclass(frozen=True, slots=True)
class Group:
    """Actions of one service with one class for one reason: told once, not once an action."""

    cls: str
    service: str
    reason: str
    count: int
    actions: tuple[str, ...]

    @property
    def more(self) -> int:
        """Count the actions that are not named; a ``prefix:*`` among the names stands for all of them."""
        return 0 if f"{self.service}:*" in self.actions else self.count - len(self.actions)


@dataclass(frozen=True, slots=True)
class RecommendationView:
    """One recommendation with its policies compared."""

    id: str
    action: str
    disposition: str
    reasons: tuple[str, ...]
    diffs: tuple[PolicyDiff, ...]
    proofs: Mapping[str, Any]
    explanations: tuple[Mapping[str, Any], ...]
    rollback: tuple[str, ...]
    backtest: Mapping[str, Any] | None = None
    p_break: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PrincipalView:
    """One role or user: everything said about it, in one place."""

    arn: str
    account: str
    kind: str
    name: str
    counts: Counts
    disposition: Disposition
    findings: tuple[Mapping[str, Any], ...]
    recommendations: tuple[RecommendationView, ...]
    used: tuple[Mapping[str, Any], ...]
    groups: tuple[Group, ...]
    denied: tuple[Mapping[str, Any], ...]
    change: Change | None = None

    @property
    def anchor(self) -> str:
        """Return a fragment identifier: stable from run to run, safe in any attribute."""
        return "p-" + hashlib.sha256(self.arn.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def is_judged(self) -> bool:
        """Tell whether it is a role or user, of which permissions are judged."""
        return self.kind in ("role", "user")

    @property
    def removable(self) -> int:
        """Count the actions that go if the recommendations are followed."""
        return self.counts.unused if self.recommendations else 0


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One kind of event in one account and region, and its gaps as spans of the window in per mille."""

    account: str
    region: str
    what: str
    days_seen: int
    days_asked: int
    gaps: tuple[str, ...]
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    window: Mapping[str, Any]
    counts: Counts
    removable: Counts
    by_disposition: Mapping[str, int]
    levels: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, str, int], ...]
    coverage: tuple[CoverageRow, ...]
    unassessed: tuple[tuple[str, tuple[str, ...]], ...]
    exempt: tuple[tuple[str, tuple[str, ...]], ...]
    principals: tuple[PrincipalView, ...]
    accounts: tuple[str, ...]
    requests: int
    proofs_open: int
    backtest: str | None
    trend: Trend | None = None

    @property
    def people(self) -> int:
        """Count the roles and users; findings may also be about groups, policies and root users."""
        return sum(one.is_judged for one in self.principals)

    @property
    def changes(self) -> int:
        """Count the roles and users with a proposal."""
        return sum(one.disposition != "none" for one in self.principals)

    @property
    def needs_person(self) -> int:
        """Count the roles and users with a proposal that is not safe unattended."""
        return sum(one.disposition in ("unsafe", "mixed") for one in self.principals)

    @property
    def proposals(self) -> int:
        """Count the proposals."""
        return sum(len(one.recommendations) for one in self.principals)

    @property
    def findings_total(self) -> int:
        """Count the findings."""
        return sum(count for _, _, count in self.kinds)

    @property
    def most(self) -> int:
        """Return the largest count of a known access level, the scale of the bars."""
        return max((count for level, count in self.levels if level != LEVELS[-1]), default=1)


@dataclass
class _Gathered:
    """What is said of one principal, before it is sorted."""

    listed: Mapping[str, Any] | None = None
    findings: list[Mapping[str, Any]] = field(default_factory=list)
    recommendations: list[Mapping[str, Any]] = field(default_factory=list)


def page(
    data: Mapping[str, Any],
    *,
    access_level: Callable[[str], str | None],
    before: Sequence[Run] = (),
) -> Page:
    """Work out the report from the content of ``recommendations.json`` (and the runs before, oldest first)."""
    principals = _principals(data)
    against = trend(_run(data, principals), before)
    if against is not None:
        principals = tuple(replace(one, change=against.roles.get(one.arn)) for one in principals)
    removable = Counts()
    for one in principals:
        removable += Counts(unused=one.removable)
    unused = [p for one in data.get("principals", ()) for p in one["permissions"] if p["class"] == "unused"]
    proofs = [r["proofs"] for r in data["recommendations"]]
    total = _total(principals)
    return Page(
        window=data["window"],
        counts=total,
        removable=removable,
        by_disposition=Counter(one.disposition for one in principals),
        levels=_levels(unused, access_level),
        kinds=_kinds(data["findings"]),
        coverage=tuple(_coverage(data)),
        unassessed=_by_reason(data["unassessed"]),
        exempt=_by_reason([*data.get("exempt", ()), *_excluded(data)]),
        principals=principals,
        accounts=tuple(sorted({one.account for one in principals})),
        requests=sum(p["still_allows"]["requests"] for p in proofs),
        proofs_open=sum(not (p["no_new_access"]["holds"] and p["still_allows"]["holds"]) for p in proofs),
        backtest=data.get("summary", {}).get("backtest"),
        trend=against,
    )


def run_of(data: Mapping[str, Any]) -> Run:
    """Return a run in short: what later runs are compared with."""
    return _run(data, _principals(data))


def _run(data: Mapping[str, Any], principals: Iterable[PrincipalView]) -> Run:
    window = data["window"]
    told = {one.arn: one.counts for one in sorted(principals, key=lambda one: one.arn) if one.is_judged}
    counts = {arn: (c.used, c.kept, c.undetermined, c.unused) for arn, c in told.items()}
    return Run(window["from"], window["to"], counts, tuple(sorted(f["id"] for f in data["findings"])))


def account_of(arn: str) -> str:
    """Return the account ID in an ARN, or an empty text where there is none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def name_of(arn: str) -> str:
    """Return the name at the end of a principal's ARN, without its path."""
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1] or arn


def _principals(data: Mapping[str, Any]) -> tuple[PrincipalView, ...]:
    gathered: defaultdict[str, _Gathered] = defaultdict(_Gathered)
    for listed in data.get("principals", ()):
        gathered[listed["principal"]].listed = listed
    for finding in data["findings"]:
        gathered[finding["principal"]].findings.append(finding)
    for recommendation in data["recommendations"]:
        gathered[recommendation["principal"]].recommendations.append(recommendation)
    views = [_principal(arn, parts) for arn, parts in gathered.items()]
    return tuple(sorted(views, key=lambda v: (-v.removable, -len(v.findings), v.account, v.name, v.arn)))


def _principal(arn: str, parts: _Gathered) -> PrincipalView:
    listed = parts.listed or {}
    permissions = listed.get("permissions", ())
    return PrincipalView(
        arn=arn,
        account=listed.get("account") or account_of(arn),
        kind=listed.get("kind") or _kind_of(arn),
        name=listed.get("name") or name_of(arn),
        counts=_counts(permissions, parts.recommendations),
        disposition=_disposition(parts.recommendations),
        findings=tuple(sorted(parts.findings, key=lambda f: (SEVERITIES.index(f["severity"]), f["kind"], f["id"]))),
        recommendations=tuple(
            RecommendationView(
                id=r["id"],
                action=r["action"],
                disposition=r["disposition"],
                reasons=tuple(r["reasons"]),
                diffs=tuple(policy_diffs(r["before"], r["after"])),
                proofs=r["proofs"],
                explanations=tuple(r.get("explanations", ())),
                rollback=tuple(r.get("rollback", ())),
                # Without a new policy there is nothing to replay calls against, and it is not worth a line.
                backtest=r.get("backtest") if r["after"] else None,
                p_break=r.get("p_break") if r["after"] else None,
            )
            for r in sorted(parts.recommendations, key=lambda r: r["id"])
        ),
        used=tuple(sorted((p for p in permissions if p["class"] == "used"), key=_busiest_first)),
        groups=_groups(permissions),
        denied=tuple(sorted(listed.get("denied", ()), key=lambda d: (-d["calls"], d["action"], d["resource"]))),
    )


def _kind_of(arn: str) -> str:
    """Return what an ARN of IAM is: a role where it does not tell."""
    kind = arn.split(":", 5)[-1].partition("/")[0]
    return {"root": "root user", "policy": "managed policy"}.get(kind, kind if kind in ("user", "group") else "role")


def _excluded(data: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Tell what exclusions cover, and which of them are past their end, by their reason."""
    for row in data.get("excluded", ()):
        until = f"until {row['until']}" if row.get("until") else "without an end"
        finding = row["finding"]
        yield {
            "subject": f"{finding['kind']} {finding['principal']}",
            "reason": f"excluded {until} by {row['by']}: {row['reason']}",
        }
    for rule in data.get("exclusions", ()):
        if rule["state"] == "expired":
            yield {
                "subject": f"{rule['findings']} findings",
                "reason": f"no longer excluded since {rule['until']} by {rule['by']}: {rule['reason']}",
            }


def _counts(permissions: Sequence[Mapping[str, Any]], recommendations: Sequence[Mapping[str, Any]]) -> Counts:
    """Count the classes; where the permissions are not listed, take the largest counts of the recommendations."""
    if permissions:
        classes: Counter[str] = Counter()
        for permission in permissions:
            classes[permission["class"]] += _stands_for(permission)
        return Counts(**{name: classes[name] for name in CLASSES})
    return Counts(**{
        name: max((r["permissions"][name] for r in recommendations), default=0) for name in CLASSES
    })  # fmt: skip


def _disposition(recommendations: Iterable[Mapping[str, Any]]) -> Disposition:
    found = {r["disposition"] for r in recommendations}
    if not found:
        return "none"
    if len(found) == 2:
        return "mixed"
    return "safe" if found == {"safe"} else "unsafe"


def _busiest_first(permission: Mapping[str, Any]) -> tuple[int, str]:
    return -permission.get("calls", 0), permission["action"]


def _groups(permissions: Iterable[Mapping[str, Any]]) -> tuple[Group, ...]:
    """Gather what was not used by class, service and reason; undetermined and kept first, they need a reader."""
    found: defaultdict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for permission in permissions:
        if permission["class"] != "used":
            service = permission["action"].partition(":")[0]
            found[permission["class"], service, permission["reason"]].append(permission)
    groups = [
        Group(*key, count=sum(map(_stands_for, rows)), actions=tuple(sorted(p["action"] for p in rows)[:NAMED]))
        for key, rows in found.items()
    ]
    order = ("kept", "undetermined", "unused")
    return tuple(sorted(groups, key=lambda g: (order.index(g.cls), -g.count, g.service, g.reason)))


def _stands_for(permission: Mapping[str, Any]) -> int:
    """Return how many actions a row stands for: broad grants are told by service."""
    count: int = permission.get("count", 1)
    return count


def _total(principals: Iterable[PrincipalView]) -> Counts:
    total = Counts()
    for one in principals:
        total += one.counts
    return total


def _levels(
    permissions: Iterable[Mapping[str, Any]], access_level: Callable[[str], str | None]
) -> tuple[tuple[str, int], ...]:
    """Count actions by access level; a row that stands for several tells its levels itself, or is counted apart."""
    counted: Counter[str] = Counter()
    for permission in permissions:
        told = permission.get("levels") or {access_level(permission["action"]) or LEVELS[-1]: _stands_for(permission)}
        for name, times in told.items():
            levels = name.split(", ")  # an action may have two: the graver counts
            counted[next((level for level in LEVELS if level in levels), LEVELS[-1])] += times
    return tuple((level, counted[level]) for level in LEVELS if counted[level])


def _kinds(findings: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str, int], ...]:
    """Count findings by kind and severity, the gravest first."""
    counted = Counter((f["severity"], f["kind"]) for f in findings)
    keys = sorted(counted, key=lambda k: (SEVERITIES.index(k[0]), -counted[k], k[1]))
    return tuple((kind, severity, counted[severity, kind]) for severity, kind in keys)


def _by_reason(unassessed: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in unassessed:
        found[one["reason"]].add(one["subject"])
    return tuple((reason, tuple(sorted(found[reason]))) for reason in sorted(found, key=lambda r: (-len(found[r]), r)))


def _coverage(data: Mapping[str, Any]) -> Iterable[CoverageRow]:
    first = date.fromisoformat(data["window"]["from"])
    days = data["window"]["days"]
    for row in sorted(
        data["coverage"],
        key=lambda r: (r["account"], r["category"] != "Management", r.get("data_type") or "", r["region"]),
    ):
        gaps = tuple(sorted(row.get("gaps", ())))
        logged = _logged_days(row, first, days, gaps)
        yield CoverageRow(
            account=row["account"],
            region=row["region"],
            what=row.get("data_type") or f"{row['category']} events",
            days_seen=row.get("days_seen", len(logged)),
            days_asked=row.get("days_asked", days),
            gaps=gaps,
            spans=_spans(logged, days),
        )


def _logged_days(row: Mapping[str, Any], first: date, days: int, gaps: Sequence[str]) -> list[int]:
    start = date.fromisoformat(row["first_day"]) if "first_day" in row else first
    end = date.fromisoformat(row["last_day"]) if "last_day" in row else first + timedelta(days=days - 1)
    without = {(date.fromisoformat(gap) - first).days for gap in gaps}
    inside = range(max(0, (start - first).days), min(days - 1, (end - first).days) + 1)
    return [day for day in inside if day not in without]


def _spans(logged: Sequence[int], days: int) -> tuple[tuple[float, float], ...]:
    """Return runs of days as (start, width) in per mille of the window."""
    runs: list[list[int]] = []
    for day in logged:
        if runs and runs[-1][1] == day:
            runs[-1][1] = day + 1
        else:
            runs.append([day, day + 1])
    return tuple((round(1000 * a / days, 2), round(1000 * (b - a) / days, 2)) for a, b in runs)
