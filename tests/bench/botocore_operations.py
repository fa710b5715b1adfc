"""Print how every operation of the installed API models is understood, by class, and what stays unknown and why.

Run: ``python tests/bench/botocore_operations.py [--unknown]``. An unknown operation is one for which neither the
catalogue has an action of its name nor any source names one: mostly APIs newer than the catalogue's data, or retired.
"""

import sys
from collections import Counter, defaultdict

from trailfit.catalog import actions, version
from trailfit.catalog.models import operations
from trailfit.cloudtrail.plan import plan


def kind_of(meaning):
    if meaning.unknown:
        return "unknown"
    if meaning.free:
        return "no IAM permission"
    deciding = [need for need in meaning.needs if need.role == "required" or need.role.startswith("one_of")]
    own = f"{meaning.service}:{meaning.operation}".lower()
    regular = [need.action.lower() for need in deciding] == [own]
    more = len(meaning.needs) > len(deciding)
    if regular:
        return "its own action and more" if more else "its own action"
    if any(need.role.startswith("one_of") for need in deciding):
        return "one of several"
    if any(need.when for need in deciding):
        return "depends on the request"
    return "another action" if len(deciding) == 1 else "several actions"


def main():
    counts, unknown = Counter(), defaultdict(list)
    for operation in operations():
        meaning = plan(operation.service, operation.name)
        counts[kind_of(meaning)] += 1
        assert all(actions.is_action(need.action) for need in meaning.needs)
        if meaning.unknown:
            unknown[operation.client].append(operation.name)
    total = counts.total()
    print(f"{total:,} operations, {version()}")
    for name, count in counts.most_common():
        print(f"  {count:>7,}  {count / total:7.2%}  {name}")
    print(f"  not unknown: {1 - counts['unknown'] / total:.2%}")
    whole = sum(len(names) for client, names in unknown.items() if is_absent(client, names))
    print(f"  of the unknown, {whole} belong to clients of which the catalogue knows no action at all")
    if "--unknown" in sys.argv:
        for client, names in sorted(unknown.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            print(f"{client}: {' '.join(sorted(names))}")


def is_absent(client, names):
    return len(names) == sum(operation.client == client for operation in operations())


if __name__ == "__main__":
    main()
