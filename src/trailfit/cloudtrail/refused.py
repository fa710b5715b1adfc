"""The uses of a denied event: what AWS says was refused, else what was asked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from trailfit.catalog import actions, rules
from trailfit.cloudtrail.arns import TypeExpr, template
from trailfit.cloudtrail.event import Use
from trailfit.cloudtrail.transforms import Place, transform

if TYPE_CHECKING:
    from trailfit.cloudtrail.outcome import Refusal

_ARN = re.compile(r"arn:\S+")


def refused_uses(said: Refusal, asked: tuple[Use, ...], place: Place) -> tuple[Use, ...]:
    """List what was refused: the action and resource of the message; without them, all that was asked.

    The action in the message is authoritative: a call may be refused for another than its own (``iam:PassRole``).
    """
    if said.action is None:
        return asked
    if said.resource is None:
        same = tuple(use for use in asked if use.action == said.action)
        return same or (Use(said.action, "*", "required", "message; *: the message names no resource"),)
    resource = _resource(said.action, said.resource, place)
    if resource is None:
        return (Use(said.action, "*", "required", f"message; *: the message names it {said.resource!r:.80}"),)
    return (Use(said.action, resource, "required", "message; arn: message"),)


@lru_cache(maxsize=4096)
def _resource(action: str, text: str, place: Place) -> str | None:
    """Read a message's resource: an ARN, ``*``, ``role NAME``, ``policy ARN version v2``, or a bare name."""
    if text == "*" or text.startswith("arn:"):
        return text
    if found := _ARN.search(text):
        return found[0]
    types = actions.resource_types(action)
    for kind in types:
        spoken = kind.name.lower().replace("-", " ")
        if text.lower().startswith(f"{spoken} "):
            return _filled(action, kind, text[len(spoken) + 1 :].strip(), place)
    return _filled(action, types[0], text, place) if len(types) == 1 and " " not in text else None


def _filled(action: str, kind: actions.ResourceType, name: str, place: Place) -> str | None:
    """Put a name into the only variable of a type's template, changed as a request's would be."""
    compiled = template(kind.arn)
    if len(compiled.variables) != 1:
        return None
    overlay = rules.resource_parameters().get((action.partition(":")[0], kind.name.lower(), compiled.variables[0]), ())
    changes = [change for _, change in overlay] or [""]
    value = next((value for change in changes if (value := transform(change)(name, place))), None)
    return TypeExpr(kind.name, compiled, (), False).fill(place, [value]) if value else None
