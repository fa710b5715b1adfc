"""Rebuild the tables that follow from what AWS publishes.

``python -m trailfit.catalog.refresh [--from DIR] [--check]``. Inputs: AWS's service reference (JSON, from
https://servicereference.us-east-1.amazonaws.com/ or, plain or gzip, from DIR), the API models of the installed
botocore, and the tables' own kept rows. Outputs: ``operations.csv``, ``pass_role.csv`` and
``unobservable_actions.csv``. Rows that no input at hand explains are kept; what changes is printed as a diff.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import gzip
import io
import json
import re
import sys
import urllib.request
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit.catalog import actions, rules
from trailfit.catalog.models import Operation, known, operations
from trailfit.catalog.tables import FOLDER, rows
from trailfit.errors import SourceError, TrailfitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDEX = "https://servicereference.us-east-1.amazonaws.com/"
REFERENCE = "AWS service reference v1.4"
DEPENDENT = "Service Authorization Reference, dependent actions (July 2026)"
MODEL = "botocore API model"
DOCUMENTED = "botocore operation documentation"
TAGS = "tags in the request: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"
#: Sources whose rows are made anew by each refresh; every other row of the table is kept as it is.
MADE = (REFERENCE, MODEL, DOCUMENTED, TAGS)

HEAD = ["service", "event_name", "action", "role", "when", "resource", "context", "source"]
_TAG_ACTION = re.compile(r"(Tag|Tags)[A-Za-z]*\Z|\A(Add|Create|Put|Set)Tags?|\ATag")
_MENTION = re.compile(r"\b([a-z0-9-]+):([A-Z][A-Za-z0-9]+)\b")

Row = tuple[str, ...]


class Reference:
    """AWS's service reference: (prefix, operation) → the actions that may be checked, and to whom roles are passed."""

    def __init__(self) -> None:
        self.authorized: dict[tuple[str, str], list[str]] = {}
        self.passed_to: dict[tuple[str, str], list[str]] = {}

    def add(self, document: dict[str, Any]) -> None:
        """Take in one service's document."""
        for operation in document.get("Operations") or []:
            for sdk in operation.get("SDK") or [{"Name": document["Name"]}]:
                key = (sdk["Name"], operation["Name"])
                found = operation.get("AuthorizedActions") or []
                self.authorized[key] = [f"{one['Service']}:{one['Name']}" for one in found]
                for one in found:
                    to = (one.get("Context") or {}).get("iam:PassedToService")
                    if to and one["Name"] == "PassRole":
                        self.passed_to[key] = sorted(to)

    def add_flat(self, document: dict[str, list[Any]]) -> None:
        """Take in ``{"client.Operation": ["prefix:Action", …]}``, the reference as it may be handed on.

        An item may also be ``{"action": …}``, with a context beside it.
        """
        for key, found in document.items():
            client, dot, operation = key.partition(".")
            named = [str(one.get("action") if isinstance(one, dict) else one) for one in found]
            if dot and all(":" in action for action in named):
                self.authorized[client, operation] = named


def read_reference(folder: Path | None) -> Reference:
    """Read the reference from the ``*.json`` and ``*.json.gz`` of a folder, else from AWS. Raises SourceError."""
    reference = Reference()
    for document in _from_folder(folder) if folder else _from_aws():
        if isinstance(document, dict) and "Operations" in document and "Name" in document:
            reference.add(document)
        elif isinstance(document, dict) and all(isinstance(actions_, list) for actions_ in document.values()):
            reference.add_flat(document)
    if not reference.authorized:
        raise SourceError("no service reference document was found", where=str(folder or INDEX))
    return reference


def _from_folder(folder: Path) -> Iterator[Any]:
    paths = sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")])
    for path in paths:
        data = path.read_bytes()
        yield json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def _from_aws() -> Iterator[Any]:
    try:
        for entry in _fetch(INDEX):
            yield _fetch(entry["url"])
    except OSError as problem:
        raise SourceError(
            f"AWS's service reference cannot be reached: {problem}",
            where=INDEX,
            hint="offline, give its JSON files with --from DIR",
        ) from None


def _fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - a fixed https host and what its index names
        return json.load(answer)


def make_operations(reference: Reference) -> list[Row]:
    """Make ``operations.csv``: what operations need besides, or instead of, the action of their own name."""
    kept = [tuple(row[name] for name in HEAD) for row in rows("operations") if not row["source"].startswith(MADE)]
    decided = {(row[0], row[1].lower()) for row in kept}
    deciding = [row for one in operations() for row in _deciding(one, reference)]
    deciding = kept + [row for row in deciding if (row[0], row[1].lower()) not in decided]
    hidden = frozenset(row[0].lower() for row in make_unobservable(deciding) if not row[1])
    meant = {(row[0], row[1].lower()) for row in deciding} | {*rules.event_rules()}
    understood = [one for one in operations() if known(one) or (one.service, one.name.lower()) in meant]
    more = [row for one in understood for row in _more(one, reference, hidden)]
    return sorted({row[:7]: row for row in _one_of([*more, *deciding])}.values())


def _one_of(made: list[Row]) -> list[Row]:
    """Where clients that share event names need different actions for one, it is one of them."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for row in made:
        if row[3] == "required" and not row[4]:
            wanted.setdefault((row[0], row[1].lower()), set()).add(row[2])
    several = {key for key, found in wanted.items() if len(found) > 1}
    return [
        (*row[:3], "one_of:client", *row[4:]) if row[3] == "required" and (row[0], row[1].lower()) in several else row
        for row in made
    ]


def _deciding(operation: Operation, reference: Reference) -> list[Row]:
    """Find the action of an operation that has none of its own name, where one source names exactly one."""
    if operation.unsigned:
        return [(operation.service, operation.name, "", "", "", "", "", f"{MODEL}: unsigned or bearer token")]
    if known(operation):
        return []
    authorized = reference.authorized.get((operation.client, operation.name), [])
    for source, candidates in ((REFERENCE, authorized), (DOCUMENTED, _mentions(operation))):
        same = [
            a
            for a in candidates
            if a.startswith(f"{operation.service}:") and ("tag" in operation.name.lower() or not _is_tag(a))
        ]
        own = sorted({found for one in same if (found := actions.canonical(one))})
        if len(own) == 1:
            return [(operation.service, operation.name, own[0], "required", "", "", "", source)]
    verb = actions.canonical(f"{operation.service}:{operation.method}")
    source = f"{MODEL}: HTTP verb and path"
    return [(operation.service, operation.name, verb, "required", "", _path_arn(operation), "", source)] if verb else []


def _path_arn(operation: Operation) -> str:
    """Write the resource of a call that is authorized by verb and path (API Gateway).

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-manage-apis.html
    """
    path = operation.path.removeprefix("/v2")
    names = re.findall(r"\$\{(\w+)\}", path)
    given = ", ".join(f"{name}={name}" for name in names)
    return f"!arn:${{Partition}}:apigateway:${{Region}}::{path}" + (f"({given})" if given else "")


def _mentions(operation: Operation) -> list[str]:
    return [f"{service}:{name}" for service, name in _MENTION.findall(operation.documentation)]


def _more(operation: Operation, reference: Reference, hidden: frozenset[str]) -> list[Row]:
    """Find what an operation needs besides: tagging for a request's tags, and permissions that no event shows."""
    key = (operation.client, operation.name)
    listed = list(reference.authorized.get(key, ()))
    source = REFERENCE
    if key not in reference.authorized:
        listed, source = _dependents().get(f"{operation.service}:{operation.name}".lower(), []), DEPENDENT
    out: list[Row] = []
    tagging, tag_source = [a for a in listed if a.startswith(f"{operation.service}:") and _is_tag(a)], source
    if operation.tags and not _is_tag(f"x:{operation.name}"):
        if not tagging and key not in reference.authorized:
            tagging, tag_source = [f"{operation.service}:TagResource"], TAGS
        for action in tagging:
            if found := actions.canonical(action):
                when, resource = operation.tags, ""
                if operation.service == "ec2":
                    when = "tagSpecificationSet"
                    resource = (
                        "!arn:${Partition}:ec2:${Region}:${Account}:${Type}/*(Type=tagSpecificationSet.resourceType)"
                    )
                out.append((operation.service, operation.name, found, "conditional", when, resource, "", tag_source))
    for action in listed:
        found = actions.canonical(action)
        if not found or found.lower() not in hidden or found == "iam:PassRole" or action in tagging:
            continue
        when = next((when for pattern, when in _conditions() if fnmatchcase(found, pattern)), "")
        if when != "-":
            role = "conditional" if when else "dependent"
            out.append((operation.service, operation.name, found, role, when, "", "", source))
    return out


def _is_tag(action: str) -> bool:
    return bool(_TAG_ACTION.search(action.partition(":")[2]))


def _dependents() -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for row in rows("dependent_actions"):
        out.setdefault(row["action"].lower(), []).append(row["dependent_action"])
    return out


def _conditions() -> list[tuple[str, str]]:
    """When a dependent action is needed, by action pattern; ``-`` for those that no ordinary call needs."""
    return [(row["action"], row["when"]) for row in rows("dependent_conditions")]


def make_unobservable(made: Iterable[Row]) -> list[Row]:
    """Make ``unobservable_actions.csv``: the actions that no event is named after.

    `shown` is ``always`` for those that calls of other names need whatever they ask (s3:ListBucket by ListObjects).
    """
    own = {f"{o.service}:{o.name}".lower() for o in operations()}
    own |= {row["action"].lower() for row in rows("observed_actions")}
    hand = {action.lower() for found in rules.event_rules().values() for action in _always(found)}
    always = hand | {row[2].lower() for row in made if row[3] == "required" and not row[4]}
    source = "no operation of the API models has this name"
    return [
        (action, "always" if action.lower() in always else "", source)
        for action in actions.every()
        if action.lower() not in own
    ]


def _always(found: Iterable[rules.EventRule]) -> list[str]:
    return [rule.action for rule in found if rule.role == "required" and not rule.when]


def make_pass_role(reference: Reference) -> list[Row]:
    """Make ``pass_role.csv``: kept rows, with the reference's PassedToService where it states one."""
    clients: dict[tuple[str, str], list[str]] = {}
    for operation in operations():
        key = (operation.service, operation.name.lower())
        clients.setdefault(key, []).extend(reference.passed_to.get((operation.client, operation.name), []))
    out = []
    for row in rows("pass_role"):
        to = sorted(set(clients.get((row["service"], row["event_name"].lower()), []))) or row["passed_to"].split()
        out.append((row["service"], row["event_name"], row["paths"], row["profile_paths"], " ".join(to), row["source"]))
    return sorted(out)


def _text(head: Iterable[str], body: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(body)
    return out.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Rebuild the tables and print the diff; with --check only print it and exit 1 where there is one."""
    parser = argparse.ArgumentParser(prog="python -m trailfit.catalog.refresh", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--from", dest="folder", type=Path, help="folder of service reference JSON files [default: AWS]"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table would change")
    given = parser.parse_args(arguments)
    try:
        reference = read_reference(given.folder)
    except TrailfitError as problem:
        print(f"refresh: {problem}", file=sys.stderr)  # noqa: T201 - this module is a command
        return 2
    made = make_operations(reference)
    tables = {
        "operations": (HEAD, made),
        "pass_role": (
            ["service", "event_name", "paths", "profile_paths", "passed_to", "source"],
            make_pass_role(reference),
        ),
        "unobservable_actions": (["action", "shown", "source"], make_unobservable(made)),
    }
    changed = False
    for name, (head, body) in tables.items():
        path = FOLDER / f"{name}.csv"
        before, after = path.read_text(encoding="utf-8"), _text(head, body)
        difference = list(difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=0))
        changed |= bool(difference)
        print("\n".join(difference) or f"{name}: no change")  # noqa: T201 - the diff is the result
        if difference and not given.check:
            path.write_text(after, encoding="utf-8")
    return 1 if given.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
