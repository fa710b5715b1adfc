"""What the tests of the policy language share: reference data where this machine has it, short ways to write policies."""

import json
import os
from pathlib import Path

import pytest

from trailfit.policy.document import Document

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def reference():
    """The folder of reference data: policy cases and AWS's documentation."""
    folder = Path(os.environ.get("TRAILFIT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder} (TRAILFIT_REFERENCE)")
    return folder


@pytest.fixture(scope="session")
def managed():
    """AWS's managed policies by name, as moto ships them."""
    data = pytest.importorskip("moto.iam.aws_managed_policies").aws_managed_policies_data
    return {name: policy["Document"] for name, policy in json.loads(data).items()}


def statement(action="s3:*", resource="*", effect="Allow", **more):
    """Write one statement; an element given as None is left out."""
    written = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {element: value for element, value in written.items() if value is not None}


def policy(*statements, version="2012-10-17"):
    """Read a document of these statements."""
    return Document.parse({"Version": version, "Statement": list(statements)})
