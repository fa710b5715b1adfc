"""Questions as JSON lines: what `trailfit simulate --requests` and `trailfit check --pairs` read and answer.

A line that cannot be read gives ``{"id": …, "error": …}``; the lines after it are still answered.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailfit.errors import PolicyError
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document, DocumentKind
from trailfit.policy.evaluate import Policies, Request, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def simulate(line: str) -> dict[str, Any]:
    """Answer one line of `simulate --requests`: the decision, and the statements that made it.

    >>> simulate('{"id": 1, "request": {"action": "s3:GetObject", "resource": "*"}, "identity": []}')["decision"]
    'ImplicitlyDenied'
    """
    return _answered(line, _simulate)


def check(line: str) -> dict[str, Any]:
    """Answer one line of `check --pairs`: is nothing new, and if something is, a request that shows it.

    >>> check('{"id": 1, "new": [], "old": []}')["no_new_access"]
    True
    """
    return _answered(line, _check)


def _answered(line: str, answer: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Answer a line, or say what is wrong with it."""
    identifier = None
    try:
        question = json.loads(line)
        if not isinstance(question, dict):
            return {"id": None, "error": "a line is a JSON object"}
        identifier = question.get("id")
        return {"id": identifier, **answer(question)}
    except PolicyError as problem:
        return {"id": identifier, "error": str(problem)}
    except (ValueError, RecursionError) as problem:
        return {"id": identifier, "error": f"not JSON: {problem}"}


def _simulate(question: Mapping[str, Any]) -> dict[str, Any]:
    decision = evaluate(request(question.get("request")), policies(question))
    return {"decision": decision.effect, "statements": list(decision.statements)}


def _check(question: Mapping[str, Any]) -> dict[str, Any]:
    sides = []
    for side in ("new", "old"):
        if side not in question:
            raise PolicyError("is missing: a document or a list of documents", where=side)
        sides.append(_documents(question[side], side, None))
    boundary = _optional(question.get("boundary"), "boundary", "boundary")
    verdict = no_new_access(sides[0], sides[1], boundary=boundary)
    shown: dict[str, Any] = {"no_new_access": verdict.holds, "counterexample": counterexample(verdict.counterexample)}
    if verdict.holds is None:
        shown["reason"] = verdict.reason
    return shown


def counterexample(found: Request | None) -> dict[str, Any] | None:
    """Write a request as a counterexample; its principal only where the documents name principals."""
    if found is None:
        return None
    shown: dict[str, Any] = {"action": found.action, "resource": found.resource, "context": dict(found.context)}
    return shown if found.principal is None else {"principal": found.principal, **shown}


def request(written: object) -> Request:
    """Read the `request` of a line. Raises `PolicyError` naming what is missing."""
    if not isinstance(written, dict):
        raise PolicyError("is missing or no object", where="request")
    for name in ("action", "resource"):
        if not isinstance(written.get(name), str):
            raise PolicyError("is missing or no string", where=f"request.{name}")
    for name in ("principal", "resourceAccount"):
        if not isinstance(written.get(name), str | None):
            raise PolicyError("is no string", where=f"request.{name}")
    return Request(
        principal=written.get("principal"),
        action=written["action"],
        resource=written["resource"],
        context=_context(written.get("context") or {}),
        resource_account=written.get("resourceAccount"),
        context_complete=written.get("context_complete", True) is not False,
    )


def _context(written: object) -> dict[str, str | tuple[str, ...]]:
    """Read the context: a string, number or boolean, or a list of those, for each key; null is no value."""
    if not isinstance(written, dict):
        raise PolicyError("is no object", where="request.context")
    return {
        key: tuple(_text(each, key) for each in value) if isinstance(value, list) else _text(value, key)
        for key, value in written.items()
        if value is not None
    }


def _text(value: object, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise PolicyError("holds no string, number or boolean", where=f"request.context.{key}")


def policies(question: Mapping[str, Any]) -> Policies:
    """Read the documents of a line, each held to what its kind of policy may contain."""
    resource = question.get("resource_policy")
    return Policies(
        identity=_documents(question.get("identity") or [], "identity", "identity"),
        boundary=_optional(question.get("boundary"), "boundary", "boundary"),
        session=_optional(question.get("session"), "session", "session"),
        scp=_levels(question.get("scp"), "scp", "scp"),
        rcp=_levels(question.get("rcp"), "rcp", None),
        resource=None if resource is None else document(resource, "resource_policy", None),
    )


def _levels(written: object, where: str, kind: DocumentKind | None) -> tuple[tuple[Document, ...], ...] | None:
    """Read levels, root first; a lone document is a level of its own."""
    if written is None:
        return None
    levels = written if isinstance(written, list) else [written]
    return tuple(_documents(level, f"{where}[{n}]", kind) for n, level in enumerate(levels))


def _optional(written: object, where: str, kind: DocumentKind) -> tuple[Document, ...] | None:
    return None if written is None else _documents(written, where, kind)


def _documents(written: object, where: str, kind: DocumentKind | None) -> tuple[Document, ...]:
    if not isinstance(written, list):
        return (document(written, where, kind),)
    return tuple(document(each, f"{where}[{n}]", kind) for n, each in enumerate(written))


def document(written: object, where: str, kind: DocumentKind | None) -> Document:
    """Read a document from JSON data, or from a string that holds JSON; the same one is read once."""
    if isinstance(written, str):
        return Document.parse(written, where, kind)
    if not isinstance(written, dict):
        raise PolicyError("a policy document is a JSON object", where=where)
    return _known(json.dumps(written), where, kind)


@lru_cache(maxsize=512)
def _known(text: str, where: str, kind: DocumentKind | None) -> Document:
    return Document.parse(text, where, kind)
