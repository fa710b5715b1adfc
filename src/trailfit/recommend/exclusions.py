"""What is left alone, and why: rules of the configuration, and tags on roles and users.

Each has a reason and an end, compared with the window's last day, never with a clock. Nothing is dropped in silence:
what an exclusion covers is listed as excluded, what one no longer covers says so. Break-glass and disaster-recovery
roles are known by a tag (``trailfit:keep``) or a rule; a name alone only asks.

IAM takes letters, digits, spaces and ``_ . : / = + - @`` in a tag's value, so a tag is written
``UnusedIAMRole+SharedRole until=2026-12-31 reason=…``, or ``all until=2026-12-31``; ``*``, ``,``, ``;`` are read too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from trailfit.catalog.risks import kinds
from trailfit.model import ExcludedFinding, Unassessed
from trailfit.recommend.granted import listed, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.model import AttachedPolicy, Finding, Principal
    from trailfit.recommend.classify import Judged
    from trailfit.recommend.granted import Via

EXEMPT, KEEP = "trailfit:exempt", "trailfit:keep"
#: What a principal may be kept for, though it is hardly ever used.
PURPOSES = ("break-glass", "disaster-recovery")
#: What such a purpose explains: that it is not used, and grants much. Who may wear it is still looked at.
_EXPLAINED = (
    "UnusedIAMRole", "UnusedIAMUser", "UnusedIAMUserAccessKey", "UnusedIAMUserPassword", "UnusedPermission",
    "WildcardAction", "WildcardResource", "AllowNotAction", "AllowNotResource", "AWSManagedPolicy",
    "PassRoleOnAnyRole", "PrivilegeEscalation", "ConfirmPurpose",
)  # fmt: skip
_FIELDS = re.compile(r"[;\s]+(?=(?:until|reason)=)|[;\s]+(?=[;\s]*$)")
_KINDS = re.compile(r"[,+/\s]+")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One rule: whom and what it covers, why, and until when. What is None does not narrow it.

    `principal` is a glob over ARNs, `path` the beginning of a path, `tag` a glob over ``key=value``; `sid` and `action`
    narrow it to statements and permissions. `until` None: it holds as long as its `purpose` is declared.
    """

    by: str
    reason: str
    until: date | None
    kinds: tuple[str, ...] = ("*",)
    principal: str | None = None
    path: str | None = None
    tag: str | None = None
    sid: str | None = None
    action: str | None = None
    purpose: str | None = None

    def is_about(self, subject: str, principal: Principal | None) -> bool:
        """Tell whether the rule is about this role, user, group or policy; only roles and users have path and tags."""
        if self.principal is not None and not fnmatchcase(subject, self.principal):
            return False
        if self.path is not None and not (principal and principal.path.startswith(self.path)):
            return False
        tags = principal.tags.items() if principal else ()
        return self.tag is None or any(fnmatchcase(f"{key}={value}", self.tag) for key, value in tags)

    def explains(self, kind: str) -> bool:
        """Tell whether the rule takes findings of this kind out."""
        return kind in _EXPLAINED if self.purpose else any(fnmatchcase(kind, each) for each in self.kinds)


class Exclusions:
    """The exclusions of one run: those of the configuration and of tags, in force or past their end."""

    def __init__(self, rules: Iterable[Exclusion], principals: Iterable[Principal], end: date) -> None:
        self.problems: list[Unassessed] = []
        self._end = end
        self._principals = {each.arn: each for each in principals}
        self._rules = tuple(rules)
        self._tags = {
            arn: tuple(_of_tags(each, self.problems)) for arn, each in sorted(self._principals.items()) if each.tags
        }
        self._covered: Counter[Exclusion] = Counter()

    def _about(self, subject: str) -> list[Exclusion]:
        rules = [each for each in self._rules if each.is_about(subject, self._principals.get(subject))]
        return [*rules, *self._tags.get(subject, ())]

    def holds(self, rule: Exclusion) -> bool:
        """Tell whether a rule is in force on the window's last day."""
        return rule.until is None or rule.until >= self._end

    def of_finding(self, finding: Finding) -> Exclusion | None:
        """Give the rule in force that covers a finding, or None."""
        return next((each for each in self._about(finding.principal) if self._covers(each, finding)), None)

    def _covers(self, rule: Exclusion, finding: Finding, *, whatever_its_end: bool = False) -> bool:
        if not (whatever_its_end or self.holds(rule)) or not rule.explains(finding.kind):
            return False
        if rule.sid is not None and finding.evidence.get("statement") != rule.sid:
            return False
        patterns = listed(finding.evidence.get("patterns"))
        return rule.action is None or (
            bool(patterns) and all(fnmatchcase(str(each).lower(), rule.action.lower()) for each in patterns)
        )

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[ExcludedFinding]]:
        """Part findings into those to act on and those excluded."""
        active: list[Finding] = []
        excluded: list[ExcludedFinding] = []
        for finding in findings:
            rule = self.of_finding(finding)
            if rule is None:
                active.append(finding)
                self._covered.update(
                    each
                    for each in self._about(finding.principal)
                    if not self.holds(each) and self._covers(each, finding, whatever_its_end=True)
                )
            else:
                self._covered[rule] += 1
                excluded.append(ExcludedFinding(finding, rule.by, rule.reason, rule.until))
        return active, excluded

    def spared(self, principal: Principal) -> dict[tuple[str, int], str]:
        """Map the statements that stay as they are to the reason: (the policy's ARN or name, place).

        A rule that covers ``UnusedPermission`` spares them: all of the principal's, or those with its Sid.
        """
        rules = [each for each in self._sparing(principal) if each.action is None]
        return {
            (key_of(policy), index): told_of(rule)
            for policy in principal.policies
            for index, written in enumerate(statements(policy))
            for rule in [next((each for each in rules if each.sid in (None, written.get("Sid"))), None)]
            if rule is not None
        }

    def keep(
        self,
        principal: Principal,
        judged: Mapping[str, Judged],
        ways: Mapping[str, Sequence[Via]],
        spared: Mapping[tuple[str, int], str],
    ) -> dict[str, Judged]:
        """Keep what an exclusion covers: actions that a rule names, and what spared statements grant and nobody used.

        A named action keeps all of its resources, also when it was used on some only.
        """
        named = [each for each in self._sparing(principal) if each.action is not None]
        if not named and not spared:
            return dict(judged)
        found = dict(judged)
        for action, each in judged.items():
            rule = next((one for one in named if _names(one, action, ways[action])), None)
            through = [spared.get((key_of(way.policy), way.statement)) for way in ways[action]] if spared else []
            reason = told_of(rule) if rule else next((why for why in through if why), None)
            if reason and (rule or each.permission.cls in ("unused", "undetermined")):
                permission = replace(each.permission, cls="kept", reason=reason)
                found[action] = replace(each, permission=permission, carried=True, risk=None, in_vain=False)
        return found

    def _sparing(self, principal: Principal) -> list[Exclusion]:
        about = self._about(principal.arn)
        return [each for each in about if self.holds(each) and each.explains("UnusedPermission")]

    def told(self) -> tuple[Mapping[str, Any], ...]:
        """Tell of each exclusion: its reason, its end, whether it is in force, how many findings it covers."""
        rules = [*self._rules, *(rule for rules in self._tags.values() for rule in rules)]
        return tuple(
            {
                "by": rule.by,
                "reason": rule.reason,
                "until": rule.until.isoformat() if rule.until else None,
                "state": "in force" if self.holds(rule) else "expired",
                "findings": self._covered[rule],
            }
            for rule in rules
        )


def key_of(policy: AttachedPolicy) -> str:
    """Name a policy among those of one principal."""
    return policy.arn or policy.name


def told_of(rule: Exclusion) -> str:
    """Say why a rule keeps something."""
    return f"excluded by {rule.by}: {rule.reason}"


def _names(rule: Exclusion, action: str, ways: Sequence[Via]) -> bool:
    """Tell whether a rule is about an action, where it is narrowed to a Sid as granted there."""
    if not fnmatchcase(action.lower(), (rule.action or "*").lower()):
        return False
    return rule.sid is None or any(statements(way.policy)[way.statement].get("Sid") == rule.sid for way in ways)


def _of_tags(principal: Principal, problems: list[Unassessed]) -> Iterable[Exclusion]:
    """Read the tags of one principal; what cannot be read excludes nothing, and is told."""
    value = principal.tags.get(KEEP)
    if value in PURPOSES:
        yield Exclusion(f"tag {KEEP}", f"declared as {value}", None, principal=principal.arn, purpose=value)
    elif value is not None:
        problems.append(
            Unassessed(principal.arn, f"its tag {KEEP} says `{value}`: one of {', '.join(PURPOSES)} is meant")
        )
    value = principal.tags.get(EXEMPT)
    if value is not None:
        try:
            yield _exempt(value, principal.arn)
        except ValueError as problem:
            problems.append(Unassessed(principal.arn, f"its tag {EXEMPT} excludes nothing: {problem}"))


def _exempt(value: str, arn: str) -> Exclusion:
    """Read ``<kinds> until=<day> [reason=…]``. Raises ValueError where it cannot be meant."""
    head, *rest = _FIELDS.split(value.strip())
    named = tuple(each for each in _KINDS.split(head.strip(" ;")) if each)
    wrong = unknown_kinds(named)
    if not named or wrong:
        raise ValueError(f"`{wrong[0] if wrong else head}` is no kind of finding")
    fields = dict(each.partition("=")[::2] for each in rest if "=" in each)
    try:
        until = date.fromisoformat(fields["until"].strip(" ;"))
    except KeyError:
        raise ValueError("it has no until=YYYY-MM-DD") from None
    except ValueError:
        raise ValueError(f"`{fields['until']}` is no day (YYYY-MM-DD)") from None
    reason = fields.get("reason", "").strip() or "no reason is given"
    return Exclusion(f"tag {EXEMPT}", reason, until, kinds=as_globs(named), principal=arn)


def unknown_kinds(named: Sequence[str]) -> list[str]:
    """List the globs that name no kind of finding."""
    return [each for each in as_globs(named) if not any(fnmatchcase(kind, each) for kind in kinds())]


def as_globs(named: Sequence[str]) -> tuple[str, ...]:
    """Read ``all`` as ``*``."""
    return tuple("*" if each == "all" else each for each in named)
