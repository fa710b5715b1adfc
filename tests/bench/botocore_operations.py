"""Print how every operation of the installed API models is understood, by class, and what stays unknown and why.

Run: ``python tests/bench/botocore_operations.py [--unknown] [--models-of DIR]``. An unknown operation is one for which
neither the catalogue has an action of its name nor any source names one. DIR is the ``botocore/data`` of the release
that is as old as the catalogue's data: what it lacks is newer than the catalogue. Where ``TRAILFIT_TRAILSCRAPER`` is
the Python of an environment with trailscraper, its answers to the same events stand beside ours.
"""

import argparse
import gzip
import json
import os
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from trailfit.catalog import actions
from trailfit.catalog.models import operations
from trailfit.catalog.observability import source_of
from trailfit.cloudtrail.plan import plan

#: Services that AWS has ended: their calls are answered no more, and their actions left the reference.
ENDED = {
    "applicationcostprofiler": "https://docs.aws.amazon.com/application-cost-profiler/latest/userguide/",
    "cloudhsm": "https://docs.aws.amazon.com/cloudhsm/classic/userguide/",
    "iotthingsgraph": "https://docs.aws.amazon.com/thingsgraph/latest/ug/",
}
ASK_TRAILSCRAPER = """
import json, sys
from trailscraper.cloudtrail import Record
for line in sys.stdin:
    source, name = json.loads(line)
    try:
        statement = Record(source, name, resource_arns=["*"]).to_statement()
        found = [a.json_repr() for a in statement.Action] if statement else []
    except Exception as problem:
        found = [type(problem).__name__]
    print(json.dumps(found))
"""


def deciding(meaning):
    return [need for need in meaning.needs if need.role == "required" or need.role.startswith("one_of")]


def kind_of(meaning):
    if meaning.unknown:
        return "unknown"
    if meaning.free:
        return "no IAM permission"
    needs = deciding(meaning)
    own = f"{meaning.service}:{meaning.operation}".lower()
    regular = [need.action.lower() for need in needs] == [own]
    more = len(meaning.needs) > len(needs)
    if regular:
        return "its own action and more" if more else "its own action"
    if any(need.role.startswith("one_of") for need in needs):
        return "one of several"
    if any(need.when for need in needs):
        return "depends on the request"
    return "another action" if len(needs) == 1 else "several actions"


def reason_of(operation, known_then):
    """Say why an operation is unknown."""
    if operation.client in ENDED:
        return "the service has ended"
    if known_then is not None and operation.name not in known_then.get(operation.client, ()):
        return "the API is newer than the catalogue's data"
    if operation.service not in actions.services():
        return "the catalogue has no action of the service"
    return "the catalogue has no action of that name, and AWS documents none"


def operations_of(folder):
    """Name each client's operations in another release's models."""
    found = {}
    for client in filter(Path.is_dir, folder.iterdir()):
        for path in sorted(client.glob("*/service-2.json*"))[-1:]:
            data = path.read_bytes()
            model = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
            found[client.name] = frozenset(model["operations"])
    return found


def trailscrapers_answers(events):
    python = os.environ.get("TRAILFIT_TRAILSCRAPER")
    if not python:
        return None
    lines = "\n".join(json.dumps(event) for event in events)
    asked = subprocess.run([python, "-c", ASK_TRAILSCRAPER], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in asked.stdout.splitlines()]


def verdict(meaning, answer):
    """Judge an answer of trailscraper's by what we hold to be right."""
    if not all(":" in action and actions.is_action(action) for action in answer):
        return "no such action" if all(":" in action for action in answer) else "fails"
    if meaning.free:
        return "right" if not answer else "wrong"
    if meaning.unknown:
        return "wrong"
    return "right" if {a.lower() for a in answer} & {need.action.lower() for need in deciding(meaning)} else "wrong"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unknown", action="store_true", help="list the unknown operations by client")
    parser.add_argument("--models-of", type=Path, metavar="DIR", help="botocore/data as old as the catalogue's data")
    given = parser.parse_args()
    found = operations()
    meanings = [plan(operation.service, operation.name) for operation in found]
    assert all(actions.is_action(need.action) for meaning in meanings for need in meaning.needs)
    answers = trailscrapers_answers([(source_of(o.service), o.name) for o in found])
    known_then = operations_of(given.models_of) if given.models_of else None

    kinds, judged, unknown = Counter(), defaultdict(Counter), defaultdict(list)
    for at, (operation, meaning) in enumerate(zip(found, meanings, strict=True)):
        kind = kind_of(meaning)
        kinds[kind] += 1
        if answers:
            judged[kind][verdict(meaning, answers[at])] += 1
        if meaning.unknown:
            unknown[reason_of(operation, known_then)].append(operation)
    total = kinds.total()
    print(f"{total:,} operations, {actions.version()}; trailscraper: {'asked' if answers else 'not installed'}")
    columns = ("right", "wrong", "no such action", "fails") if answers else ()
    print(f"  {'':>7}  {'':>7}  {'':<24}" + "".join(f"{column:>16}" for column in columns))
    for name, count in kinds.most_common():
        beside = "".join(f"{judged[name][column]:>16,}" for column in columns)
        print(f"  {count:>7,}  {count / total:7.2%}  {name:<24}{beside}")
    sums = "".join(f"{sum(counts[column] for counts in judged.values()):>16,}" for column in columns)
    print(f"  {total:>7,}  {1:7.2%}  {'all':<24}{sums}")
    print(f"not unknown: {1 - kinds['unknown'] / total:.2%}; the unknown:")
    for reason, which in sorted(unknown.items(), key=lambda pair: -len(pair[1])):
        print(f"  {len(which):>7,}  {reason}")
    if known_then is not None:
        old = [o for o in found if o.name in known_then.get(o.client, ())]
        left = sum(bool(plan(o.service, o.name).unknown) and o.client not in ENDED for o in old)
        running = sum(o.client not in ENDED for o in old)
        print(
            f"of the {running:,} operations of running services as old as the catalogue: {1 - left / running:.2%} known"
        )
    if given.unknown:
        for reason, which in unknown.items():
            print(f"{reason}:")
            for client in sorted({o.client for o in which}):
                print(f"  {client}: {' '.join(sorted(o.name for o in which if o.client == client))}")


if __name__ == "__main__":
    main()
