"""What a run costs that finds nothing new, and one late object: ``python -m tests.bench.second_run [OBJECTS]``.

From a folder into a folder, and from S3 into S3 (Ceph where there is one, else moto). CPU seconds of whole processes; the
bar, a twentieth of the first run, is meant for 20,000 objects of 20 records: with fewer, start-up weighs more.
The objects are of 20 units (days), of which the late one costs one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.ingest import ingest
from tests.bench.records import write
from tests.ingest import ceph

HERE = Path(__file__).parent
OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 4000


def show(place: str, first: float, again: float, late: float) -> None:
    """Print one place's figures."""
    missed = ", MISSED" if OBJECTS >= 20_000 and again > first / 20 else ""
    print(f"{OBJECTS:,} objects, {place}")
    print(f"  first run        {first:8.2f} CPU s")
    print(f"  nothing new      {again:8.2f} CPU s  1/{first / again:.0f} of the first  (bar 1/20{missed})")
    print(f"  one late object  {late:8.2f} CPU s  1/{first / late:.0f} of the first", flush=True)


def on_disk(logs: Path, work: Path) -> Path:
    """Measure with folders; give the late object."""
    first = ingest(logs, work / "lake").cpu
    again = min(ingest(logs, work / "lake").cpu for _ in range(2))
    before = set(logs.rglob("*.gz"))
    write(logs, 1, 20, seed=99)
    (late,) = set(logs.rglob("*.gz")) - before
    show("from a folder into a folder", first, again, ingest(logs, work / "lake").cpu)
    return late


def in_s3(server: str, logs: Path, late: Path, environment: dict[str, str]) -> None:
    """Measure with logs and lake in S3."""
    import obstore

    from trailfit.storage.places import bucket_store, client

    os.environ |= environment
    for bucket in ("logs", "lakes"):
        client("s3", environment["AWS_DEFAULT_REGION"]).create_bucket(Bucket=bucket)
    store = bucket_store("logs")

    def put(path: Path) -> None:
        obstore.put(store, path.relative_to(logs).as_posix(), path.read_bytes())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, (path for path in logs.rglob("*.gz") if path != late)))
    lake = "s3://lakes/lake"
    first = ingest("s3://logs", lake, environment=environment).cpu
    again = min(ingest("s3://logs", lake, environment=environment).cpu for _ in range(2))
    put(late)
    show(f"from {server} into {server}", first, again, ingest("s3://logs", lake, environment=environment).cpu)


def main() -> None:
    """Print the figures of both places."""
    with tempfile.TemporaryDirectory(prefix="trailfit-bench-") as folder:
        work = Path(folder)
        write(work / "logs", OBJECTS, 20, days=20, seed=2)
        late = on_disk(work / "logs", work)
        if ceph.missing() is None:
            with ceph.serve(work) as environment:
                in_s3("Ceph", work / "logs", late, environment)
            return
        server = subprocess.Popen([sys.executable, str(HERE / "s3_server.py")], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
            in_s3("moto", work / "logs", late, {"AWS_ENDPOINT_URL": url, **keys})
        finally:
            server.kill()


if __name__ == "__main__":
    main()
