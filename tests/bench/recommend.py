"""Recommend for a large organisation: seconds, CPU seconds and peak memory, from a lake whose rollup is made directly.

Run: ``python -m tests.bench.recommend [--roles 400] [--events 50_000_000] [--fan 4]``. The roles are the proving ground's; every
name of theirs that is made anew each time comes `fan` times, so that the rollup has as many rows as such a log gives.
Calls are scaled to the number of events. Bar: 60 s on 2 cores, 1 GiB.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from trailfit.catalog.actions import version
from trailfit.catalog.observability import observability
from trailfit.demo.proving import organisation, window
from trailfit.ingest.parts import events_schema
from trailfit.ingest.rollup import usage_schema
from trailfit.inventory import store
from trailfit.lake import FORMAT, Lake, Manifest, Part, Source, manifest_path, unit_path
from trailfit.model import AttachedPolicy, Principal, Snapshot, Unit
from trailfit.policy.document import Document

DAYS = 90
#: The command itself, and what it took: exec begins the peak of memory anew, which a child's own usage does not.
COMMAND = """
import atexit, re, sys, time
def told():
    peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
    print(f"{time.process_time()} {peak}", file=sys.stderr)
atexit.register(told)
from trailfit.cli.main import cli
cli(sys.argv[1:], prog_name="trailfit")
"""


def rows_of(org, first, last, fan):
    """Give the rollup's rows by account and day: (principal, action, resource, calls)."""
    units = defaultdict(list)
    for role in org.roles:
        for (action, name), days in window(role.log, first, last).items():
            names = [name] if len(days) > 1 or "/" not in name else [name, *(sibling(name, n) for n in range(1, fan))]
            for day, calls in days.items():
                units[Unit(role.account, day)] += [(role.arn, action, each, calls) for each in names]
    return units


def sibling(name, number):
    """Name another of the same look: its letters and digits drawn again, those of its last part."""
    head, mark, last = name.rpartition("/")
    rng = random.Random(f"{name}/{number}")
    stem, dot, end = last.partition(".")
    return (
        head
        + mark
        + "".join(rng.choice("0123456789abcdef") if c in "0123456789abcdef" else c for c in stem)
        + dot
        + end
    )


def write(lake, units, events):
    """Write the rollup's parts and their manifests; one event a unit stands for those that were rolled up."""
    total = sum(calls for rows in units.values() for *_, calls in rows)
    scale = events / total
    count = 0
    for unit, rows in sorted(units.items()):
        noon = datetime(unit.day.year, unit.day.month, unit.day.day, 12)
        table = defaultdict(list)
        for principal, action, name, calls in rows:
            service, _, operation = action.partition(":")
            data = observability(action).data_types if observability(action).kind == "data" else ()
            for column, value in {
                "region": "eu-west-1", "event_source": f"{service}.amazonaws.com", "event_name": operation,
                "event_category": "Data" if data else "Management", "data_type": data[0] if data else None,
                "read_only": False, "principal": principal, "principal_kind": "role", "access_key_id": None,
                "action": action, "resource": name, "role": "required", "basis": "rule", "context": None,
                "outcome": "allowed", "counts_as_use": True, "why": None, "shared": False,
                "calls": max(1, round(calls * scale)), "first_used": noon, "last_used": noon, "example_event": "e",
            }.items():  # fmt: skip
                table[column].append(value)
        count += len(rows)
        for kind, schema, columns in (("usage", usage_schema(), table), ("events", events_schema(), {})):
            folder = Path(lake.root) / unit_path(kind, unit)
            folder.mkdir(parents=True)
            arrays = pa.table({name: columns.get(name, []) for name in schema.names}, schema=unpacked(schema))
            pq.write_table(arrays.cast(schema), folder / "part-0-of-1.parquet", compression="zstd")
        part = (Part("part-0-of-1.parquet", 1, len(rows)),)
        manifest = Manifest(
            FORMAT, unit.account, unit.day.isoformat(), version(), len(rows), len(rows), 0, 0, None, None,
            (Source("bench", "e", 1),), part, part, (),
        )  # fmt: skip
        lake.storage.write(manifest_path(unit), msgspec.json.encode(manifest))
    return count


def unpacked(schema):
    """Give the schema with plain text for dictionaries."""
    return pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])


def snapshot(org, last):
    """Make the account's snapshot: the roles and their policies."""
    principals = tuple(
        Principal(
            role.arn, role.account, "role", role.arn.rpartition("/")[2], "/", datetime(2020, 1, 1),
            policies=tuple(
                AttachedPolicy("inline", f"p{n}", None, Document.parse(each)) for n, each in enumerate(role.policies)
            ),
        )
        for role in org.roles
    )  # fmt: skip
    accounts = tuple(sorted({role.account for role in org.roles}))
    return Snapshot(datetime(last.year, last.month, last.day, 23), accounts, principals)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--roles", type=int, default=400)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--fan", type=int, default=4)
    given = parser.parse_args(argv)
    org = organisation("B", 1, roles=given.roles)
    first, last = org.turn - timedelta(days=DAYS), org.turn - timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        count = write(lake, rows_of(org, first, last, given.fan), given.events)
        store.save(lake, snapshot(org, last))
        print(f"{given.roles} roles, {given.events:,} events in {count:,} rows of the rollup, {DAYS} days")
        start = time.perf_counter()
        command = [sys.executable, "-c", COMMAND, "recommend", "--lake", lake.root, "--out", f"{folder}/out"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - start
    *complaints, told = done.stderr.splitlines()
    cpu, peak = map(float, told.split())
    print("  " + done.stdout.replace("\n", "\n  ").strip()[:600], *complaints[-5:])
    print(
        f"recommend: {seconds:.1f} s (bar 60), {cpu:.1f} s of CPU, {1000 * cpu / given.roles:.0f} ms a role (bar 100), "
        f"peak {peak / 1024:,.0f} MiB (bar 1,024)"
    )
    return 0 if done.returncode in (0, 3) and seconds <= 60 and peak <= 1024**2 else 1


if __name__ == "__main__":
    sys.exit(main())
