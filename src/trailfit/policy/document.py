"""Policy documents as written: read, refused with IAM's reason and the place, printed back unchanged.

The grammar is IAM's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. A document
keeps what it read; `statements` is the same in a form that the law and the proofs can work on.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from trailfit.errors import PolicyError
from trailfit.policy import condition, pattern

if TYPE_CHECKING:
    from trailfit.policy.condition import Condition
    from trailfit.policy.grant import Rule

Effect = Literal["Allow", "Deny"]
#: What the document is attached as, where that is known: it decides whether Principal and Resource must stand in it.
DocumentKind = Literal["identity", "boundary", "session", "scp", "rcp", "resource", "trust"]

VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPAL_TYPES = ("AWS", "Federated", "Service", "CanonicalUser")
_DOCUMENT_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_WITHOUT_PRINCIPAL = ("identity", "boundary", "session", "scp")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `resources` and `principals` are None where the statement has no such element.

    A principal is (type, value): ``("AWS", "arn:…")``, ``("Service", "lambda.amazonaws.com")``; ``Principal: "*"`` is
    ``("AWS", "*")``.
    """

    index: int
    sid: str | None
    effect: Effect
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    principals: tuple[tuple[str, str], ...] | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    variables: bool

    @property
    def name(self) -> str:
        """Name the statement by its place in the document."""
        return f"Statement[{self.index}]"


class Document:
    """A policy document: `raw` as it was read, `statements` in order. Equal when what was read is equal."""

    def __init__(self, raw: Mapping[str, Any], statements: tuple[Statement, ...], where: str | None = None) -> None:
        self.raw = raw
        self.statements = statements
        self.where = where

    @classmethod
    def parse(
        cls, source: str | bytes | Mapping[str, Any], where: str | None = None, kind: DocumentKind | None = None
    ) -> Document:
        """Read a document from JSON text, or from what JSON text would give.

        Raises `PolicyError`, its `where` naming the place in the document, for all that IAM would refuse for its
        form. What is attached how (`kind`) decides about Principal and Resource; None leaves that open.

        >>> Document.parse('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}').statements[0].effect
        'Allow'
        """
        return _Reader(where, kind).document(source)

    @property
    def version(self) -> str:
        """Give the Version; IAM takes 2008-10-17 where there is none."""
        return str(self.raw.get("Version", "2008-10-17"))

    def to_json(self, indent: int | None = 2) -> str:
        """Print the document as it was read: the same elements and values in the same order."""
        return json.dumps(self.raw, indent=indent, ensure_ascii=False)

    @cached_property
    def has_principals(self) -> bool:
        """Tell whether any statement names principals, as in resource-based and trust policies."""
        return any(statement.principals is not None for statement in self.statements)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Give the statements as the sets that the proofs work on, made once."""
        from trailfit.policy.grant import Rule

        return tuple(Rule(statement) for statement in self.statements)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(json.dumps(self.raw, sort_keys=True))

    def __repr__(self) -> str:
        return f"Document({self.to_json(indent=None)})"


class _DuplicateError(ValueError):
    """An element given twice in one JSON object."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an element given twice: JSON readers would drop one in silence, perhaps the condition that matters."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateError(key)
        found[key] = value
    return found


class _Reader:
    """Reads one document; remembers where it came from, so that every error can name the place."""

    def __init__(self, where: str | None, kind: DocumentKind | None) -> None:
        self.where = where
        self.kind = kind

    def fail(self, message: str, at: str = "", hint: str | None = None) -> NoReturn:
        raise PolicyError(message, where=": ".join(part for part in (self.where, at) if part) or None, hint=hint)

    def document(self, source: str | bytes | Mapping[str, Any]) -> Document:
        raw = self.load(source) if isinstance(source, str | bytes) else copy.deepcopy(source)
        if not isinstance(raw, Mapping):
            self.fail("a policy document is a JSON object")
        for element in raw:
            if element not in _DOCUMENT_ELEMENTS:
                self.fail(
                    f"`{element}` is no element of a policy document", str(element), _like(element, _DOCUMENT_ELEMENTS)
                )
        if "Version" in raw and raw["Version"] not in VERSIONS:
            self.fail(f"the policy must contain a valid version string: {' or '.join(VERSIONS)}", "Version")
        if "Statement" not in raw:
            self.fail("the policy has no `Statement`")
        written = raw["Statement"]
        alone = isinstance(written, Mapping)
        if not alone and not isinstance(written, list):
            self.fail("`Statement` is an object or a list of objects", "Statement")
        variables = raw.get("Version") == "2012-10-17"
        statements = tuple(
            self.statement(index, each, "Statement" if alone else f"Statement[{index}]", variables)
            for index, each in enumerate([written] if alone else written)
        )
        self.unique_sids(statements)
        return Document(raw, statements, self.where)

    def load(self, text: str | bytes) -> Any:
        try:
            return json.loads(text, object_pairs_hook=_no_duplicates)
        except _DuplicateError as twice:
            self.fail(f"`{twice}` is given twice in one object", hint="keep one")
        except json.JSONDecodeError as error:
            self.fail(f"not JSON: {error.msg}", f"line {error.lineno} column {error.colno}")
        except (UnicodeDecodeError, RecursionError) as error:
            self.fail(f"not JSON: {error}")

    def unique_sids(self, statements: tuple[Statement, ...]) -> None:
        seen: set[str] = set()
        for statement in statements:
            if statement.sid:
                if statement.sid in seen:
                    self.fail(
                        f"statement IDs (SID) in a single policy must be unique: `{statement.sid}`", statement.name
                    )
                seen.add(statement.sid)

    def statement(self, index: int, raw: Any, at: str, variables: bool) -> Statement:
        if not isinstance(raw, Mapping):
            self.fail("a statement is a JSON object", at)
        for element in raw:
            if element not in _STATEMENT_ELEMENTS:
                self.fail(f"`{element}` is no element of a statement", at, _like(element, _STATEMENT_ELEMENTS))
        sid = raw.get("Sid")
        if sid is not None and not isinstance(sid, str):
            self.fail("a Sid is a string", f"{at}.Sid")
        effect = raw.get("Effect")
        if effect not in ("Allow", "Deny"):
            self.fail("`Effect` is `Allow` or `Deny` (case matters)", f"{at}.Effect")
        action = self.either(raw, "Action", at)
        if action is None:
            self.fail("policy statement must contain actions", at)
        resource = self.either(raw, "Resource", at)
        principal = self.either(raw, "Principal", at)
        self.attached(resource, principal, at)
        return Statement(
            index=index,
            sid=sid,
            effect=effect,
            actions=self.actions(raw[action], f"{at}.{action}"),
            not_action=action == "NotAction",
            resources=None if resource is None else self.resources(raw[resource], f"{at}.{resource}"),
            not_resource=resource == "NotResource",
            principals=None if principal is None else self.principals(raw[principal], f"{at}.{principal}"),
            not_principal=principal == "NotPrincipal",
            conditions=self.conditions(raw.get("Condition", {}), f"{at}.Condition", variables),
            variables=variables,
        )

    def either(self, raw: Mapping[str, Any], element: str, at: str) -> str | None:
        """Tell which of an element and its Not… form the statement has."""
        if element in raw and f"Not{element}" in raw:
            self.fail(f"a statement has `{element}` or `Not{element}`, not both", at)
        return element if element in raw else f"Not{element}" if f"Not{element}" in raw else None

    def attached(self, resource: str | None, principal: str | None, at: str) -> None:
        """Hold the statement to what its kind of policy must and must not contain."""
        if self.kind in _WITHOUT_PRINCIPAL and principal is not None:
            self.fail("policy document should not specify a principal", f"{at}.{principal}")
        if self.kind in ("resource", "trust", "rcp") and principal is None:
            self.fail("missing required field Principal", at)
        if self.kind == "trust" and resource is not None:
            self.fail("has prohibited field Resource", f"{at}.{resource}")
        if self.kind in (*_WITHOUT_PRINCIPAL, "rcp") and resource is None:
            self.fail("policy statement must contain resources", at)

    def strings(self, value: Any, at: str) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            self.fail("a string or a list of strings is needed", at)
        return tuple(values)

    def actions(self, value: Any, at: str) -> tuple[str, ...]:
        found = self.strings(value, at)
        for each in found:
            vendor, _, name = each.partition(":")
            if each.strip("*") and not (vendor and name):
                self.fail(f"actions must be prefaced by a vendor, e.g., iam, sdb, ec2: `{each}`", at)
        return found

    def resources(self, value: Any, at: str) -> tuple[str, ...]:
        found = self.strings(value, at)
        for each in found:
            if not pattern.matches(pattern.tokens(each.partition(":")[0], variables=False), "arn"):
                self.fail(f'resource {each} must be in ARN format or "*"', at)
        return found

    def principals(self, value: Any, at: str) -> tuple[tuple[str, str], ...]:
        if value == "*":
            return (("AWS", "*"),)
        if not isinstance(value, Mapping) or not value:
            self.fail('a principal is "*" or an object such as {"AWS": "arn:…"}', at)
        found: list[tuple[str, str]] = []
        for kind, values in value.items():
            if kind not in _PRINCIPAL_TYPES:
                self.fail(f"`{kind}` is no type of principal", at, _like(kind, _PRINCIPAL_TYPES))
            found += [(kind, each) for each in self.strings(values, f"{at}.{kind}")]
        return tuple(found)

    def conditions(self, value: Any, at: str, variables: bool) -> tuple[Condition, ...]:
        if not isinstance(value, Mapping):
            self.fail("a Condition is a JSON object", at)
        found: list[Condition] = []
        for operator, keys in value.items():
            if not isinstance(keys, Mapping):
                self.fail("an operator holds an object of keys and values", f"{at}.{operator}")
            for key, written in keys.items():
                read = condition.read(
                    operator, key, self.values(written, f"{at}.{operator}.{key}"), variables=variables
                )
                if read is None:
                    self.fail(f"invalid condition operator: `{operator}`", at)
                found.append(read)
        return tuple(found)

    def values(self, value: Any, at: str) -> tuple[str, ...]:
        """Read condition values; the grammar allows strings, numbers and booleans."""
        values = value if isinstance(value, list) else [value]
        found: list[str] = []
        for each in values:
            if isinstance(each, bool):
                found.append("true" if each else "false")
            elif isinstance(each, str | int | float):
                found.append(str(each))
            else:
                self.fail("condition values are strings, numbers or booleans", at)
        return tuple(found)


def _like(element: str, known: Iterable[str]) -> str | None:
    """Suggest the element that differs only in case."""
    return next((f"did you mean `{each}`?" for each in known if each.lower() == str(element).lower()), None)
