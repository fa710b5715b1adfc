"""From a bucket to what was used, beside trailscraper's: ``python -m tests.bench.trailscraper [RECORDS]``.

trailscraper is found by TRAILFIT_TRAILSCRAPER (its command) or on PATH; install it in an environment of its own. CPU
seconds of whole processes, start-up included, on the same objects from the same server on loopback (`s3_server`).

The outputs are not the same. `trailscraper download`, `select | generate` copies the logs and prints one policy for all
callers together. `trailfit ingest` and `usage` make a lake of the events (each once, with outcome and resources) and
print who used which action on which resource. Neither has read what is granted today.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.ingest import PROGRAM
from tests.bench.records import REGIONS, write

HERE = Path(__file__).parent
RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 40_000
PER_OBJECT = 500
ACCOUNT = "111122223333"


def cpu(commands: list[list[str]], environment: dict[str, str], output: Path) -> float:
    """Run commands as one pipe after the other has ended; the last one's output goes to a file. CPU seconds of all."""
    before = os.times()
    with output.open("wb") as out:
        piped = None
        running = []
        for position, command in enumerate(commands):
            last = position == len(commands) - 1
            process = subprocess.Popen(
                command,
                stdin=piped,
                stdout=out if last else subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            running.append(process)
            piped = process.stdout
        codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"exit {codes}: {commands}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def upload(folder: Path, environment: dict[str, str]) -> int:
    """Put the objects into a bucket; give their number."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip
    client.create_bucket(Bucket="logs")
    paths = sorted(folder.rglob("*.gz"))
    for path in paths:
        client.put_object(Bucket="logs", Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())
    return len(paths)


def compare(scraper: str, work: Path, environment: dict[str, str]) -> None:
    """Run both ways and print what they cost and what they gave."""
    days = ["--from", "2026-07-31", "--to", "2026-08-03"]
    place = ["--bucket", "logs", "--account-id", ACCOUNT, "--log-dir", str(work / "copied")]
    regions = [word for region in REGIONS for word in ("--region", region)]
    download = cpu([[scraper, "download", *place, *regions, *days]], environment, work / "download.txt")
    select = [scraper, "select", "--log-dir", str(work / "copied"), *days]
    policy = cpu([select, [scraper, "generate"]], environment, work / "policy.json")
    ours = [sys.executable, "-c", PROGRAM, "-q"]
    lake = ["--lake", str(work / "lake")]
    ingest = cpu([[*ours, "ingest", "s3://logs", *lake, "--jobs", "1"]], environment, work / "ingest.txt")
    usage = cpu([[*ours, "usage", *lake, "--format", "json"]], environment, work / "usage.json")

    actions = {
        action
        for statement in json.loads((work / "policy.json").read_text())["Statement"]
        for action in statement["Action"]
    }
    used = json.loads((work / "usage.json").read_text())
    print(f"trailscraper  {download + policy:8.2f} CPU s  (download {download:.2f}, select | generate {policy:.2f})")
    print(f"              one policy for all callers: {len(actions)} actions")
    print(f"trailfit      {ingest + usage:8.2f} CPU s  (ingest {ingest:.2f}, usage {usage:.2f})")
    print(f"              {len(used):,} rows of principal, action and resource, each with calls, first and last use")
    theirs = download + policy
    for what, ours_cpu in (("ingest alone", ingest), ("ingest and usage", ingest + usage)):
        ratio = theirs / ours_cpu
        print(f"ratio         {ratio:8.1f} ×  {what} (bar 20 ×{'' if ratio >= 20 else ', MISSED'})")


def main() -> None:
    """Print the ratio, or that there is nothing to compare with."""
    scraper = os.environ.get("TRAILFIT_TRAILSCRAPER") or shutil.which("trailscraper")
    if scraper is None:
        print("trailscraper is not installed here (TRAILFIT_TRAILSCRAPER names its command): nothing to compare with")
        return
    server = subprocess.Popen([sys.executable, str(HERE / "s3_server.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
        environment = os.environ | keys | {"AWS_ENDPOINT_URL": url}
        with tempfile.TemporaryDirectory(prefix="trailfit-bench-") as folder:
            work = Path(folder)
            write(work / "logs", RECORDS // PER_OBJECT, PER_OBJECT, seed=3)
            objects = upload(work / "logs", environment)
            print(f"{RECORDS:,} records in {objects} objects, from S3 on loopback")
            compare(scraper, work, environment)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
