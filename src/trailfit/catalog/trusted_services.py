"""Services that take on a role for a resource that the inventory lists: which, and what they say of that resource.

IAM logs every AssumeRole, also a service's own
(https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html). Of the services here the inventory is a
second witness; of others the log alone is not taken as proof that they never took a role on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from trailfit.catalog.tables import rows


@dataclass(frozen=True, slots=True)
class TrustedService:
    """A service principal, CloudFormation's names of the resources it acts for, and the form of aws:SourceArn.

    `source_arn` is a template of the resource's own `{arn}` or parts of it; empty where AWS documents none.
    """

    principal: str
    kinds: frozenset[str]
    source_arn: str


@cache
def trusted_services() -> dict[str, TrustedService]:
    """Map service principals to what is known of them.

    >>> sorted(trusted_services()["events.amazonaws.com"].kinds)
    ['AWS::Events::Rule', 'AWS::Events::Rule.Targets']
    """
    return {
        row["principal"]: TrustedService(row["principal"], frozenset(row["kinds"].split()), row["source_arn"])
        for row in rows("trusted_services")
    }


def source_arn(service: TrustedService, arn: str, account: str, region: str) -> str:
    """Give what the service says as aws:SourceArn when it acts for the resource `arn`; empty where that is not known.

    >>> source_arn(trusted_services()["scheduler.amazonaws.com"],
    ...     "arn:aws:scheduler:eu-west-1:111122223333:schedule/nightly/a", "111122223333", "eu-west-1")
    'arn:aws:scheduler:eu-west-1:111122223333:schedule-group/nightly'
    """
    path = arn.split(":", 5)[-1].split("/")
    parent = path[1] if len(path) > 1 else ""
    partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
    return service.source_arn.format(arn=arn, partition=partition, region=region, account=account, parent=parent)
