"""The ARNs that a use of an action was on: from `resources[]`, else from the request, else `*` with its reason.

An ARN template of the catalogue (``arn:${Partition}:sqs:${Region}:${Account}:${QueueName}``) is filled from request
parameters: those that ``catalog/resource_parameters.csv`` names, else those whose name matches the variable's. What
stays unknown becomes ``*`` in its place, so that the pattern always covers what was called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING

from trailfit.catalog import actions, rules
from trailfit.catalog.tables import rows
from trailfit.cloudtrail.paths import leaves, values
from trailfit.cloudtrail.transforms import Place, transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: How a variable is found: the texts that a record gives for it, none where it tells nothing.
    Finder = Callable[["Source"], list[str]]

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_PLACE = {"Partition", "Region", "Account"}
_MAX_ARNS = 1000
#: Endings that AWS's templates put on a variable to say how it is written, not what it is.
_ENDINGS = re.compile(r"(WithPath|WithoutLeadingSlash|ResourceId)\Z")
_GENERIC = frozenset(
    {"name", "id", "identifier", "arn", "resourceid", "resourcename", "resourcearn", "resource", "uuid", "token"}
)


@cache
def partition_of(region: str) -> str:
    """Name the partition of a region (``cn-north-1`` → ``aws-cn``)."""
    return next((row["partition"] for row in rows("partitions") if region.startswith(row["region_prefix"])), "aws")


@dataclass(frozen=True, slots=True)
class Template:
    """An ARN template: literal text and variables by turns, and a pattern for ARNs of its form."""

    text: str
    parts: tuple[str, ...]
    variables: tuple[str, ...]
    pattern: re.Pattern[str]
    literal: int


@lru_cache(maxsize=8192)
def template(text: str) -> Template:
    """Compile an ARN template.

    In its pattern a variable right after the account takes no slash or colon (a bucket is no object), a last one takes
    anything (a role's path, an object's key), another stops at the text that follows it.
    """
    parts = _VARIABLE.split(text)
    names = tuple(name for name in parts[1::2] if name not in _PLACE)
    pattern = ""
    own = 0
    for at, part in enumerate(parts):
        if at % 2 == 0:
            pattern += re.escape(part)
        elif part in _PLACE:
            pattern += "[^:]*"
        else:
            own += 1
            last = own == len(names)
            bare = pattern.endswith((":[^:]*:", "::"))
            pattern += "[^/:]+" if bare else ".+" if last and not any(parts[at + 1 :]) else ".+?"
    literal = sum(len(part) for part in parts[0::2])
    return Template(text, tuple(parts), names, re.compile(pattern, re.DOTALL), literal)


@dataclass(frozen=True, slots=True)
class Source:
    """What one record offers to build ARNs from. `leaves` of the request are made when first asked for."""

    place: Place
    request: object
    response: object
    _leaves: list[dict[str, list[str]]]

    @classmethod
    def of(cls, place: Place, request: object, response: object) -> Source:
        """Gather a record's parts."""
        return cls(place, request, response, [])

    def leaves(self) -> dict[str, list[str]]:
        """Index the request's texts by key."""
        if not self._leaves:
            self._leaves.append(leaves(self.request))
        return self._leaves[0]

    def arns(self) -> list[str]:
        """List the request's texts that are ARNs."""
        return [text for texts in self.leaves().values() for text in texts if text.startswith("arn:")]


def keys_of(path: str) -> frozenset[str]:
    """List the lower-case keys of the request that a rule's path goes through."""
    return frozenset() if path.startswith(("'", "$response.")) else frozenset(path.lower().split("."))


def finder(path: str, change: str) -> Finder:
    """Compile a path and its transform: ``$response.`` looks there, ``'text`` is the text itself."""
    if path.startswith("'"):
        return lambda _source: [path[1:]]
    in_response = path.startswith("$response.")
    keys = tuple(path.removeprefix("$response.").split("."))
    apply = transform(change)

    def find(source: Source) -> list[str]:
        found = values(source.response if in_response else source.request, keys)
        changed = (apply(text, source.place) for text in found)
        return [text for text in changed if text]

    return find


def _spelled(variable: str) -> str:
    """Spell a variable as requests do; empty for one that any type has."""
    return "" if variable.lower() in _GENERIC else variable[:1].lower() + variable[1:]


def _by_name(names: Sequence[str], spelled: str) -> Finder:
    """Compile a look-up by key alone, best name first; `spelled` is tried before all, and on top only."""

    def find(source: Source) -> list[str]:
        if spelled and isinstance(source.request, dict):
            value = source.request.get(spelled)
            if value and isinstance(value, str):
                return [value]
        index = source.leaves()
        for name in names:
            found = index.get(name)
            if found:
                return [text for text in found if text]
        return []

    return find


_ID_LIKE = re.compile(r"(id|uuid|token|identifier|arn|label)\Z")


@cache
def candidates(operation: str, kind: str, variable: str, alone: bool) -> tuple[str, ...]:
    """List the lower-case parameter names that may hold a template's variable, best first.

    ``FunctionName`` → functionname, functionidentifier, functionarn, …; bare ``name`` or ``id`` only where the
    operation's own name mentions the type, or the action takes no other. An identifier is never filled from a name: of
    what is being created the request knows the name, IAM asks for the identifier.
    """
    own = re.sub(r"[^a-z0-9]", "", kind.lower())
    name = _ENDINGS.sub("", variable).lower() or own
    stem = re.sub(r"(name|id|identifier|arn)\Z", "", name)
    out: list[str] = []
    generic = name in _GENERIC or not stem
    stems = [stem] if not generic else []
    if generic or len(own) > 4:
        stems.append(own)
    if not generic:
        out += [name, f"{name}s"]
    identifier = bool(_ID_LIKE.search(name)) or generic
    endings = ["identifier", "id", "arn"] if identifier else ["identifier", "name", "id", "arn", ""]
    if generic and name in ("name", "resourcename"):
        endings = ["name", "identifier", "arn", ""]
    out += [f"{one}{ending}{plural}" for plural in ("", "s") for one in stems for ending in endings]
    if alone or own in operation.lower() or (stem and stem in operation.lower()):
        bare = (
            ["identifier", "id", "arn"]
            if identifier and name not in ("name", "resourcename")
            else ["name", "identifier", "arn"]
        )
        out += [*bare, *(f"resource{one}" for one in bare), *(f"{one}s" for one in bare)]
    out += ["resourcearn", "resourcearns", "resourcearnlist"]
    return tuple(dict.fromkeys(out))


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """How the ARNs of one resource type are built: its template and a finder for each variable.

    `reads` are the lower-case keys of a request that they look for; for `inspects` among them more matters of a text
    than whether it is empty or begins as an ARN does: the others' texts are put into the template as they are.
    """

    kind: str
    template: Template
    finders: tuple[tuple[str, tuple[Finder, ...]], ...]
    required: bool
    reads: frozenset[str] = frozenset()
    inspects: frozenset[str] = frozenset()

    def arns(self, source: Source) -> list[str]:
        """Build the ARNs that the record names in full; none when a variable stays unknown."""
        found = self._found(source)
        return self._combined(source.place, found) if all(found) else []

    def unknown(self, source: Source) -> list[str]:
        """Build the patterns that cover what was called: ``*`` for each variable that the record does not tell."""
        return self._combined(source.place, [texts or ["*"] for texts in self._found(source)])

    def _found(self, source: Source) -> list[list[str]]:
        """Find the texts of each variable; none for an unknown one."""
        found = []
        for _, ways in self.finders:
            texts = next((texts for way in ways if (texts := way(source))), [])
            found.append(list(dict.fromkeys(texts)) if len(self.finders) == 1 else texts)
        return found

    def _combined(self, place: Place, found: list[list[str]]) -> list[str]:
        """Fill the template with every combination; lists of one length belong together, item by item."""
        lengths = {len(texts) for texts in found if len(texts) > 1}
        if len(found) > 1 and len(lengths) == 1:
            size = lengths.pop()
            combined: Iterable[tuple[str, ...]] = zip(*(t * size if len(t) == 1 else t for t in found), strict=True)
        else:
            combined = product(*found)
        return list(dict.fromkeys(self.fill(place, texts) for texts in islice(combined, _MAX_ARNS)))

    def _is_whole(self, text: str) -> bool:
        return text.startswith("arn:") and self.template.pattern.fullmatch(text) is not None

    def fill(self, place: Place, texts: Sequence[str]) -> str:
        """Fill the template; a text that is an ARN itself stands for all up to its variable, or for the whole."""
        whole = next((text for text in texts if self._is_whole(text)), None)
        if whole is not None:
            return whole
        out = ""
        own = iter(texts)
        for at, part in enumerate(self.template.parts):
            if at % 2 == 0:
                out += part
            elif part == "Partition":
                out += place.partition
            elif part == "Region":
                out += place.region
            elif part == "Account":
                out += place.account
            else:
                text = next(own)
                out = text if text.startswith("arn:") else out + text
        return out


def type_expr(service: str, operation: str, kind: actions.ResourceType, alone: bool, given: dict[str, str]) -> TypeExpr:
    """Compile how to build ARNs of a resource type; `given` maps variables to ``path`` or ``path|transform``."""
    compiled = template(kind.arn)
    finders = []
    reads: set[str] = set()
    inspects: set[str] = set()
    for variable in compiled.variables:
        named = False
        if variable in given:
            path, _, change = given[variable].partition("|")
            paths = [(path, change)]
        else:
            paths = list(rules.resource_parameters().get((service, kind.name.lower(), variable), ()))
            named = not any(path == "" for path, _ in paths)
        ways = [finder(path, change) for path, change in paths if path]
        reads.update(*(keys_of(path) for path, _ in paths if path))
        inspects.update(*(keys_of(path) for path, change in paths if change))
        if named:
            names, spelled = candidates(operation, kind.name, variable, alone), _spelled(variable)
            ways.append(_by_name(names, spelled))
            reads.update(names, [spelled.lower()] if spelled else [])
        finders.append((variable, tuple(ways)))
    return TypeExpr(kind.name, compiled, tuple(finders), kind.required, frozenset(reads), frozenset(inspects))


def most_specific(found: list[tuple[TypeExpr, list[str]]]) -> list[str]:
    """Drop the ARNs of a type whose template another, resolved too, extends (a table beside its index)."""
    out: list[str] = []
    for expr, arns in found:
        extended = any(other is not expr and other.template.text.startswith(expr.template.text) for other, _ in found)
        if not extended:
            out += arns
    return list(dict.fromkeys(out))
