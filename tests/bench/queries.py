"""Time every query over a lake of ten million events: ``python -m tests.bench.queries [--events N] [--keep FOLDER]``.

The lake is the demo's, its events and rollup copied until there are enough: each copy with roles, users, sessions and event
IDs of its own, up to 21 copies of a role (some 900 roles), the rest as further calls of the same ones. Prints wall and
CPU seconds, and whether each query is within the bar: 5 s here, 1 s on the demo's lake.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from trailfit import sql
from trailfit.lake import Lake
from trailfit.usage.questions import query

if TYPE_CHECKING:
    from collections.abc import Iterator

BARS = {"demo": 1.0, "large": 5.0}
#: What a query needs to be told, where its answer would otherwise be empty or unbounded.
ASKED = {
    "timeline": {"principal": "arn:aws:iam::111122223333:role/orders-writer-role-7"},
    "session_usage": {"principals": "arn:aws:iam::111122223333:role/service/catalogue-role-7"},
    "grant_changes": {"events": "PutRolePolicy,AttachRolePolicy,CreatePolicyVersion"},
    "denied_since": {"changes": "2026-08-04T00:00:00=arn:aws:iam::111122223333:role/orders-writer-role-7"},
}
_COPY_OF = "regexp_replace({}, '(role|user)/(.+)$', '\\1/\\2-' || (copy % 21))"


def multiply(demo: Path, into: Path, copies: int) -> int:
    """Copy the demo's lake `copies` times over into the lake `into`; return the number of its events."""
    con = duckdb.connect()
    events = 0
    for manifest in sorted((demo / "units").rglob("*.json")):
        told = json.loads(manifest.read_text())
        if not told["rows"]:
            continue
        for table, changes in (
            ("events", f"md5(event_id || copy) as event_id, {_COPY_OF.format('principal')} as principal"),
            ("usage", f"{_COPY_OF.format('principal')} as principal"),
        ):
            unit = f"{table}/account={told['account']}/date={told['day']}"
            folder = into / unit
            folder.mkdir(parents=True, exist_ok=True)
            con.execute(
                f"copy (select * exclude (copy) replace ({changes}) from read_parquet('{demo / unit}/*.parquet', "
                f"hive_partitioning = false), range({copies}) as t(copy)) to '{folder}/part-0-of-1.parquet' "
                "(format parquet, compression zstd)"
            )
            told[table] = [{"name": "part-0-of-1.parquet", "size": 0, "rows": told["rows"] * copies}]
        told["rows"] *= copies
        told["records"] = told["rows"] + told["duplicates"]
        events += told["rows"]
        target = into / manifest.relative_to(demo)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(told))
    for part in ("snapshots", "judged"):
        (into / part).symlink_to(demo / part)
    return events


def timed(root: Path) -> Iterator[tuple[str, int, float, float]]:
    """Run every query over the lake; give its name, its rows, and its wall and CPU seconds."""
    lake = Lake(str(root))
    with lake.connect() as con:
        con.execute("select count(*) from events").fetchall()
        for name in sql.names():
            asked = {key: value for key, value in ASKED.get(name, {}).items() if key in sql.load(name).parameters}
            wall, cpu = time.perf_counter(), time.process_time()
            rows = len(query(lake, name, con=con, **asked).to_arrow_table())
            yield name, rows, time.perf_counter() - wall, time.process_time() - cpu


def main() -> int:
    """Make the lakes, time the queries, print the table; 1 when a query is slower than its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="make the lakes here, or use those that are here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = given.keep or Path(folder)
        if not (base / "demo" / "lake").is_dir():
            from trailfit.demo.organisation import make
            from trailfit.ingest.run import run
            from trailfit.inventory import from_files, store

            made = make(base / "demo")
            lake = Lake(str(base / "demo" / "lake"))
            run([str(made.logs)], lake)
            store.save(lake, from_files.read(made.iam))
        held = sum(manifest.rows for manifest in Lake(str(base / "demo" / "lake")).manifests())
        if not (base / "large").is_dir():
            multiply(base / "demo" / "lake", base / "large", -(-given.events // held))
        slow = 0
        for name, root in (("demo", base / "demo" / "lake"), ("large", base / "large")):
            events = sum(manifest.rows for manifest in Lake(str(root)).manifests())
            sys.stdout.write(
                f"\n{name}: {events:,} events, bar {BARS[name]:.0f} s\n{'query':20}{'rows':>10}{'wall s':>9}{'cpu s':>9}\n"
            )
            for asked, rows, wall, cpu in timed(root):
                over = wall > BARS[name]
                slow += over
                sys.stdout.write(f"{asked:20}{rows:>10,}{wall:>9.2f}{cpu:>9.2f}{'  over the bar' if over else ''}\n")
                sys.stdout.flush()
        return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
