import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailfit.deliver import recommendations
from trailfit.errors import SourceError, UsageError

from . import sample

JUDGE = jsonschema.Draft202012Validator(recommendations.schema())
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", [], {}, [{}], {"Statement": []}, "2026-01-01", "safe"]
)


def places(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [at, *(place for key, value in inner for place in places(value, (*at, key)))]


SMALL = sample.recommendations()
SMALL = {
    **SMALL,
    "principals": SMALL["principals"][:2],
    "recommendations": SMALL["recommendations"][:2],
    "findings": SMALL["findings"][:2],
}
PLACES = [place for place in places(SMALL) if place]


def test_the_schema_is_a_schema() -> None:
    JUDGE.check_schema(recommendations.schema())


@pytest.mark.parametrize("data", [sample.recommendations(), sample.hostile()])
def test_the_samples_are_of_the_form(data: dict[str, Any]) -> None:
    JUDGE.validate(data)
    assert list(recommendations.problems(data)) == []


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), JUNK | st.just("DROP"))
def test_our_checker_agrees_with_jsonschema(place: tuple[Any, ...], junk: Any) -> None:
    data = copy.deepcopy(SMALL)
    parent = data
    for key in place[:-1]:
        parent = parent[key]
    if junk == "DROP":
        del parent[place[-1]]
    else:
        parent[place[-1]] = junk

    assert (not list(recommendations.problems(data))) == JUDGE.is_valid(data)


def test_a_departure_names_its_place(tmp_path: Path) -> None:
    data = sample.recommendations()
    data["recommendations"][0]["disposition"] = "maybe"
    (tmp_path / "recommendations.json").write_text(json.dumps(data))

    with pytest.raises(SourceError, match="/recommendations/0/disposition: is none of safe, unsafe"):
        recommendations.load(tmp_path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run trailfit recommend"):
        recommendations.load(tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "recommendations.json").write_bytes(b'{"trailfit": "1", \xff')
    with pytest.raises(SourceError, match="cannot be read"):
        recommendations.load(tmp_path)
