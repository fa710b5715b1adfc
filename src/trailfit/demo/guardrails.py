"""The organization above the accounts, and the service control policies set on it, as one nested file.

Service control policies bind members only, never the management account (here prod). Source:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trailfit.demo.cast import ORGANISATION, PROD, Account, Json, policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOT, UNIT = "r-ex01", "ou-ex01-workload"
FULL = ("p-FullAWSAccess", "FullAWSAccess", policy({"Effect": "Allow", "Action": "*", "Resource": "*"}))
TRAIL = (
    "p-keeptrail1",
    "keep-the-trail",
    policy(
        {
            "Sid": "NobodyStopsTheTrail",
            "Effect": "Deny",
            "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "organizations:LeaveOrganization"],
            "Resource": "*",
        }
    ),
)


def write(path: Path, accounts: Sequence[Account]) -> None:
    """Write the tree: the management account under the root, the members in one unit."""
    members = [_node(f"account/{ORGANISATION}/{one.id}", one.id, one.name) for one in accounts if one.id != PROD]
    managers = [_node(f"account/{ORGANISATION}/{one.id}", one.id, one.name) for one in accounts if one.id == PROD]
    unit = _node(f"ou/{ORGANISATION}/{UNIT}", UNIT, "Workloads", children=members)
    root = _node(f"root/{ORGANISATION}/{ROOT}", ROOT, "Root", TRAIL, children=[*managers, unit])
    root["PolicyTypes"] = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    path.write_text(json.dumps(root, indent=4) + "\n", encoding="utf-8")


def _node(place: str, identity: str, name: str, *more: tuple[str, str, Json], children: Sequence[Json] = ()) -> Json:
    set_here = [_policy(*one) for one in (FULL, *more)]
    arn = f"arn:aws:organizations::{PROD}:{place}"
    return {"Id": identity, "Arn": arn, "Name": name, "Policies": set_here, "Children": list(children)}


def _policy(identity: str, name: str, document: Json) -> Json:
    kind = "service_control_policy"
    aws = identity == FULL[0]
    owner = "aws" if aws else f"{PROD}"
    arn = f"arn:aws:organizations::{owner}:policy/{kind if aws else f'{ORGANISATION}/{kind}'}/{identity}"
    summary: Json = {"Id": identity, "Arn": arn, "Name": name, "Type": kind.upper(), "AwsManaged": aws}
    return summary | {"Content": json.dumps(document)}
