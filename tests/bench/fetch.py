"""Small objects from an S3 server on loopback: trailfit's fetch against a boto3 thread pool, CPU seconds of the client.

``python tests/bench/fetch.py [OBJECTS]``. The server (moto, in a process of its own) is slow, so wall time says
nothing; the client's CPU does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 2000
SERVER = """
import logging, time
from moto.server import ThreadedMotoServer
from werkzeug.serving import WSGIRequestHandler
WSGIRequestHandler.protocol_version = 'HTTP/1.1'  # connections stay open, as with S3
logging.getLogger('werkzeug').setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
time.sleep(3600)
"""


def fetch_with_trailfit(keys: list[str]) -> int:
    from trailfit.ingest.bucket import read_objects
    from trailfit.model import LogObject

    objects = [LogObject(f"s3://logs/{key}", "", 5000, None, None, None) for key in keys]
    return sum(len(data or b"") for _, data, _ in read_objects(objects, payer=False))


def fetch_with_boto3(keys: list[str]) -> int:
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=32))
    with ThreadPoolExecutor(32) as pool:
        return sum(pool.map(lambda key: len(client.get_object(Bucket="logs", Key=key)["Body"].read()), keys))


def main() -> None:
    if sys.argv[1:2] == ["client"]:
        keys = [f"k/{number}" for number in range(int(sys.argv[3]))]
        fetch = {"trailfit": fetch_with_trailfit, "boto3": fetch_with_boto3}[sys.argv[2]]
        fetch(keys[:8])
        began = time.process_time()
        size = fetch(keys)
        assert size == 5000 * len(keys)
        print(time.process_time() - began)
        return
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        os.environ |= {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        import boto3

        client = boto3.client("s3")
        client.create_bucket(Bucket="logs")
        with ThreadPoolExecutor(16) as pool:
            list(
                pool.map(
                    lambda n: client.put_object(Bucket="logs", Key=f"k/{n}", Body=os.urandom(5000)), range(OBJECTS)
                )
            )
        rates = {}
        for name in ("boto3", "trailfit", "boto3", "trailfit"):
            command = [sys.executable, str(Path(__file__)), "client", name, str(OBJECTS)]
            cpu = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            rates[name] = max(rates.get(name, 0.0), OBJECTS / cpu)
        for name, rate in rates.items():
            print(f"{name:<10} {rate:8,.0f} objects/CPU s")
        print(f"ratio      {rates['trailfit'] / rates['boto3']:8.1f} ×  (bar 5 ×)")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
