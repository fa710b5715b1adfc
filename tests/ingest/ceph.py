"""Ceph's S3 (RADOS Gateway) on loopback: a second opinion beside moto, in other hands and another language.

Started by the script that ``TRAILFIT_CEPH`` names (default ``../shared/tools/s3-ceph.sh`` beside the repository), which
needs Debian's packages ceph-mon, ceph-osd, radosgw and ceph-common. It checks signatures and honours conditional puts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(os.environ.get("TRAILFIT_CEPH", Path(__file__).parents[2] / "../shared/tools/s3-ceph.sh"))


def missing() -> str | None:
    """Say why there is no Ceph here; None where it can be started."""
    if not SCRIPT.is_file():
        return f"no script to start it: {SCRIPT.name} (TRAILFIT_CEPH names one)"
    absent = [name for name in ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin") if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    with socket.socket() as probe:
        # The script's monitor has a fixed port: a second Ceph on the machine would take the first one for its own.
        return "another Ceph is running on this machine" if probe.connect_ex(("127.0.0.1", 3300)) == 0 else None


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[dict[str, str]]:
    """Start Ceph in memory, yield the AWS_… environment for it, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "start.log").open("wb") as log:
        # Its daemons inherit the output: a pipe would stay open for as long as they run.
        subprocess.run(["bash", str(SCRIPT), str(folder / "ceph"), str(port)], stdout=log, stderr=log, check=True)
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "secretsecret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        for file in (folder / "ceph").glob("*.pid"):
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGTERM)
