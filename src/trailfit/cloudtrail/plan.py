"""Compile, once per distinct (event source, event name), which actions an event needs and how their ARNs are found.

Look-up order: alias → explicit rules → the catalogue's action of that name → unknown (said, counted, never guessed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog import actions, rules
from trailfit.cloudtrail.arns import Source, TypeExpr, finder, keys_of, most_specific, template, type_expr
from trailfit.cloudtrail.conditions import condition
from trailfit.cloudtrail.event import Use
from trailfit.cloudtrail.names import operation as operation_of
from trailfit.cloudtrail.paths import values
from trailfit.cloudtrail.resource_texts import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trailfit.cloudtrail.conditions import Condition


#: What a use's basis says of a resource that ``resources[]`` names.
LISTED = "arn: resources[]"
#: Sets of request keys that a plan remembers.
_KEY_SETS = 256


@dataclass(frozen=True, slots=True)
class Need:
    """One action that the event needs when `when` holds, and how its resources are found.

    `context` holds condition keys that every such event proves, `proves` those whose values its request gives.
    """

    action: str
    role: str
    when: Condition | None
    resources: Resources
    basis: str
    context: tuple[tuple[str, str], ...]
    proves: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a (source, name) means. `unknown` says why no action could be told; `free` that none is needed."""

    service: str
    operation: str
    needs: tuple[Need, ...]
    free: bool
    unknown: str | None
    data_types: tuple[str, ...] = ()
    _by_keys: dict[tuple[str, ...], tuple[Need, ...]] = field(default_factory=dict, compare=False, repr=False)
    _listing: list[tuple[str, re.Pattern[str], int]] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        needs: dict[tuple[str, re.Pattern[str]], int] = {}
        for at, need in enumerate(self.needs):
            if need.resources.lists and need.resources.known is not None:
                key = (need.resources.holds, need.resources.known)
                needs[key] = needs.get(key, 0) | 1 << at
        self._listing.extend((*key, bits) for key, bits in needs.items())

    def _fitting(self, request: object) -> tuple[Need, ...]:
        """Leave out the needs that a request with such keys cannot have, and the terms that its keys settle."""
        if not isinstance(request, dict):
            return self.needs
        keys: tuple[str, ...] = tuple(request)
        items = request.get("items")
        if isinstance(items, list):
            if not all(isinstance(item, str) for item in items):
                return self.needs
            # Paths go through the list, where nothing of this kind has keys.
            keys = ()
        found = self._by_keys.get(keys)
        if found is None:
            if len(self._by_keys) >= _KEY_SETS:
                self._by_keys.clear()
            found = self._by_keys[keys] = tuple(_given(self.needs, frozenset(key.lower() for key in keys)))
        return found

    def reads(self, listed: int = 0) -> tuple[frozenset[str], frozenset[str]]:
        """List the lower-case keys of a request whose values its uses hang on; apart, those whose texts are copied.

        A copied text is put into ARNs as it is, wherever it is not empty and does not begin as an ARN does. Besides,
        uses hang on what keys there are at all, on how the request is nested, and on texts that are ARNs. The needs
        whose bits `listed` has find their resources in ``resources[]``: see `takers`.
        """
        decide: set[str] = set()
        named: set[str] = set()
        for at, need in enumerate(self.needs):
            decide.update(need.when.reads if need.when else (), *(map(str.lower, path) for _, path in need.proves))
            if not listed >> at & 1:
                decide.update(need.resources.inspects)
                named.update(need.resources.reads)
        return frozenset(decide), frozenset(named - decide)

    @property
    def is_constant(self) -> bool:
        """Tell whether every request has the same uses."""
        return all(need.when is None and not need.proves and need.resources.fixed for need in self.needs)

    @property
    def lists(self) -> bool:
        """Tell whether uses may hang on ``resources[]``."""
        return any(need.resources.lists for need in self.needs)

    def takers(self, arn: str) -> int:
        """Tell which of its needs take an ARN of ``resources[]``: a bit each. Uses hang on nothing else of it."""
        found = 0
        for holds, known, needs in self._listing:
            if holds in arn and _is_taken(known, arn):
                found |= needs
        return found

    def uses(self, source: Source, resource_arns: Sequence[str]) -> tuple[Use, ...]:
        """List the uses of one event: `resource_arns` are those of its ``resources[]``."""
        out: list[Use] = []
        for need in self._fitting(source.request):
            if need.when is not None and not need.when(source.request):
                continue
            arns, how = need.resources.find(source, resource_arns)
            context = need.context
            if need.proves:
                context += tuple((key, text) for key, path in need.proves for text in values(source.request, path))
            out += [Use(need.action, arn, need.role, f"{need.basis}; {how}", context) for arn in arns]
        return tuple(out) if len(out) < 2 else tuple(dict.fromkeys(out))


def _given(needs: tuple[Need, ...], keys: frozenset[str]) -> Iterator[Need]:
    for need in needs:
        left = need.when and need.when.given(keys)
        if need.when is None or left is not None:
            yield replace(need, when=left if left and left.terms else None)


@dataclass(frozen=True, slots=True)
class Resources:
    """How the ARNs of one action's resources are found.

    `types` are what the action takes; `explicit` came from a rule; `fixed` is a pattern with its reason; `own_first`
    puts the request before ``resources[]`` (a copy has two objects there); `reads` are the lower-case keys of a request
    that are looked for, `inspects` those of them whose texts are not just copied. `holds` is a text that every ARN of a
    `known` form holds.
    """

    types: tuple[TypeExpr, ...]
    extra: tuple[Callable[[Source], list[str]], ...]
    fixed: tuple[str, str] | None
    own_first: bool
    known: re.Pattern[str] | None
    reads: frozenset[str] = frozenset()
    inspects: frozenset[str] = frozenset()
    holds: str = ""

    def find(self, source: Source, resource_arns: Sequence[str]) -> tuple[list[str], str]:
        """List ARNs (or patterns) and say where they come from."""
        if self.fixed:
            return [self.fixed[0]], f"*: {self.fixed[1]}"
        if resource_arns and not self.own_first and (listed := self._listed(resource_arns)):
            return listed, LISTED
        found = [arn for find in self.extra for arn in find(source)]
        if found:
            return list(dict.fromkeys(found)), "arn: request"
        built = [(expr, arns) for expr in self.types if (arns := expr.arns(source))]
        if source.request is None or source.request == {}:
            return ["*"], "*: the record has no request parameters"
        found = most_specific(built) or self._listed(source.arns())
        done = [expr.template.text for expr, _ in built]
        needed = [e for e in self.types if e.required and not any(text.startswith(e.template.text) for text in done)]
        whole = [] if found and not built else [arn for expr in needed for arn in expr.unknown(source)]
        if found:
            return list(dict.fromkeys(found + whole)), "arn: request"
        if whole:
            return whole, "pattern: the request does not name it"
        return ["*"], "*: the request names none of the resource types that the action takes"

    def _listed(self, resource_arns: Sequence[str]) -> list[str]:
        """Keep the ARNs of ``resources[]`` whose most literal template is of a type that the action takes."""
        if self.known is None:
            return []
        out = [arn for arn in resource_arns if _is_taken(self.known, arn)]
        return out if len(out) < 2 else list(dict.fromkeys(out))

    @property
    def lists(self) -> bool:
        """Tell whether ARNs of ``resources[]`` that fit are its resources, whatever the request says."""
        return self.known is not None and not self.own_first


def _is_taken(known: re.Pattern[str], arn: str) -> bool:
    found = known.fullmatch(arn)
    return found is not None and bool(found.lastindex)


@lru_cache(maxsize=16384)
def plan(service: str, event_name: str) -> Plan:
    """Compile the meaning of an event name under an IAM prefix (as ``names.prefixes`` gives it)."""
    operation = operation_of(service, event_name)
    data_types = rules.data_events().get((service, operation.lower()), ())
    found = rules.rules_of(service, operation)
    if any(not rule.action for rule in found):
        return Plan(service, operation, (), True, None, data_types)
    needs: list[Need] = []
    if not any(rules.decides(rule) for rule in found):
        own = actions.canonical(f"{service}:{operation}")
        if own is None:
            why = f"no catalogue action for {service}:{operation}"
            return Plan(service, operation, (), False, why, data_types)
        needs.append(Need(own, "required", None, _resources(own, operation, ""), f"name:{own}", ()))
    needs += [_need(service, operation, rule) for rule in found]
    needs += _passed(service, operation)
    return Plan(service, operation, tuple(needs), False, None, data_types)


def _need(service: str, operation: str, rule: rules.EventRule) -> Need:
    pairs = [pair.split("=", 1) for pair in rule.context.split()]
    return Need(
        rule.action,
        rule.role,
        condition(rule.when),
        _resources(rule.action, operation, rule.resource),
        f"rule:{service}:{rule.event_name}",
        tuple((key, value) for key, value in pairs if not value.startswith("$")),
        tuple((key, tuple(value[1:].split("."))) for key, value in pairs if value.startswith("$")),
    )


def _passed(service: str, operation: str) -> list[Need]:
    """Find the iam:PassRole of an operation whose request names a role, or an instance profile."""
    row = rules.pass_roles().get((service, operation.lower()))
    if row is None:
        return []
    context = tuple(("iam:PassedToService", to) for to in row.passed_to) if len(row.passed_to) == 1 else ()
    texts = [(path, f"!role(RoleNameWithPath={path})") for path in row.paths]
    texts += [(path, "*(the role of an instance profile is not in the record)") for path in row.profile_paths]
    return [
        Need(
            "iam:PassRole",
            "conditional",
            condition(path),
            _resources("iam:PassRole", operation, text),
            f"pass_role:{service}:{operation}",
            context,
        )
        for path, text in texts
    ]


def _resources(action: str, operation: str, text: str) -> Resources:
    service = action.partition(":")[0]
    taken = actions.resource_types(action)
    alone = len(taken) == 1
    given = parse(text)
    if given.fixed:
        return Resources((), (), given.fixed, True, None)
    if not taken and not given.types and not given.paths:
        return Resources((), (), ("*", "the action takes no resource type"), True, None)
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
    paths: frozenset[str] = frozenset().union(*(keys_of(path) for path, _ in given.paths))
    reads = paths.union(*(expr.reads for expr in types))
    inspects = paths.union(*(expr.inspects for expr in types))
    return Resources(
        types, extra, None, given.own_first, _known(service, types), reads, inspects, _holds(service, types)
    )


def _arn(templates: dict[str, str], name: str) -> str:
    """Give the ARN template of a rule's resource type, which may be written out itself."""
    return name if name.startswith("arn:") else templates[name.lower()]


def _holds(service: str, own: tuple[TypeExpr, ...]) -> str:
    """Find the text that every ARN of `_known` holds: the service's part of them, where they have one in common."""
    texts = [*actions.templates_of(service).values(), *(expr.template.text for expr in own)]
    services = {text.split(":")[2] if text.count(":") > 2 else "$" for text in texts}
    return "" if len(services) != 1 or "$" in "".join(services) else f":{services.pop()}:"


def _known(service: str, own: tuple[TypeExpr, ...]) -> re.Pattern[str] | None:
    """Compile the ARNs of a service's resource types, the most literal template first; those of `own` are groups."""
    mine = {expr.kind.lower() for expr in own}
    templates = [(template(arn), False) for name, arn in actions.templates_of(service).items() if name not in mine]
    templates += [(expr.template, True) for expr in own]
    templates.sort(key=lambda pair: (-pair[0].literal, not pair[1], pair[0].text))
    if not own:
        return None
    texts = (f"({'' if taken else '?:'}{one.pattern.pattern})" for one, taken in templates)
    return re.compile("|".join(texts), re.DOTALL)
