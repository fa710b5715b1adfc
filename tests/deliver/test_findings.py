import csv
import io
import json

import botocore.session
from botocore.validate import ParamValidator

from trailfit.deliver import findings

from . import sample


def test_csv_has_a_row_a_finding_and_no_formula() -> None:
    data = sample.hostile()
    rows = list(csv.DictReader(io.StringIO(findings.as_csv(data), newline="")))

    assert len(rows) == len(data["findings"])
    for row in rows:
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


def test_csv_keeps_the_account_as_text_of_twelve_digits() -> None:
    [row] = [
        r
        for r in csv.DictReader(io.StringIO(findings.as_csv(sample.recommendations())))
        if r["kind"] == "UnusedIAMUserAccessKey"
    ]

    assert (row["account"], row["resource"]) == ("012345678901", "AKIAIOSFODNN7EXAMPLE")


def test_security_hub_accepts_the_findings() -> None:
    for data in (sample.recommendations(), sample.hostile()):
        found = json.loads(findings.as_asff(data))
        model = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")

        assert ParamValidator().validate({"Findings": found}, model.input_shape).generate_report() == ""
        assert len({one["Id"] for one in found}) == len(found)
        for one in found:
            assert len(one["Title"]) <= 256
            assert len(one["Description"]) <= 1024
            assert len(one["Resources"][0]["Id"]) <= 1024
            assert all(len(text) <= 2048 for text in one["ProductFields"].values())


def test_sarif_has_rules_levels_places_and_stable_fingerprints() -> None:
    data = sample.recommendations()
    [run] = json.loads(findings.as_sarif(data))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert rules == sorted({f["kind"] for f in data["findings"]})
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"note", "warning", "error"}
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert len({r["partialFingerprints"]["trailfit/v1"] for r in run["results"]}) == len(data["findings"])


def test_no_link_in_a_sarif_message_is_live() -> None:
    [run] = json.loads(findings.as_sarif(sample.hostile()))["runs"]
    texts = [result["message"]["text"] for result in run["results"]]

    assert any("\\[click\\](javascript:alert(1))" in text for text in texts)
    assert not any(text.replace("\\\\", "").replace("\\[", "").count("[") for text in texts)


def test_kinds_read_as_words() -> None:
    assert findings.title_of("UnusedIAMUserAccessKey") == "Unused IAM user access key"
    assert findings.title_of("RoleWithoutMFA") == "Role without MFA"
