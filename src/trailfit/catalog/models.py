"""The operations of the installed botocore's API models, as far as `refresh` and the tests need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session

from trailfit.catalog import actions
from trailfit.catalog.tables import rows

_TAG_MEMBER = re.compile(r"(resource)?tag(s|set|list|specifications?|ging)\Z", re.IGNORECASE)
_SIGNED = frozenset({"aws.auth#sigv4", "aws.auth#sigv4a"})
_URI_VARIABLE = re.compile(r"\{([^}+]+)\+?\}")
_MARKUP = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Operation:
    """One API operation: its botocore client, IAM prefix, HTTP verb, and what its model says.

    `path` is the request path, ``${Member}`` for its variables; `tags` the request member that holds tags, empty where
    there is none; `unsigned` means that it takes no IAM credentials.
    """

    client: str
    service: str
    name: str
    method: str
    path: str
    unsigned: bool
    tags: str
    documentation: str


@cache
def operations() -> tuple[Operation, ...]:
    """List every operation of every client, in the order of the models."""
    loader = botocore.session.get_session().get_component("data_loader")
    found: list[Operation] = []
    for client in loader.list_available_services("service-2"):
        model = loader.load_service_model(client, "service-2")
        for name, operation in model["operations"].items():
            found.append(_operation(client, model, name, operation))
    return tuple(found)


@cache
def prefix_of(client: str) -> str:
    """Give the IAM prefix of a botocore client: its name, unless ``clients.csv`` says otherwise."""
    table = {row["client"]: row["service"] for row in rows("clients")}
    return table.get(client, client)


def _operation(client: str, model: dict[str, Any], name: str, operation: dict[str, Any]) -> Operation:
    schemes = set(operation.get("auth") or model["metadata"].get("auth") or ())
    unsigned = operation.get("authtype") in ("none", "bearer") or bool(schemes and not schemes & _SIGNED)
    bearer = model["metadata"].get("signatureVersion") in ("bearer", "none") and not schemes & _SIGNED
    shape = model["shapes"].get((operation.get("input") or {}).get("shape", ""), {})
    members = [member for member in shape.get("members", {}) if _TAG_MEMBER.fullmatch(member)]
    return Operation(
        client,
        prefix_of(client),
        name,
        str(operation.get("http", {}).get("method", "")),
        _path(str(operation.get("http", {}).get("requestUri", "")), shape),
        unsigned or bearer,
        members[0] if members else "",
        _MARKUP.sub("", operation.get("documentation", "")),
    )


def _path(uri: str, shape: dict[str, Any]) -> str:
    """Write a request URI with its members' names; the query and the ``+`` of greedy variables go."""
    names = {
        member.get("locationName", name): name
        for name, member in shape.get("members", {}).items()
        if member.get("location") == "uri"
    }
    return _URI_VARIABLE.sub(lambda found: f"${{{names.get(found[1], found[1])}}}", uri.partition("?")[0])


def known(operation: Operation) -> bool:
    """Tell whether the catalogue has an action of the operation's own name."""
    return actions.is_action(f"{operation.service}:{operation.name}")
