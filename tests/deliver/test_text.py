import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from trailfit.deliver.text import code_span, csv_cell, file_name, markdown, visible

from .sample import HOSTILE

NASTY = st.text(alphabet=st.sampled_from("`|\\<>&*_[]()!#@=+-.:/~$^ \n\r\t\x1b\u202e\u2066\u200b\ufeffaé1")) | st.text()
GFM = MarkdownIt("gfm-like", {"html": True, "linkify": False})


@given(NASTY)
def test_nothing_shown_moves_the_cursor_or_turns_the_reading(text: str) -> None:
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in visible(text))


@given(NASTY)
def test_a_code_span_is_one_code_span_and_nothing_else(text: str) -> None:
    children = GFM.parse(f"a {code_span(text)} b")[1].children
    if text:
        assert [child.type for child in children or []] == ["text", "code_inline", "text"]
        assert (children or [])[1].content == visible(text)


@given(NASTY)
def test_escaped_prose_is_one_paragraph_of_text(text: str) -> None:
    tokens = GFM.parse("x " + markdown(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {child.type for child in tokens[1].children or []}
    assert kinds <= {"text", "text_special", "softbreak"}


@given(NASTY)
def test_escaped_prose_makes_no_block_at_the_start_of_a_line_either(text: str) -> None:
    types = [token.type for token in GFM.parse(markdown(text))]
    assert types in ([], ["paragraph_open", "inline", "paragraph_close"])


@given(st.lists(NASTY, min_size=1, max_size=3))
def test_a_table_row_keeps_its_cells(texts: list[str]) -> None:
    heads = "|".join(" h " for _ in texts)
    rule = "|".join("---" for _ in texts)
    row = " | ".join(code_span(text, in_table=True) for text in texts)
    tokens = GFM.parse(f"|{heads}|\n|{rule}|\n| {row} |\n")
    cells = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == len(texts)
    for cell, text in zip(cells, texts, strict=True):
        if text:
            assert [child.type for child in cell.children or []] == ["code_inline"]


@given(NASTY)
def test_no_cell_is_a_formula(text: str) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([csv_cell(text)])
    [[cell]] = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not cell.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


@given(NASTY, NASTY)
def test_a_file_name_stays_in_its_folder_and_is_its_own(one: str, other: str) -> None:
    name = file_name(one)
    assert name.strip(".")
    assert not set(name) & set("/\\\0\n:")
    assert not name.startswith("-")
    assert len(name) <= 140
    assert one == other or name != file_name(other)


@pytest.mark.parametrize("name", ["orders-writer", "trailfit-a.b_c", "Admin+Role=x,y@z"])
def test_names_that_iam_allows_are_kept(name: str) -> None:
    assert file_name(name) == name


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_seen_is_what_is_there(text: str) -> None:
    assert visible(text).isprintable()


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("a" * 3000) == "a" * 2048 + "… (952 characters more)"
