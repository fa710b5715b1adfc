"""``trailfit backtest`` over several levels and windows, and ``[safe]``: what a proposal must reach."""

import json
import xml.etree.ElementTree as ET

import pytest

from trailfit.cli import config
from trailfit.errors import UsageError
from trailfit.recommend.outlook import Bar


def test_levels_and_windows_stand_side_by_side_and_are_drawn(demo, tmp_path, trailfit):
    plot = tmp_path / "plot.svg"
    told = trailfit(
        "backtest", "--lake", demo / "lake", "--train", 30, "--train", 60, "--test", 30, "--level", "exact",
        "--level", "balanced", "--plot", plot, code=3,
    ).stdout.splitlines()  # fmt: skip

    assert told[0].split("  ")[0] == "level"
    assert [line.split()[:2] for line in told[1:5]] == [
        ["exact", "30"], ["balanced", "30"], ["exact", "60"], ["balanced", "60"]
    ]  # fmt: skip
    assert len(list(ET.fromstring(plot.read_text()).iter("{http://www.w3.org/2000/svg}circle"))) == 4


def test_every_proposal_of_a_run_tells_its_past_and_its_chance(demo):
    data = json.loads((demo / "out" / "recommendations.json").read_text())
    changed = [each for each in data["recommendations"] if each["after"] and each["disposition"] == "safe"]

    assert "tested on the next 30" in data["summary"]["backtest"]
    assert changed
    for each in changed:
        assert each["backtest"]["verdict"] == "held"
        assert each["backtest"]["calls"] > 0
        assert 0 < each["p_break"]["probability"] <= 0.1
    assert all("backtest" in each and "p_break" in each for each in data["recommendations"])


def written(tmp_path, table):
    path = tmp_path / "trailfit.toml"
    path.write_text(f'lake = "x"\n[safe]\n{table}\n')
    return path


def test_the_bar_is_read(tmp_path):
    path = written(tmp_path, "p_break = 0.2\ndenied = 0\nuntested = true")

    assert config.read(path).bar == Bar(p_break=0.2, denied=0.0, untested=True)


@pytest.mark.parametrize("table", ["p_break = 1.5", "denied = -0.1", 'p_break = "low"', "untested = 1", "most = 3"])
def test_a_bar_that_is_none_is_an_error(tmp_path, table):
    with pytest.raises(UsageError, match="safe"):
        config.read(written(tmp_path, table))
