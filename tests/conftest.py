"""What several tests share: the reference corpus, the command line, and one run of the demo."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

# CI draws the same examples each time, so that a change passes or fails by itself; every other run draws new ones.
settings.register_profile("steady", derandomize=True)
if os.environ.get("TRAILFIT_STEADY"):
    settings.load_profile("steady")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def corpus():
    """The corpus of real logs, snapshots and templates, where this machine has it."""
    folder = Path(os.environ.get("TRAILFIT_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder} (TRAILFIT_CORPUS)")
    return folder


@pytest.fixture(scope="session")
def trailfit():
    """Run the command line in this process: `trailfit("usage", "--lake", lake)` gives exit code and output."""
    from trailfit.cli.main import cli

    def run(*words, code=0):
        result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="trailfit", catch_exceptions=True)
        if code is not None:
            assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory, trailfit):
    """The folder of one run of `trailfit demo` at a tenth of its size."""
    folder = tmp_path_factory.mktemp("demo") / "made"
    trailfit("demo", folder, "--scale", "0.1")
    return folder
