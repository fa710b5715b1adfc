"""What ingest costs, side by side with yardsticks in one run: ``python -m tests.bench.ingest [--full] [--keep DIR]``.

CPU seconds are those of whole processes and their children (wait4), so start-up counts. Ratios are what to quote:
seconds move with the machine's load. Without ``--full`` the inputs are a tenth (large objects), a fifth (small ones),
and memory is shown up to a million records instead of ten.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.bench.records import write  # noqa: E402 - found by the line above
from trailfit.ingest.kernel import library  # noqa: E402 - as above

PROGRAM = "import sys; from trailfit.cli.main import main; sys.argv[0] = 'trailfit'; main()"


#: What is held against a bar: its name, the figure, the bar, and whether it is met.
Row = tuple[str, str, str, bool]


@dataclass
class Cost:
    """CPU seconds of a process and its children, and the most memory that all of them held at once (MiB)."""

    cpu: float
    peak: float


def measure(command: list[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end and measure it."""
    before = os.times()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code not in (0, 3):
        raise SystemExit(f"exit {code}: {' '.join(command)}")
    # The workers' fork server ends just after its parent, and is reaped by init where nobody else does it.
    time.sleep(0.2)
    after = os.times()
    return Cost(after.children_user + after.children_system - before.children_user - before.children_system, peak)


def resident(root: int) -> float:
    """Add up the resident memory (MiB) of a process and its descendants; pages they share count once each (PSS)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, left = 0, [root]
    while left:
        pid = left.pop()
        left += children.get(pid, [])
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def ingest(source: str | Path, lake: Path, *, jobs: int = 1, environment: dict[str, str] | None = None) -> Cost:
    command = [sys.executable, "-c", PROGRAM, "-q", "ingest", str(source), "--lake", str(lake), "--jobs", str(jobs)]
    return measure(command, environment)


def bound(logs: Path, work: Path) -> Cost | None:
    """Measure libdeflate and simdjson alone (`bound.cpp`): what no decoder that reads all can beat by much."""
    program = work / "bound"
    build = ["c++", "-std=c++17", "-O3", str(HERE / "bound.cpp"), "-lsimdjson", "-ldeflate", "-o", str(program)]
    try:
        if not program.exists() and subprocess.run(build, stderr=subprocess.DEVNULL, check=False).returncode:
            return None
    except OSError:
        return None
    return measure(["sh", "-c", f"find {shlex.quote(str(logs))} -name '*.gz' | {shlex.quote(str(program))}"])


def against_duckdb(name: str, logs: Path, records: int, work: Path, bar: float) -> tuple[Cost, Row]:
    """Compare the whole ingest with DuckDB's best bare read_json → Parquet, alternating, the better of two each."""
    ours, theirs = [], []
    for _ in range(2):
        shutil.rmtree(work / "lake", ignore_errors=True)
        theirs.append(measure([sys.executable, str(HERE / "duckdb_best.py"), str(logs), str(work / "d.parquet"), "1"]))
        ours.append(ingest(logs, work / "lake"))
    our, their = min(ours, key=lambda cost: cost.cpu), min(theirs, key=lambda cost: cost.cpu)
    print(f"{name}: {records:,} records")
    print(
        f"  trailfit, whole ingest     {our.cpu:8.2f} CPU s  {records / our.cpu:10,.0f} records/CPU s  {our.peak:6.0f} MiB"
    )
    print(
        f"  DuckDB, bare read_json     {their.cpu:8.2f} CPU s  {records / their.cpu:10,.0f} records/CPU s  {their.peak:6.0f} MiB"
    )
    least = bound(logs, work)
    if least is None:
        print("  libdeflate + simdjson DOM      (no compiler or libraries)")
    else:
        print(
            f"  libdeflate + simdjson DOM  {least.cpu:8.2f} CPU s  {records / least.cpu:10,.0f} records/CPU s  "
            f"trailfit is at {least.cpu / our.cpu:.0%} of this bound"
        )
    print(f"  decoder                    {'native' if library() else 'Python':>8}")
    ratio = their.cpu / our.cpu
    print(f"  ratio                      {ratio:8.2f} ×      (bar {bar} ×)")
    return our, (f"{name}, against DuckDB", f"{ratio:.2f} ×", f"≥ {bar} ×", ratio >= bar)


def incremental(logs: Path, lake: Path, first: Cost) -> Row:
    """Run again over the lake just made: nothing new, then one late object."""
    again = ingest(logs, lake)
    part = first.cpu / again.cpu
    print(f"second run, nothing new        {again.cpu:8.2f} CPU s  1/{part:.0f} of the first  (bar 1/20)")
    write(logs, 1, 20, seed=99)
    late = ingest(logs, lake)
    print(f"one late object                {late.cpu:8.2f} CPU s  1/{first.cpu / late.cpu:.0f} of the first")
    return "second run over an unchanged lake", f"1/{part:.0f}", "≤ 1/20", part >= 20


def memory(work: Path, sizes: tuple[int, ...]) -> list[Row]:
    """Show the peak memory of all processes at several sizes of input, with two workers."""
    peaks: list[float] = []
    for size in sizes:
        logs = work / f"m{size}"
        write(logs, size // 5000, 5000, days=4, seed=5)
        peaks.append(ingest(logs, work / f"ml{size}", jobs=2).peak)
        print(f"memory at {size:>10,} records   {peaks[-1]:8.0f} MiB, 2 workers", flush=True)
        shutil.rmtree(logs)
        shutil.rmtree(work / f"ml{size}")
    shown = " / ".join(f"{peak:.0f}" for peak in peaks)
    at = " / ".join(f"{size:,}" for size in sizes)
    return [
        (f"peak MiB at {at} records", shown, "≤ 1024", max(peaks) <= 1024),
        (
            "the last of these, by the one before",
            f"{peaks[-1] / peaks[-2]:.2f} ×",
            "≤ 1.1 ×",
            peaks[-1] <= 1.1 * peaks[-2],
        ),
    ]


def fetching() -> Row:
    """Fetch small objects from a server on loopback, beside boto3: `fetch.py`."""
    said = subprocess.run([sys.executable, str(HERE / "fetch.py")], capture_output=True, text=True, check=True).stdout
    print(said, end="")
    ratio = float(said.rpartition("ratio")[2].split()[0])
    return "objects fetched, against boto3", f"{ratio:.1f} ×", "≥ 5 ×", ratio >= 5


def main() -> None:
    """Print all figures, and the table of those that have a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes that the bars are meant for")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    work = given.keep or Path(tempfile.mkdtemp(prefix="trailfit-bench-"))
    large, small = (400, 20_000) if given.full else (40, 4_000)
    write(work / "large", large, 5000, seed=1)
    write(work / "small", small, 20, seed=2)
    _, large_row = against_duckdb("large objects", work / "large", large * 5000, work, 1.0)
    first, small_row = against_duckdb("small objects", work / "small", small * 20, work, 2.5)
    rows = [large_row, small_row, incremental(work / "small", work / "lake", first), fetching()]
    rows += memory(work, (100_000, 1_000_000, 10_000_000) if given.full else (100_000, 500_000, 1_000_000))
    print(f"\n{'':<60}{'here':>20}  {'bar':<10}")
    for name, figure, bar, met in rows:
        print(f"{name:<60}{figure:>20}  {bar:<10}{'met' if met else 'MISSED'}")
    if not given.full:
        print("scaled down: a tenth of the large objects, a fifth of the small ones; --full runs the sizes of the bars")
    if given.keep is None:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
