"""The trade-off as SVG: every point where its numbers say, the same bytes every time, and nothing that runs."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from trailfit.deliver.plot import Point, tradeoff

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [
    Point("balanced", 60, 0.995, 0.10),
    Point("balanced", 30, 0.997, 0.30),
    Point("relaxed", 30, 0.990, 0.05),
]


def drawn(points: list[Point], title: str = "Replayed") -> Any:
    return ET.fromstring(tradeoff(points, title))


def test_points_lie_in_the_order_of_their_numbers() -> None:
    circles = {
        each[0].text: (float(each.get("cx")), float(each.get("cy"))) for each in drawn(POINTS).iter(f"{SVG}circle")
    }
    (late, early, ready) = (
        circles["balanced, 60 days: 99.50 % removed, 10.00 % denied"],
        circles["balanced, 30 days: 99.70 % removed, 30.00 % denied"],
        circles["relaxed, 30 days: 99.00 % removed, 5.00 % denied"],
    )

    assert ready[0] < late[0] < early[0]
    assert early[1] < late[1] < ready[1]  # up is more


def test_a_series_is_joined_in_the_order_of_its_days() -> None:
    balanced, relaxed = drawn(POINTS).iter(f"{SVG}polyline")
    x = [float(pair.split(",")[0]) for pair in balanced.get("points").split()]

    assert x == sorted(x, reverse=True)
    assert len(relaxed.get("points").split()) == 1


def test_the_same_points_give_the_same_bytes_in_any_order_of_days() -> None:
    assert tradeoff(POINTS, "x") == tradeoff([POINTS[1], POINTS[0], POINTS[2]], "x")


@pytest.mark.parametrize("points", [[], [Point("exact", 1, 0.0, 0.0)], [Point("exact", 90, 1.0, 1.0)] * 2])
def test_ends_of_the_scale_are_drawn(points: list[Point]) -> None:
    assert drawn(points).tag == f"{SVG}svg"


def test_text_is_escaped() -> None:
    told = drawn([Point("<script>", 1, 0.5, 0.5)], "</title><script>alert(1)</script>")

    assert not list(told.iter(f"{SVG}script"))
