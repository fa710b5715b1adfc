"""Compile, once per distinct (event source, event name), which actions an event needs and how their ARNs are found.

Look-up order: alias → explicit rules → the catalogue's action of that name → unknown (said, counted, never guessed).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog import actions, rules
from trailfit.cloudtrail.arns import Source, TypeExpr, finder, most_specific, template, type_expr
from trailfit.cloudtrail.conditions import condition
from trailfit.cloudtrail.event import Use
from trailfit.cloudtrail.resource_texts import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trailfit.cloudtrail.conditions import Condition


@dataclass(frozen=True, slots=True)
class Need:
    """One action that the event needs when `when` holds, and how its resources are found."""

    action: str
    role: str
    when: Condition | None
    resources: Resources
    basis: str
    context: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a (source, name) means. `unknown` says why no action could be told; `free` that none is needed."""

    service: str
    operation: str
    needs: tuple[Need, ...]
    free: bool
    unknown: str | None
    reads_response: bool = False

    def uses(self, source: Source, resource_arns: Sequence[str]) -> tuple[Use, ...]:
        """List the uses of one event: `resource_arns` are those of its ``resources[]``."""
        out: list[Use] = []
        for need in self.needs:
            if need.when is not None and not need.when(source.request):
                continue
            arns, how = need.resources.find(source, resource_arns)
            out += [Use(need.action, arn, need.role, f"{need.basis}; {how}", need.context) for arn in arns]
        return tuple(dict.fromkeys(out))


@dataclass(frozen=True, slots=True)
class Resources:
    """How the ARNs of one action's resources are found.

    `types` are what the action takes; `explicit` came from a rule; `fixed` is a pattern with its reason; `own_first`
    puts the request before ``resources[]`` (a copy has two objects there).
    """

    types: tuple[TypeExpr, ...]
    extra: tuple[Callable[[Source], list[str]], ...]
    fixed: tuple[str, str] | None
    own_first: bool
    known: tuple[tuple[TypeExpr, bool], ...]

    def find(self, source: Source, resource_arns: Sequence[str]) -> tuple[list[str], str]:
        """List ARNs (or patterns) and say where they come from."""
        if self.fixed:
            return [self.fixed[0]], f"*: {self.fixed[1]}"
        if resource_arns and not self.own_first and (listed := self._listed(resource_arns)):
            return listed, "arn: resources[]"
        found = [arn for find in self.extra for arn in find(source)]
        built = [(expr, arns) for expr in self.types if (arns := expr.arns(source))]
        found += most_specific(built)
        if source.request is None or source.request == {}:
            return (found, "arn: response") if found else (["*"], "*: the record has no request parameters")
        done = {expr.kind for expr, _ in built}
        open_types = [expr for expr in self.types if expr.required and expr.kind not in done]
        if found:
            extended = {expr.template.text for expr, _ in built}
            rest = [e for e in open_types if not any(text.startswith(e.template.text) for text in extended)]
            whole = [e.unknown(source) for e in rest]
            return list(dict.fromkeys(found + whole)), "arn: request"
        if open_types or len(self.types) == 1:
            some = open_types or list(self.types)
            return [e.unknown(source) for e in some], "pattern: the request does not name it"
        return ["*"], "*: the request names none of the resource types that the action takes"

    def _listed(self, resource_arns: Sequence[str]) -> list[str]:
        """Keep the ARNs of ``resources[]`` whose most literal template is of a type that the action takes."""
        out = []
        for arn in resource_arns:
            match = next(((expr, own) for expr, own in self.known if expr.template.pattern.fullmatch(arn)), None)
            if match and match[1]:
                out.append(arn)
        return list(dict.fromkeys(out))


@lru_cache(maxsize=16384)
def plan(service: str, operation: str) -> Plan:
    """Compile the meaning of an operation of an IAM prefix (both as ``names.resolve`` gives them)."""
    found = rules.rules_of(service, operation)
    if any(not rule.action for rule in found):
        return Plan(service, operation, (), True, None)
    needs: list[Need] = []
    if not any(rules.decides(rule) for rule in found):
        own = actions.canonical(f"{service}:{operation}")
        if own is None:
            return Plan(service, operation, (), False, f"no catalogue action for {service}:{operation}")
        needs.append(Need(own, "required", None, _resources(own, operation, ""), f"name:{own}", ()))
    for rule in found:
        needs.append(
            Need(
                rule.action,
                rule.role,
                condition(rule.when),
                _resources(rule.action, operation, rule.resource),
                f"rule:{service}:{rule.event_name}",
                tuple(tuple(pair.split("=", 1)) for pair in rule.context.split()),  # type: ignore[misc]
            )
        )
    needs += _passed(service, operation)
    reads = any("$response." in rule.resource for rule in found)
    return Plan(service, operation, tuple(needs), False, None, reads)


def _passed(service: str, operation: str) -> list[Need]:
    """The iam:PassRole of an operation whose request names a role."""
    row = rules.pass_roles().get((service, operation.lower()))
    if row is None:
        return []
    context = tuple(("iam:PassedToService", to) for to in row.passed_to) if len(row.passed_to) == 1 else ()
    needs = []
    for path in row.paths:
        resources = _resources("iam:PassRole", operation, f"!role(RoleNameWithPath={path})")
        needs.append(
            Need("iam:PassRole", "conditional", condition(path), resources, f"pass_role:{service}:{operation}", context)
        )
    return needs


def _resources(action: str, operation: str, text: str) -> Resources:
    service = action.partition(":")[0]
    taken = actions.resource_types(action)
    alone = len(taken) == 1
    given = parse(text)
    if given.fixed:
        return Resources((), (), given.fixed, True, ())
    if not taken and not given.types and not given.paths:
        return Resources((), (), ("*", "the action takes no resource type"), True, ())
    if given.types:
        required = not given.alternatives
        templates = actions.templates_of(service)
        types = tuple(
            type_expr(service, operation, actions.ResourceType(name, _arn(templates, name), required), True, bound)
            for name, bound in given.types
        )
    elif given.paths:
        types = ()
    else:
        types = tuple(type_expr(service, operation, kind, alone, {}) for kind in taken)
    extra = tuple(finder(path, change) for path, change in given.paths)
    return Resources(types, extra, None, given.own_first, _known(service, operation, types))


def _arn(templates: dict[str, str], name: str) -> str:
    """The ARN template of a rule's resource type, which may be written out itself."""
    return name if name.startswith("arn:") else templates[name.lower()]


def _known(service: str, operation: str, own: tuple[TypeExpr, ...]) -> tuple[tuple[TypeExpr, bool], ...]:
    """The service's resource types, the most literal template first, each with whether the action takes it."""
    mine = {expr.kind.lower() for expr in own}
    others = [
        TypeExpr(name, template(arn), (), False) for name, arn in actions.templates_of(service).items() if name not in mine
    ]
    everything = [(expr, True) for expr in own] + [(expr, False) for expr in others]
    return tuple(sorted(everything, key=lambda pair: (-pair[0].template.literal, not pair[1], pair[0].kind)))
