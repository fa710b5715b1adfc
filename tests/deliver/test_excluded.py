"""Findings that an exclusion covers stay in every output, as excluded; remedies reach all of them; nothing is live."""

import csv
import io
import json
from copy import deepcopy

import botocore.session
from botocore.validate import ParamValidator

from trailfit.catalog.actions import access_level
from trailfit.deliver import findings, recommendations, report
from trailfit.deliver.view import page

from . import sample

REASON = "<script>alert(1)</script> =cmd|' /C calc'!A0 [x](javascript:alert(1))"


def data():
    told = deepcopy(sample.recommendations())
    first = told["findings"][0]
    first |= {"remedy": "Name the actions.", "commands": ["aws iam detach-role-policy --role-name 'a; b'"], "risk": 60}
    root = {**deepcopy(first), "id": "root1", "kind": "RootUse", "principal": "arn:aws:iam::012345678901:root"}
    hidden = {**deepcopy(first), "id": "hidden", "kind": "ExternalTrust", "remedy": REASON}
    told["findings"].append(root)
    told["excluded"] = [{"finding": hidden, "by": "tag trailfit:exempt", "reason": REASON, "until": "2026-12-31"}]
    told["exclusions"] = [
        {"by": "tag trailfit:exempt", "reason": REASON, "until": "2026-12-31", "state": "in force", "findings": 1},
        {
            "by": "trailfit.toml [[exclude]] 2",
            "reason": "old",
            "until": "2026-01-31",
            "state": "expired",
            "findings": 3,
        },
    ]
    recommendations.check(told)
    return told


def test_csv_lists_the_excluded_with_their_reason_and_the_remedies() -> None:
    rows = list(csv.DictReader(io.StringIO(findings.as_csv(data()), newline="")))

    hidden = [row for row in rows if row["excluded"]]
    assert [row["id"] for row in hidden] == ["hidden"]
    assert hidden[0]["excluded"].startswith("tag trailfit:exempt: ")
    assert {row["remedy"] for row in rows if row["id"] == "root1"} == {"Name the actions."}
    for row in rows:
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


def test_sarif_suppresses_the_excluded_and_says_why() -> None:
    [run] = json.loads(findings.as_sarif(data()))["runs"]
    suppressed = [result for result in run["results"] if "suppressions" in result]

    assert [result["ruleId"] for result in suppressed] == ["ExternalTrust"]
    assert suppressed[0]["suppressions"][0]["kind"] == "external"
    assert "until 2026-12-31" in suppressed[0]["suppressions"][0]["justification"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"ExternalTrust", "RootUse"}


def test_security_hub_accepts_the_excluded_as_archived_and_the_remedy() -> None:
    found = json.loads(findings.as_asff(data()))
    model = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")

    assert ParamValidator().validate({"Findings": found}, model.input_shape).generate_report() == ""
    assert [one["Id"].endswith("hidden") for one in found if one.get("RecordState") == "ARCHIVED"] == [True]
    assert all(len(one.get("Remediation", {}).get("Recommendation", {}).get("Text", "")) <= 512 for one in found)
    (root,) = [one for one in found if one["Id"].endswith("root1")]
    assert root["Resources"][0]["Type"] == "Other"


def test_the_report_tells_what_is_left_alone_why_and_what_no_longer_is() -> None:
    shown = page(data(), access_level=access_level)

    reasons = [reason for reason, _ in shown.exempt]
    assert any(reason.startswith("excluded until 2026-12-31 by tag trailfit:exempt") for reason in reasons)
    assert any("no longer excluded since 2026-01-31" in reason for reason in reasons)
    assert {one.kind for one in shown.principals if one.arn.endswith(":root")} == {"root user"}
    assert shown.people == len(shown.principals) - 1


def test_nothing_in_a_reason_or_a_remedy_is_live(tmp_path) -> None:
    report.write(data(), tmp_path)

    told = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in told
    assert "Name the actions." in told
    assert "](javascript:" not in (tmp_path / "report.md").read_text(encoding="utf-8").replace("\\](", "")


def test_a_run_of_an_older_version_without_these_is_still_read() -> None:
    told = sample.recommendations()

    assert findings.excluded_findings(told) == []
