"""The inventory of a large organisation: requests, seconds and peak memory, at two sizes.

Run: ``python -m tests.bench.inventory``. The fake AWS runs here, ``trailfit inventory`` in a process of its own, whose
peak memory is measured. "collect" asks and keeps nothing in memory; "all" also makes the snapshot and stores it.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.inventory.fake_aws import FakeAWS
from tests.inventory.fake_organisation import MANAGEMENT, Organisation

ACCOUNTS = (MANAGEMENT, "100000000002", "100000000003")
COLLECT = """
import sys
from pathlib import Path
from trailfit.inventory.collect import Collection
from trailfit.inventory.sessions import Caller, named
from trailfit.inventory.settings import Settings
settings = Settings(role_name="audit", accounts=("org",), regions=("eu-west-1",))
Collection(Path(sys.argv[1]), Caller(named(None), settings), lambda text: None).run()
"""


def environment(url: str, home: Path) -> dict[str, str]:
    return os.environ | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "XDG_CACHE_HOME": str(home),
    }


def measured(command: list[str], env: dict[str, str]) -> tuple[float, int]:
    """Run a command; return its seconds and its peak resident memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(error.decode())
    return time.monotonic() - began, usage.ru_maxrss // 1024


def run(times: int) -> dict[str, tuple[float, int, int]]:
    """Return seconds, MB and requests of "collect" and "all" for `times` the roles, users and policies of the bar."""
    found = {}
    for what in ("collect", "all"):
        organisation = Organisation(ACCOUNTS, roles=334 * times, users=67 * times, policies=100 * times)
        with tempfile.TemporaryDirectory() as folder, FakeAWS(organisation) as fake:
            inventory = ["inventory", "--lake", f"{folder}/lake", "--accounts", "org", "--role-name", "audit"]
            program = "from trailfit.cli.main import main; main()"
            command = {
                "collect": [sys.executable, "-c", COLLECT, f"{folder}/work"],
                "all": [sys.executable, "-c", program, *inventory, "--regions", "eu-west-1"],
            }[what]
            seconds, megabytes = measured(command, environment(fake.url, Path(folder)))
            found[what] = (seconds, megabytes, fake.seen.total())
    return found


def main() -> None:
    sizes = {times: run(times) for times in (1, 3)}
    for times, found in sizes.items():
        for what, (seconds, megabytes, requests) in found.items():
            print(f"{1002 * times} roles, {what}: {requests} requests, {seconds:.1f} s, {megabytes} MB")
    for what in ("collect", "all"):
        print(f"{what}: {sizes[3][what][1] / sizes[1][what][1]:.2f} times the memory for 3 times the roles")


if __name__ == "__main__":
    main()
