"""One small demo organisation for all tests of the demo."""

import pytest

from trailfit.demo.organisation import make


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The whole window at a tenth of its volume."""
    return make(tmp_path_factory.mktemp("organisation") / "demo", scale=0.1)
