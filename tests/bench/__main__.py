"""Run every benchmark, one after the other: ``python -m tests.bench [NAME …]`` (also ``make bench``)."""

import subprocess
import sys

#: Module → its arguments; sizes that an ordinary laptop does in minutes. Each says how to run the full size.
BENCHES = {
    "understand": [],
    "ingest": [],
    "fetch": [],
    "second_run": [],
    "trailscraper": [],
    "policy": [],
    "rightsizing": ["--families", "ABC", "--seeds", "11-12"],
    "chances": ["--seeds", "1-2"],
    "recommend": [],
    "inventory": [],
    "iac": [],
    "botocore_operations": [],
    "queries": [],
}


def main(names):
    """Run the benchmarks called `names`, or all; give the worst exit code."""
    worst = 0
    for name in names or BENCHES:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *BENCHES[name]], check=False)
        worst = max(worst, done.returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
