"""Findings as OCSF: Detection Finding events (class 2004) of schema 1.5.0, one a finding, as a JSON array.

https://schema.ocsf.io/1.5.0/classes/detection_finding: required are `activity_id`, `category_uid`, `class_uid`,
`finding_info` (`uid`, `title`), `metadata` (`product`, `version`), `severity_id`, `time` and `type_uid`; with the
profile `cloud` also `cloud` (`provider`). Times are milliseconds since 1970; no clock is read: a finding's is the
window's end.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from trailfit.deliver.findings import resource_type, sentence, shown, sorted_findings, title_of
from trailfit.deliver.text import visible
from trailfit.deliver.view import account_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.5.0"
_CLASS, _CATEGORY, _CREATE = 2004, 2, 1
#: Severity and confidence in OCSF's numbers and captions.
_SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_CONFIDENCES = {"low": (1, "Low"), "medium": (2, "Medium"), "high": (3, "High")}
_NEW = (1, "New")
_AWS_ACCOUNT = (10, "AWS Account")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_ocsf(data: Mapping[str, Any]) -> str:
    """Return the findings as a JSON array of OCSF events."""
    window = data["window"]
    first = _milliseconds(f"{window['from']}T00:00:00+00:00")
    last = _milliseconds(f"{window['to']}T23:59:59+00:00")
    events = [_event(finding, first, last) for finding in sorted_findings(data)]
    return json.dumps(events, indent=2, ensure_ascii=False) + "\n"


def _milliseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def _event(finding: Mapping[str, Any], first: int, last: int) -> dict[str, Any]:
    severity, confidence = _SEVERITIES[finding["severity"]], _CONFIDENCES[finding["confidence"]]
    arn, kind = finding["principal"], visible(finding["kind"], 128)
    account, remedy = account_of(arn), finding.get("remedy")
    event: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": _CATEGORY,
        "class_name": "Detection Finding",
        "class_uid": _CLASS,
        "type_name": "Detection Finding: Create",
        "type_uid": _CLASS * 100 + _CREATE,
        "time": last,
        "start_time": first,
        "end_time": last,
        "severity_id": severity[0],
        "severity": severity[1],
        "confidence_id": confidence[0],
        "confidence": confidence[1],
        "status_id": _NEW[0],
        "status": _NEW[1],
        "message": visible(sentence(finding), 900),
        "finding_info": {
            "uid": visible(finding["id"], 256),
            "title": visible(title_of(finding["kind"]), 200),
            "desc": visible(sentence(finding), 900),
            "types": [kind],
            "data_sources": ["AWS CloudTrail", "AWS IAM"],
            "first_seen_time": first,
            "last_seen_time": last,
        },
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "trailfit", "vendor_name": "trailfit"},
            "event_code": kind,
        },
        "cloud": {"provider": "AWS"},
        "resources": [_resource(arn, finding)],
        "unmapped": {"evidence": shown(finding["evidence"])},
    }
    if re.fullmatch(r"[0-9]{12}", account):
        known = {"uid": account, "name": account, "type_id": _AWS_ACCOUNT[0], "type": _AWS_ACCOUNT[1]}
        event["cloud"]["account"] = known
    if remedy:
        event["remediation"] = {"desc": visible(str(remedy), 900)}
    return event


def _resource(arn: str, finding: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"uid": visible(arn), "name": visible(name_of(arn), 256), "type": resource_type(arn)}
    return {**told, "data": {"about": visible(str(finding["resource"]))}} if finding.get("resource") else told
