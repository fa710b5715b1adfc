"""Every kind of finding in the code is in the catalogue, in the docs, has a test named after it, and the other way."""

import ast
import re
from pathlib import Path

import pytest

from trailfit.catalog import risks
from trailfit.catalog.tables import rows

ROOT = Path(__file__).parents[2]
KINDS = risks.kinds()


def made():
    """Every kind that the code makes: the first argument of `make`, or a kind told in a table of kinds."""
    found = set()
    for path in sorted((ROOT / "src" / "trailfit" / "recommend").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z]\w+", node.value):
                found.add(node.value)
    return found & KINDS.keys() | {
        node.args[0].value
        for path in sorted((ROOT / "src" / "trailfit" / "recommend").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "make"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_kind_that_the_code_makes_is_in_the_catalogue_and_the_other_way():
    assert made() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_test_named_after_it(kind):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py")))

    assert re.search(rf"def test_\w*{words}", tests), words


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_kind_is_explained_in_whole_sentences(kind):
    for text in (kind.meaning, kind.evidence, kind.remedy, kind.mistaken):
        assert text.endswith((".", "html"))
    assert kind.harm in risks.SEVERITIES
    assert kind.scale in {"", *(row["name"] for row in rows("severity_model") if row["part"] == "scale")}
    assert kind.source.startswith("https://")


@pytest.mark.parametrize("kind", KINDS)
def test_severity_never_leaves_the_scale(kind):
    assert {risks.severity(kind, shift) for shift in range(-4, 5)} <= set(risks.SEVERITIES)
