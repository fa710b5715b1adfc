"""Every notebook runs from top to bottom on the demo's lake, and is kept without its output."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="the notebooks extra is not installed")
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_without_output_and_says_which_line_to_change(path):
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]

    assert [cell.outputs for cell in code if cell.outputs or cell.execution_count] == []
    assert sum("# <- your own lake" in cell.source for cell in code) == 1


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, demo, tmp_path):
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    os.environ["TRAILFIT_LAKE"] = str(demo / "lake")
    NotebookClient(book, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute()

    plots = [
        output for cell in book.cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})
    ]
    assert len(plots) >= 2
