"""Small objects from a real S3 server on loopback: trailfit's fetch against a boto3 thread pool.

``python -m tests.bench.fetch [OBJECTS]``. CPU seconds of the client's whole process, start-up included, the better of
two runs each, alternating; wall time says nothing, for server and client share the machine. The servers: moto behind
one that keeps connections open (`s3_server`), and Ceph where there is one (`tests.ingest.ceph`), which checks signatures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.ingest import ceph  # noqa: E402 - found by the line above

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5000
SIZE = 5000


def fetch_with_trailfit(keys: list[str]) -> int:
    from trailfit.ingest.bucket import read_objects
    from trailfit.model import LogObject

    objects = [LogObject(f"s3://logs/{key}", "", SIZE, None, None, None) for key in keys]
    return sum(len(data or b"") for _, data, _ in read_objects(objects, payer=False))


def fetch_with_boto3(keys: list[str]) -> int:
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=32))
    with ThreadPoolExecutor(32) as pool:
        return sum(pool.map(lambda key: len(client.get_object(Bucket="logs", Key=key)["Body"].read()), keys))


def fill(environment: dict[str, str]) -> None:
    """Put the objects, with the client that takes least from the machine."""
    import obstore

    from trailfit.storage.places import bucket_store, client, forget

    os.environ |= environment
    forget()
    client.cache_clear()
    client("s3", environment["AWS_DEFAULT_REGION"]).create_bucket(Bucket="logs")
    store = bucket_store("logs")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: obstore.put(store, f"k/{n}", os.urandom(SIZE)), range(OBJECTS)))


def compare(server: str, environment: dict[str, str]) -> float:
    """Fetch everything with each client; give trailfit's objects per CPU second by boto3's."""
    fill(environment)
    rates: dict[str, float] = {}
    for name in ("boto3", "trailfit") * 2:
        before = os.times()
        subprocess.run(
            [sys.executable, str(HERE / "fetch.py"), "client", name, str(OBJECTS)],
            env=os.environ | environment,
            check=True,
        )
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        rates[name] = max(rates.get(name, 0.0), OBJECTS / cpu)
    ratio = rates["trailfit"] / rates["boto3"]
    print(f"{OBJECTS:,} objects of {SIZE:,} bytes from {server}")
    for name, rate in rates.items():
        print(f"  {name:<10} {rate:8,.0f} objects/CPU s")
    print(f"  ratio      {ratio:8.1f} ×  (bar 5 ×{'' if ratio >= 5 else ', MISSED'})", flush=True)
    return ratio


def moto() -> float:
    """Compare from moto."""
    server = subprocess.Popen([sys.executable, str(HERE / "s3_server.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
        return compare("moto", {"AWS_ENDPOINT_URL": url, **keys})
    finally:
        server.kill()


def main() -> None:
    """Print the ratio from each server there is."""
    if sys.argv[1:2] == ["client"]:
        keys = [f"k/{number}" for number in range(int(sys.argv[3]))]
        size = {"trailfit": fetch_with_trailfit, "boto3": fetch_with_boto3}[sys.argv[2]](keys)
        assert size == SIZE * len(keys)
        return
    moto()
    reason = ceph.missing()
    if reason:
        print(f"Ceph: not compared: {reason}")
    else:
        with tempfile.TemporaryDirectory(prefix="trailfit-ceph-") as folder, ceph.serve(Path(folder)) as environment:
            compare("Ceph", environment)


if __name__ == "__main__":
    main()
