"""Ceph's S3, in other hands than moto's: logs from it, a lake in it, its conditional puts, its refusals."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.ingest import ceph
from tests.ingest.conftest import forget_clients
from tests.ingest.faults import Proxy, at_random
from tests.ingest.test_bucket import contents
from tests.ingest.test_kill import PROGRAM
from tests.ingest.trails import put, record, several_days, tree

from trailfit.errors import LakeError
from trailfit.ingest.run import run
from trailfit.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Ceph on loopback, where it can be started."""
    reason = ceph.missing()
    if reason:
        pytest.skip(f"no Ceph here: {reason}")
    with ceph.serve(tmp_path_factory.mktemp("ceph")) as environment:
        yield environment


@pytest.fixture
def client(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of it, with the product's environment pointing to it."""
    import boto3

    for name, value in server.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    yield boto3.client("s3")
    forget_clients()


def upload(client: Any, bucket: str, folder: Path) -> None:
    client.create_bucket(Bucket=bucket)
    for path in sorted(folder.rglob("*.gz")):
        client.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())


def test_logs_and_lake_in_ceph_are_as_on_disk_and_incremental(client, tmp_path):
    total = several_days(tmp_path / "logs")
    upload(client, "logs", tmp_path / "logs")
    client.create_bucket(Bucket="lakes")
    run([str(tmp_path / "logs")], Lake(tmp_path / "disk"), jobs=1)

    first = run(["s3://logs"], Lake("s3://lakes/a"), jobs=2)
    again = run(["s3://logs"], Lake("s3://lakes/a"), jobs=1)
    late = put(tmp_path / "logs", [record("late", "2026-10-29T10:00:00Z")], delivered="2026-10-29T10:05", tag="late")
    client.put_object(Bucket="logs", Key=late.relative_to(tmp_path / "logs").as_posix(), Body=late.read_bytes())
    third = run(["s3://logs"], Lake("s3://lakes/a"), jobs=1)
    run([str(tmp_path / "logs")], Lake(tmp_path / "disk"), jobs=1)

    assert (first.counts.kept, first.problems) == (total, [])
    assert (again.counts.objects, again.counts.objects_done_before) == (0, 24)
    assert (third.counts.objects, third.counts.units, third.counts.kept) == (1, 1, 1)
    assert contents(Lake("s3://lakes/a")) == contents(Lake(tmp_path / "disk"))


def test_of_many_at_once_one_gets_the_lock(client):
    client.create_bucket(Bucket="locks")
    held: list[int] = []
    refused: list[str] = []
    ready, done = threading.Barrier(12), threading.Event()

    def take(number: int) -> None:
        ready.wait()
        try:
            with Lake("s3://locks/lake").lock():
                held.append(number)
                done.wait(30)
        except LakeError as problem:
            refused.append(str(problem))
            if len(refused) == 11:
                done.set()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(held), len(refused)) == (1, 11)
    assert all("another ingest" in one for one in refused)
    with Lake("s3://locks/lake").lock():
        pass


def test_two_ingests_at_once_leave_one_whole_lake(client, tmp_path):
    several_days(tmp_path / "logs")
    client.create_bucket(Bucket="both")
    run([str(tmp_path / "logs")], Lake(tmp_path / "disk"), jobs=1)
    command = [sys.executable, "-c", PROGRAM, "-q", "ingest", str(tmp_path / "logs"), "--lake", "s3://both/lake"]

    processes = [subprocess.Popen([*command, "--jobs", "1", "--wait", "120"]) for _ in range(2)]

    assert [process.wait(timeout=180) for process in processes] == [0, 0]
    assert contents(Lake("s3://both/lake")) == contents(Lake(tmp_path / "disk"))


def test_a_wrong_secret_is_said_as_ceph_says_it(client, tmp_path, monkeypatch):
    client.create_bucket(Bucket="guarded")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    forget_clients()

    result = run(["s3://guarded"], Lake(tmp_path / "lake"), jobs=1)

    assert [problem.reason.split(":")[0] for problem in result.problems] == ["SignatureDoesNotMatch"]


@pytest.mark.parametrize("kind", ["slow_down", "reset", "cut"])
def test_faults_before_ceph_change_nothing_in_the_lake(client, server, tmp_path, monkeypatch, kind):
    several_days(tmp_path / "logs", days=2)
    upload(client, f"faults-{kind.replace('_', '-')}", tmp_path / "logs")
    source = [f"s3://faults-{kind.replace('_', '-')}"]
    run(source, Lake(tmp_path / "calm"), jobs=1)
    host, port = server["AWS_ENDPOINT_URL"].removeprefix("http://").split(":")

    with Proxy(host, int(port), at_random(0.2, 3, (kind,))) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget_clients()
        result = run(source, Lake(tmp_path / "lake"), jobs=1)

    assert proxy.broken > 0
    assert result.problems == []
    assert tree(tmp_path / "lake") == tree(tmp_path / "calm")
