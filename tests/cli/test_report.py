import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from trailfit.cli.main import cli

EMPTY = {
    "trailfit": "1", "window": {"from": "2026-08-03", "to": "2026-10-31", "days": 90},
    "coverage": [], "unassessed": [], "findings": [], "recommendations": [],
}  # fmt: skip


def test_report_reads_and_writes_in_the_run_s_folder(tmp_path: Path) -> None:
    (tmp_path / "recommendations.json").write_text(json.dumps(EMPTY))
    result = CliRunner().invoke(cli, ["report", "--out", str(tmp_path)], catch_exceptions=False)

    assert result.exit_code == 0
    assert [Path(line).name for line in result.stdout.splitlines()] == [
        "report.html",
        "report.md",
        "findings.csv",
        "findings.sarif",
        "findings.asff.json",
        "findings.ocsf.json",
    ]
    assert "<h1>Nothing to remove</h1>" in (tmp_path / "report.html").read_text()


def test_no_recommendations_is_one_readable_line(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from trailfit.cli.main import main; main()"]
    result = subprocess.run([*program, "report", "--out", str(tmp_path)], capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "run trailfit recommend with the same --out first" in result.stderr


def test_the_lake_s_earlier_runs_are_the_trend(tmp_path, trailfit):
    import json

    from tests.deliver import sample
    from trailfit.deliver import state
    from trailfit.lake import Lake

    data = sample.recommendations()
    (tmp_path / "recommendations.json").write_text(json.dumps(data))
    lake = Lake(tmp_path / "lake")
    state.remember_run(lake, {**data, "window": {"from": "2026-07-01", "to": "2026-09-30", "days": 90}})
    printed = trailfit("report", "--out", tmp_path, "--lake", lake.root).stdout

    assert "findings.ocsf.json" in printed
    assert "Since the run that ended 2026-09-30" in (tmp_path / "report.md").read_text()
