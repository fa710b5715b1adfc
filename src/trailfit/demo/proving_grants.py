"""Today's grants of the proving ground's roles: always enough for the truth, and too much, each in its own way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import resource_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.demo.proving_roles import Need, Place

_STYLES = {"admin": 1, "services": 4, "actions": 3, "prefixes": 3, "not-action": 1}
_MOST = 20


def grants_of(needs: Sequence[Need], place: Place) -> list[dict[str, Any]]:
    """Draw the documents of one role: a style, and perhaps a Deny beside it, a condition, a split in two."""
    rng = place.rng
    style = rng.choices(list(_STYLES), list(_STYLES.values()))[0]
    statements = _written(style, needs, place)
    if rng.random() < 0.2:
        condition = {"StringEquals": {"aws:RequestedRegion": [place.region, "us-east-1"]}}
        if rng.random() < 0.5:
            condition = {"Bool": {"aws:SecureTransport": "true"}}  # type: ignore[dict-item]
        statements[0] = {**statements[0], "Condition": condition}
    documents = [statements] if len(statements) < 2 or rng.random() < 0.7 else [statements[:1], statements[1:]]
    if rng.random() < 0.2:
        sibling = place.names.bucket(place.app, "vault", environment=2)
        documents[-1].append(
            {"Sid": "Never", "Effect": "Deny", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{sibling}*"]}
        )
    return [{"Version": "2012-10-17", "Statement": each} for each in documents]


def _services(needs: Sequence[Need]) -> list[str]:
    return sorted({action.partition(":")[0] for need in needs for action in need.actions})


def _admin() -> list[dict[str, Any]]:
    return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def _whole_services(needs: Sequence[Need]) -> list[dict[str, Any]]:
    return [{"Sid": "All", "Effect": "Allow", "Action": [f"{each}:*" for each in _services(needs)], "Resource": "*"}]


def _actions(needs: Sequence[Need], place: Place) -> list[dict[str, Any]]:
    """List what is needed and as much again, service by service, on everything."""
    patterns = {"Get*", "List*", "Describe*", "Put*", "Batch*"}
    written = []
    for service in _services(needs):
        actions = {action for need in needs for action in need.actions if action.startswith(f"{service}:")}
        actions |= {f"{service}:{pattern}" for pattern in place.rng.sample(sorted(patterns), 3)}
        written.append({"Effect": "Allow", "Action": sorted(actions), "Resource": "*"})
    return written


def _prefixes(needs: Sequence[Need]) -> list[dict[str, Any]]:
    """Grant whole services on what begins like the things needed; what has no ARN, on everything."""
    resources: dict[str, set[str]] = defaultdict(set)
    free: set[str] = set()
    for need in needs:
        for action in need.actions:
            service = action.partition(":")[0]
            if need.resources.kind == "*" or not resource_types(action):
                free.add(action)
            else:
                resources[service].update(_wider(pattern) for pattern in need.resources.truth[:_MOST])
                if len(need.resources.truth) > _MOST:
                    resources[service].add(_type_of(need.resources.truth[0]))
    written = [
        {"Effect": "Allow", "Action": f"{service}:*", "Resource": sorted(patterns)}
        for service, patterns in sorted(resources.items())
    ]
    if free:
        written.append({"Effect": "Allow", "Action": sorted(free), "Resource": "*"})
    return written or _admin()


def _wider(pattern: str) -> str:
    """Widen a pattern as people do: a whole bucket, or everything of a type that begins alike."""
    head, tail = pattern[: len(":".join(pattern.split(":", 5)[:5])) + 1], pattern.split(":", 5)[5]
    if pattern.startswith("arn:aws:s3:::"):
        return f"{head}{tail.partition('/')[0]}*"
    for mark in ("/", ":"):
        if mark in tail:
            kind, _, name = tail.partition(mark)
            return f"{head}{kind}{mark}{name[: max(1, len(name) // 4)].split('*')[0]}*"
    return f"{head}{tail[: max(1, len(tail) // 3)].split('*')[0]}*"


def _type_of(pattern: str) -> str:
    """Give everything of a resource's type: ``…:instance/*``."""
    return f"{pattern.rpartition('/')[0]}/*"


def _not_action(needs: Sequence[Need]) -> list[dict[str, Any]]:
    services = _services(needs)
    excluded = [f"{each}:*" for each in ("iam", "organizations", "account") if each not in services]
    return [{"Effect": "Allow", "NotAction": excluded, "Resource": "*"}]


def _written(style: str, needs: Sequence[Need], place: Place) -> list[dict[str, Any]]:
    match style:
        case "admin":
            return _admin()
        case "services":
            return _whole_services(needs)
        case "actions":
            return _actions(needs, place)
        case "not-action":
            return _not_action(needs)
        case _:
            return _prefixes(needs)
