"""Trails: what each is configured to log, told strictly.

Only what is logged without restriction may make silence evidence. A selector that takes reads only, one
bucket, or any field but ``eventCategory`` and ``resources.type`` gives a type "in part".
Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.inventory.values import account_of, objects, region_of, strings, text
from trailfit.model import TrailSelector, Unassessed

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The basic selectors' values that take every resource of their type.
_EVERY = {
    "AWS::S3::Object": {"arn:aws:s3", "arn:aws-cn:s3", "arn:aws-us-gov:s3"},
    "AWS::Lambda::Function": {"arn:aws:lambda", "arn:aws-cn:lambda", "arn:aws-us-gov:lambda"},
    "AWS::DynamoDB::Table": {"arn:aws:dynamodb", "arn:aws-cn:dynamodb", "arn:aws-us-gov:dynamodb"},
}


class Trails:
    """Answers of describe-trails, get-event-selectors and get-trail-status, joined by the trail's ARN."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._trails: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._selectors: dict[str, Mapping[str, Any]] = {}
        self._logging: dict[str, bool] = {}

    def add_trails(self, data: Mapping[str, Any], account: str | None) -> None:
        """Add an answer of describe-trails. A trail of the organization counts for each account that lists it."""
        for trail in objects(data.get("trailList")):
            arn = text(trail, "TrailARN")
            if arn:
                self._trails[account or account_of(arn) or "", arn] = trail

    def add_selectors(self, data: Mapping[str, Any]) -> None:
        """Add an answer of get-event-selectors."""
        self._selectors[str(data.get("TrailARN"))] = data

    def add_status(self, data: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Add an answer of get-trail-status. Its request names the trail, or its file does: ``orders-trail.json``."""
        self._logging[str(params.get("Name") or params.get("file"))] = data.get("IsLogging") is True

    def selectors(self) -> tuple[TrailSelector, ...]:
        """Return what each trail logs; a trail whose selectors are missing is `Unassessed`."""
        found = []
        for (account, arn), trail in sorted(self._trails.items()):
            if arn not in self._selectors:
                self._unassessed.append(
                    Unassessed(arn, "its event selectors are not in the snapshot: what it logs is not known")
                )
                continue
            whole, part, excluded = _logged(self._selectors[arn])
            found.append(
                TrailSelector(
                    trail=arn,
                    account=account,
                    region=text(trail, "HomeRegion") or region_of(arn) or "",
                    multi_region=trail.get("IsMultiRegionTrail") is True,
                    management="Management" in whole,
                    data_types=tuple(sorted(whole - {"Management"})),
                    partial=tuple(sorted(part - whole)),
                    excluded=tuple(sorted(excluded)),
                    logging=self._logging.get(arn, self._logging.get(text(trail, "Name") or "")),
                    organization=trail.get("IsOrganizationTrail") is True,
                )
            )
        return tuple(found)


def _logged(data: Mapping[str, Any]) -> tuple[set[str], set[str], set[str]]:
    """Return what is logged wholly, what in part, and the event sources left out of management events."""
    whole: set[str] = set()
    part: set[str] = set()
    excluded: set[str] = set()
    for selector in objects(data.get("EventSelectors")):
        every = selector.get("ReadWriteType", "All") == "All"
        if selector.get("IncludeManagementEvents", True):
            excluded |= set(strings(selector.get("ExcludeManagementEventSources")))
            (whole if every else part).add("Management")
        for resource in objects(selector.get("DataResources")):
            kind = str(resource.get("Type"))
            complete = every and _EVERY.get(kind, set()) & {v.rstrip(":/*") for v in strings(resource.get("Values"))}
            (whole if complete else part).add(kind)
    for selector in objects(data.get("AdvancedEventSelectors")):
        _advanced(selector, whole, part, excluded)
    return whole, part, excluded


def _advanced(selector: Mapping[str, Any], whole: set[str], part: set[str], excluded: set[str]) -> None:
    fields = {str(one.get("Field")): one for one in objects(selector.get("FieldSelectors"))}
    categories = strings(fields.pop("eventCategory", {}).get("Equals"))
    if categories == ["Management"]:
        sources = fields.get("eventSource", {})
        if set(sources) == {"Field", "NotEquals"}:
            excluded.update(strings(sources["NotEquals"]))
            fields.pop("eventSource")
        (part if fields else whole).add("Management")
    elif categories == ["Data"]:
        kinds = strings(fields.pop("resources.type", {}).get("Equals"))
        (part if fields else whole).update(kinds)
