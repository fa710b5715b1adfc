"""Join what several accounts need of one policy, which one file gives to all of them: no more statements than needed.

A template deployed in three accounts has one policy in it. It must allow what any of its roles needs, and may allow
none of them more than each has today: that is proved on the documents as they come out in each account.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from trailfit.deliver.splice import equal
from trailfit.errors import EditError, PolicyError
from trailfit.policy.containment import no_new_access
from trailfit.policy.document import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    #: Puts out a value of a file as it is deployed in one account; None where nobody can tell.
    Resolve = Callable[[Any], str | None]

#: The elements in which a file may have expressions.
_EXPRESSED = ("Resource", "NotResource", "Condition")


def union(parts: Iterable[Sequence[dict[str, Any]]], resolvers: Sequence[Resolve]) -> list[dict[str, Any]]:
    """Return statements that allow what all the parts allow: what one covers is not said twice, Sids stand once.

    A part's own statements stay as they are unless another part's cover them, or differ in their actions only or in
    their resources only. `resolvers` put values out, one for each account.
    """
    found: list[dict[str, Any]] = []
    for part in parts:
        before = len(found)
        for statement in part:
            _join(found, before, statement, resolvers)
    return _distinct(found)


def _join(found: list[dict[str, Any]], others: int, statement: dict[str, Any], resolvers: Sequence[Resolve]) -> None:
    """Add a statement to those found, of which the first `others` are of other parts."""
    if any(equal(statement, one) for one in found):
        return
    for place, one in enumerate(found[:others]):
        if _covers(one, statement, resolvers):
            return
        joined = statement if _covers(statement, one, resolvers) else _together(one, statement)
        if joined is not None:
            found[place] = {**({"Sid": one["Sid"]} if "Sid" in one else {}), **_unnamed(joined)}
            return
    found.append(statement)


def _unnamed(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Sid"}


def _covers(one: dict[str, Any], other: dict[str, Any], resolvers: Sequence[Resolve]) -> bool:
    """Tell whether all that `other` allows is allowed by `one`, in every account."""
    if one.get("Effect") != "Allow" or other.get("Effect") != "Allow":
        return False
    for resolve in resolvers:
        try:
            wide, narrow = (_document("2012-10-17", [_unnamed(each)], resolve) for each in (one, other))
        except EditError:
            return False
        if no_new_access([narrow], [wide]).holds is not True:
            return False
    return True


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Return one statement for two that differ in their actions only or in their resources only."""
    for key in ("Action", "Resource"):
        if not (key in one and key in other):
            continue
        rests = ({name: value for name, value in each.items() if name not in (key, "Sid")} for each in (one, other))
        if equal(*rests):
            values = [*_as_list(one[key])]
            values += [value for value in _as_list(other[key]) if not any(equal(value, known) for known in values)]
            return {**one, key: sorted(values, key=str)}
    return None


def _distinct(statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give statements of one Sid distinct ones: IAM takes each only once in a document."""
    taken = {one["Sid"] for one in statements if "Sid" in one}
    seen: set[str] = set()
    made = []
    for statement in statements:
        sid = statement.get("Sid")
        if sid in seen:
            sid = next(name for number in itertools.count(2) if (name := f"{sid}{number}") not in taken)
            taken.add(sid)
            statement = {**statement, "Sid": sid}
        if sid is not None:
            seen.add(sid)
        made.append(statement)
    return made


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def put_out(statements: Iterable[Mapping[str, Any]], resolve: Resolve) -> list[dict[str, Any]]:
    """Return a file's statements with their expressions put out; raises `EditError` where nobody can tell."""
    return [
        {key: _put_out(value, resolve) if key in _EXPRESSED else value for key, value in statement.items()}
        for statement in statements
    ]


def _put_out(value: Any, resolve: Resolve) -> Any:
    if isinstance(value, list):
        return [_put_out(item, resolve) for item in value]
    text = resolve(value)
    if text is not None:
        return text
    if isinstance(value, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in value):
        return {key: _put_out(inner, resolve) for key, inner in value.items()}
    if isinstance(value, bool | int | float):
        return value
    raise EditError("a value of the policy cannot be worked out for every account that the block is deployed in")


def _document(version: str, statements: Sequence[Mapping[str, Any]], resolve: Resolve) -> Document:
    """Return statements of a file as a policy document, their values put out; raises `EditError`."""
    try:
        return Document.parse({"Version": version, "Statement": put_out(statements, resolve)})
    except PolicyError as problem:
        raise EditError(f"IAM would not take the policy: {problem.message}") from None


def prove(
    written: Sequence[tuple[str, Sequence[Mapping[str, Any]]]],
    before: Iterable[Mapping[str, Any]],
    after: Iterable[Mapping[str, Any]],
    resolve: Resolve,
    account: str,
) -> None:
    """Prove that the documents written allow in one account what is proposed there, and no more than today.

    `written` are the version and statements of each; `before` and `after` are policies of ``recommendations.json``.
    Raises `EditError` where either is not proven.
    """
    new = [_document(version, statements, resolve) for version, statements in written]
    old, wanted = (
        [_document(str(one["document"].get("Version", "2008-10-17")), _as_list(one["document"]["Statement"]), _any_arn)
         for one in policies]
        for policies in (before, after)
    )  # fmt: skip
    if no_new_access(new, old).holds is not True:
        raise EditError(
            f"the accounts that it is deployed in need policies that would grant something new in {account}"
        )
    if no_new_access(wanted, new).holds is not True:
        raise EditError(
            f"the accounts that it is deployed in need policies that would deny something used in {account}"
        )


def require_valid(document: Mapping[str, Any]) -> None:
    """Raise `EditError` where IAM would not take a document of a file; functions stand for any one ARN."""
    statements = [one for one in _as_list(document.get("Statement", [])) if isinstance(one, dict)]
    _document(str(document.get("Version", "2008-10-17")), statements, _any_arn)


def _any_arn(value: Any) -> str | None:
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
        return "arn:aws:s3:::any"
    return value if isinstance(value, str) else None
