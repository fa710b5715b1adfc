"""The findings as OCSF, judged by models of the schema that nobody here wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

from trailfit.deliver import ocsf

from . import sample

#: What schema 1.5.0 requires of class 2004 with the profile `cloud`.
REQUIRED = {
    "activity_id", "category_uid", "class_uid", "cloud", "finding_info", "metadata", "severity_id", "time", "type_uid",
}  # fmt: skip


def events(data: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ocsf.as_ocsf(data))
    return found


@pytest.mark.parametrize("make", [sample.recommendations, sample.hostile])
def test_every_event_is_a_detection_finding(make: Any) -> None:
    data = make()
    found = events(data)

    assert len(found) == len(data["findings"]) > 0
    for one in found:
        assert set(one) >= REQUIRED
        model = DetectionFinding.model_validate(one)
        assert model.type_uid == 200401
        kept = model.model_dump(mode="json", exclude_unset=True)
        assert set(one) - set(kept) == set(), "the schema has no such attribute"
        for part in ("finding_info", "metadata", "cloud"):
            assert set(one[part]) - set(kept[part]) == set(), part
        assert set(one["resources"][0]) - set(kept["resources"][0]) == set()
    assert len({one["finding_info"]["uid"] for one in found}) == len(found)


def test_numbers_and_captions_say_the_same() -> None:
    found = {}
    for severity in ("low", "medium", "high", "critical"):
        one = sample.finding(sample.ORDERS, "UnusedPermission", severity=severity, confidence="medium")
        [event] = events({**sample.recommendations(), "findings": [one]})
        found[event["severity"]] = (event["severity_id"], event["confidence_id"], event["confidence"])

    assert found == {"Low": (2, 2, "Medium"), "Medium": (3, 2, "Medium"), "High": (4, 2, "Medium"), "Critical": (5, 2, "Medium")}  # fmt: skip


def test_times_are_the_window_s_and_the_account_is_text() -> None:
    [event] = events({**sample.recommendations(), "findings": [sample.finding(sample.ORDERS, "UnusedIAMRole")]})

    assert (event["start_time"], event["time"]) == (1785715200000, 1793491199000)
    assert event["cloud"]["account"]["uid"] == "012345678901"
    assert event["resources"][0]["type"] == "AwsIamRole"


def test_nothing_unseen_is_in_it() -> None:
    text = ocsf.as_ocsf(sample.hostile())

    assert not set(text) & set("\x1b\x07\u202e\u202c\u2066\u2069\u200b\ufeff")
    assert text.encode("utf-8").decode() == text
