"""Findings for other tools: CSV for a spreadsheet, SARIF for code scanning, ASFF for AWS Security Hub (OCSF: `ocsf`).

No clock is read: where a format wants a time, it is the end of the window.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trailfit.deliver.text import csv_cell, visible
from trailfit.deliver.view import account_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLUMNS = (
    "id", "kind", "severity", "confidence", "account", "principal", "resource", "evidence", "risk", "remedy",
    "commands", "excluded",
)  # fmt: skip
_ABBREVIATIONS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KEPT_UPPER = ("IAM", "AWS", "MFA", "ID", "SCP", "ARN")

#: SARIF 2.1.0 §3.58.6: level of a notification; GitHub shows `error` and `warning` apart.
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
#: GitHub's scale: over 9.0 critical, 7.0–8.9 high, 4.0–6.9 medium, 0.1–3.9 low
#: (https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: Global services such as IAM are reported in the partition's first region.
_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def title_of(kind: str) -> str:
    """Return a finding's kind as words.

    >>> title_of("UnusedIAMUserAccessKey")
    'Unused IAM user access key'
    """
    words = [word if word in _KEPT_UPPER else word.lower() for word in _ABBREVIATIONS.split(kind)]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def sorted_findings(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the findings in the order of every output."""
    return sorted(data["findings"], key=lambda f: (f["principal"], f["kind"], f["id"]))


def excluded_findings(data: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    """Return the findings that exclusions cover, each with the reason and the end, in the order of every output."""
    rows = sorted(
        data.get("excluded", ()), key=lambda row: tuple(row["finding"][name] for name in ("principal", "kind", "id"))
    )
    return [
        (row["finding"], f"{row['by']}: {row['reason']}" + (f" (until {row['until']})" if row.get("until") else ""))
        for row in rows
    ]


def as_csv(data: Mapping[str, Any]) -> str:
    """Return the findings as CSV (RFC 4180), every cell quoted, none of them a formula; excluded ones last."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding, why in [*((each, "") for each in sorted_findings(data)), *excluded_findings(data)]:
        row = {
            **finding,
            "account": account_of(finding["principal"]),
            "evidence": json.dumps(finding["evidence"], ensure_ascii=False, sort_keys=True),
            "commands": "\n".join(finding.get("commands", ())),
            "excluded": why,
        }
        writer.writerow([csv_cell(str(row.get(name) or "")) for name in COLUMNS])
    return out.getvalue()


def as_sarif(data: Mapping[str, Any], places: Mapping[str, tuple[str, int]] | None = None) -> str:
    """Return the findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).

    `places` are the file and line of a repository that define a role or user; findings about others point to
    ``recommendations.json``.
    """
    found, excluded = sorted_findings(data), excluded_findings(data)
    findings = [*found, *(finding for finding, _ in excluded)]
    kinds = sorted({f["kind"] for f in findings})
    log = {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "trailfit", "rules": [_rule(kind, findings) for kind in kinds]}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    *(_result(finding, kinds, places or {}) for finding in found),
                    *(_suppressed(_result(finding, kinds, places or {}), why) for finding, why in excluded),
                ],
            }
        ],
    }
    return _json(log)


def _rule(kind: str, findings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    worst = next(level for level in _SCORES if any(f["kind"] == kind and f["severity"] == level for f in findings))
    return {
        "id": kind,
        "name": kind,
        "shortDescription": {"text": _sarif_text(title_of(kind))},
        "defaultConfiguration": {"level": _LEVELS[worst]},
        "properties": {"security-severity": _SCORES[worst], "tags": ["security", "iam"]},
    }


def _result(finding: Mapping[str, Any], kinds: list[str], places: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    path, line = places.get(finding["principal"], ("recommendations.json", 1))
    return {
        "ruleId": finding["kind"],
        "ruleIndex": kinds.index(finding["kind"]),
        "level": _LEVELS[finding["severity"]],
        "message": {"text": _sarif_text(sentence(finding))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": line}},
                "logicalLocations": [{"fullyQualifiedName": visible(finding["principal"]), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"trailfit/v1": visible(finding["id"])},
        "properties": {
            "confidence": finding["confidence"],
            "evidence": shown(finding["evidence"]),
            **{name: shown(finding[name]) for name in ("remedy", "commands", "risk") if finding.get(name)},
        },
    }


def _suppressed(result: dict[str, Any], why: str) -> dict[str, Any]:
    """Mark a result as one that an exclusion covers (SARIF 2.1.0 §3.27.23): the viewer lists it, and counts it not."""
    return {**result, "suppressions": [{"kind": "external", "justification": visible(why, 900)}]}


def _sarif_text(text: str) -> str:
    """Escape square brackets, which make a link inside a SARIF message (SARIF 2.1.0 §3.11.6)."""
    return re.sub(r"([\\\[\]])", r"\\\1", visible(text))


def sentence(finding: Mapping[str, Any]) -> str:
    """Say in one line what was found and of whom; hostile text in it is not escaped yet."""
    about = f" {finding['resource']} of" if finding.get("resource") else ""
    return f"{title_of(finding['kind'])}:{about} {finding['principal']}"


def as_asff(data: Mapping[str, Any]) -> str:
    """Return the findings as a JSON array for ``aws securityhub batch-import-findings --findings``.

    Amazon Security Finding Format 2018-10-08
    (https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html).
    `ProductArn` is that of a custom integration in the finding's own account.
    """
    at = f"{data['window']['to']}T23:59:59Z"
    archived = [{**_asff(finding, at), "RecordState": "ARCHIVED"} for finding, _ in excluded_findings(data)]
    return _json([*(_asff(finding, at) for finding in sorted_findings(data)), *archived])


def _asff(finding: Mapping[str, Any], at: str) -> dict[str, Any]:
    arn = visible(finding["principal"], 512)
    account = account_of(finding["principal"])
    account = account if re.fullmatch(r"[0-9]{12}", account) else "000000000000"
    partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
    partition = partition if partition in _HOME else "aws"
    region = _HOME[partition]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"trailfit/{account}/{visible(finding['id'], 256)}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"trailfit/{visible(finding['kind'], 128)}",
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": at,
        "UpdatedAt": at,
        "Severity": {"Label": finding["severity"].upper()},
        "Confidence": {"low": 33, "medium": 66, "high": 99}[finding["confidence"]],
        "Title": visible(title_of(finding["kind"]), 200),
        "Description": visible(sentence(finding), 900),
        "ProductFields": {"trailfit/evidence": _compact(finding["evidence"])},
        **(
            {"Remediation": {"Recommendation": {"Text": visible(finding["remedy"], 450)}}}
            if finding.get("remedy")
            else {}
        ),
        "Resources": [
            {
                "Type": resource_type(arn),
                "Id": arn,
                "Partition": partition,
                "Region": region,
            }
        ],
    }


def _compact(value: object) -> str:
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True), 1900)


def resource_type(arn: str) -> str:
    """Return Security Hub's name for what an ARN of IAM is.

    https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
    """
    kind = arn.split(":", 5)[-1].partition("/")[0]
    return {"user": "AwsIamUser", "role": "AwsIamRole", "group": "AwsIamGroup", "policy": "AwsIamPolicy"}.get(
        kind, "Other"
    )


def shown(value: Any) -> Any:
    """Spell out what cannot be seen in every text of a JSON value."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): shown(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
