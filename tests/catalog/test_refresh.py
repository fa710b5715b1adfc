"""The tables are what `refresh` makes of its inputs; without inputs it says so."""

import gzip
import json
import os
from pathlib import Path

import pytest

from trailfit.catalog import refresh

ROOT = Path(__file__).parents[2]
DOCUMENT = {
    "Name": "sqs",
    "Operations": [
        {
            "Name": "SendMessageBatch",
            "AuthorizedActions": [{"Name": "SendMessage", "Service": "sqs"}],
            "SDK": [{"Name": "sqs", "Method": "send_message_batch", "Package": "Boto3"}],
        },
        {
            "Name": "CreateQueue",
            "AuthorizedActions": [
                {"Name": "CreateQueue", "Service": "sqs"},
                {"Name": "PassRole", "Service": "iam", "Context": {"iam:PassedToService": ["sqs.amazonaws.com"]}},
            ],
        },
    ],
}


@pytest.mark.parametrize("packed", [False, True])
def test_documents_are_read_plain_or_gzipped(tmp_path, packed):
    data = json.dumps(DOCUMENT).encode()
    (tmp_path / ("sqs.json.gz" if packed else "sqs.json")).write_bytes(gzip.compress(data) if packed else data)

    found = refresh.read_reference(tmp_path)

    assert found.authorized["sqs", "SendMessageBatch"] == ["sqs:SendMessage"]
    assert found.passed_to["sqs", "CreateQueue"] == ["sqs.amazonaws.com"]


def test_empty_folder_is_an_error_that_says_what_to_do(tmp_path, capsys):
    assert refresh.main(["--from", str(tmp_path)]) == 2
    assert "no service reference document" in capsys.readouterr().err


def test_offline_is_an_error_that_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(refresh, "INDEX", "http://127.0.0.1:9/")

    assert refresh.main([]) == 2
    assert "--from DIR" in capsys.readouterr().err


@pytest.mark.slow
def test_tables_are_what_the_reference_makes(capsys):
    folder = Path(os.environ.get("TRAILFIT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not (folder / "service_reference_ops.json").is_file():
        pytest.skip(f"no reference data at {folder} (TRAILFIT_REFERENCE)")

    assert refresh.main(["--from", str(folder), "--check"]) == 0, capsys.readouterr().out
