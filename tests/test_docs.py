"""The documents say what is true: every command and query is in them, and ``docs/cli.md`` is the program's own help.

After a change of the command line: ``python -m tests.test_docs`` writes ``docs/cli.md`` anew.
"""

import doctest
import importlib
import pkgutil
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import trailfit
from tests import findings_page
from trailfit import sql, views
from trailfit.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def help_page():
    """Render the help of every command, as a terminal of 100 columns shows it."""
    parts = ["# The command line\n\nThe program's own help; a test keeps it so.\n"]
    for name in ["", *COMMANDS]:
        words = [name, "--help"] if name else ["--help"]
        shown = CliRunner().invoke(cli, words, prog_name="trailfit", terminal_width=100, max_content_width=100)
        assert shown.exit_code == 0, shown.output
        text = "\n".join(line.rstrip() for line in shown.stdout.splitlines())
        parts.append(f"## `trailfit{f' {name}' if name else ''}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def queries_page():
    """Render the list of queries: what each answers, of which grain, with which parameters."""
    rows = []
    for query in map(sql.load, sql.names()):
        notes = [f"`{name}`: {note}" for name, note in query.notes.items()]
        takes = "; ".join(["window"] * query.is_windowed + notes) or "nothing"
        rows.append(f"| `{query.name}` | {query.question} | {query.grain} | {takes} |")
    return (
        "# Queries\n\n"
        'Each is a file in `queries/`, asked by `trailfit query NAME` or `lake.query("NAME")`. Those with a window take `--days`\n'
        "and `--to`; other parameters are given by `--set NAME=VALUE`, or by name in Python.\n\n"
        "| query | the question it answers | one row is one | takes |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def test_the_list_of_queries_in_the_docs_is_what_the_files_say():
    assert (ROOT / "docs" / "queries.md").read_text(encoding="utf-8") == queries_page()


def test_help_in_the_docs_is_what_the_program_says():
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == help_page()


def test_the_page_of_findings_is_what_the_catalogue_says():
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == findings_page.page()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    assert f"`trailfit {name}`" in README


def test_every_command_that_the_documents_name_exists():
    named = set(re.findall(r"\btrailfit ([a-z]+)\b(?=[ `\n])", README))

    assert named & set(COMMANDS)
    assert set(re.findall(r"^\$ trailfit ([a-z]+)", README, re.MULTILINE)) <= set(COMMANDS)
    assert set(re.findall(r"`trailfit ([a-z]+)`", README)) <= set(COMMANDS)


@pytest.mark.parametrize("column", re.findall(r"`([a-z_]+)`", README.split("| column of `events`")[1].split("\n\n")[0]))
def test_every_column_that_the_readme_explains_exists(column, demo):
    described = trailfit.open(demo / "lake").sql("describe events").df()
    inner = {
        "role",
        "basis",
        "action",
        "resource",
        "required",
        "conditional",
        "dependent",
        "allowed",
        "denied",
        "undetermined",
        "no_authorization",
    }

    assert column in {*described.column_name, *inner}


LAKE = (ROOT / "docs" / "lake.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("view", [*views.COLUMNS, "events", "usage", "skipped", "units", "coverage"])
def test_every_view_is_in_the_docs(view):
    assert f"| `{view}` |" in LAKE


def test_every_column_of_the_rollup_is_in_the_docs(demo):
    told = set(re.findall(r"`([a-z_]+)`", LAKE.split("## Columns of `usage`")[1]))

    assert set(trailfit.open(demo / "lake").sql("describe usage").df().column_name) <= told


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_linked_and_its_own_links_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")) if "://" not in link]

    assert f"(docs/{page.name})" in README
    assert [link for link in links if not (page.parent / link).exists()] == []


def modules():
    return sorted(
        module.name
        for module in pkgutil.walk_packages(trailfit.__path__, "trailfit.")
        if ">>>" in (importlib.util.find_spec(module.name).loader.get_source(module.name) or "")
    )


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_are_true(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)

    assert results.attempted > 0
    assert results.failed == 0


def test_every_file_that_the_readme_links_to_exists():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert [link for link in links if not (ROOT / link).exists()] == []


if __name__ == "__main__":
    (ROOT / "docs" / "cli.md").write_text(help_page(), encoding="utf-8")
    (ROOT / "docs" / "queries.md").write_text(queries_page(), encoding="utf-8")
    (ROOT / "docs" / "findings.md").write_text(findings_page.page(), encoding="utf-8")
    sys.stdout.write("wrote docs/cli.md, docs/queries.md and docs/findings.md\n")
