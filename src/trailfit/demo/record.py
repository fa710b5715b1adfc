"""What CloudTrail writes for one call: the record, its identity, its error in AWS's own words.

Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html and, for the
words of a denial, https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailfit.demo.behaviour import uuid
from trailfit.demo.cast import Json, Role, User, unique_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from random import Random

    from trailfit.demo.apis import Api

DENIALS = {"s3": "AccessDenied", "sts": "AccessDenied", "iam": "AccessDenied", "sqs": "AccessDenied"} | {
    "ec2": "Client.UnauthorizedOperation",
    "sns": "AuthorizationError",
}
"""A service's error code for a denied call, where it is not ``AccessDeniedException``."""

MISSING = {
    "s3": ("NoSuchKey", "The specified key does not exist."),
    "ssm": ("ParameterNotFound", ""),
    "lambda": ("ResourceNotFoundException", "Function not found"),
}
"""A service's error code and message for a resource that does not exist."""

THROTTLED = {
    "dynamodb": (
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    ),
}
"""A service's error code and message for a throttled call, where it is not ``ThrottlingException``."""

SILENT = {"dynamodb", "iam", "kms", "lambda", "secretsmanager", "sns", "ssm", "sts"}
"""Services that leave ``requestParameters`` null in a denied call."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes calls on one day: the record's ``userIdentity``, and the ARN that messages name."""

    block: Json
    named: str
    actor: str
    key: str | None


def session(role: Role, name: str, day: date, *, mfa: bool = False, federated: Json | None = None) -> Identity:
    """Make a day's session of a role: AWS drops the role's path from a session's ARN, and keeps it in the issuer's."""
    named = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}"
    attributes = {"creationDate": f"{day}T00:00:04Z", "mfaAuthenticated": str(mfa).lower()}
    issuer = {"type": "Role", "principalId": role.id, "arn": role.arn, "accountId": role.account, "userName": role.name}
    key = unique_id("ASIA", role.arn, name, str(day))
    context: Json = {"sessionIssuer": issuer, "webIdFederationData": federated or {}, "attributes": attributes}
    if name.startswith("i-"):
        context["ec2RoleDelivery"] = "2.0"
    block: Json = {"type": "AssumedRole", "principalId": f"{role.id}:{name}", "arn": named, "accountId": role.account}
    return Identity(block | {"accessKeyId": key, "sessionContext": context}, named, role.arn, None)


def user(who: User, label: str, day: date, *, mfa: bool = False) -> Identity:
    """Make a user's identity, with the access key called `label`, or in the console when that is empty."""
    block: Json = {"type": "IAMUser", "principalId": who.id, "arn": who.arn, "accountId": who.account}
    if label:
        key = who.key_id(label)
        return Identity(block | {"accessKeyId": key, "userName": who.name}, who.arn, who.arn, key)
    attributes = {"creationDate": f"{day}T07:41:10Z", "mfaAuthenticated": str(mfa).lower()}
    block |= {"accessKeyId": unique_id("ASIA", who.arn, str(day)), "userName": who.name}
    return Identity(block | {"sessionContext": {"attributes": attributes}}, who.arn, who.arn, None)


def service(name: str) -> Identity:
    """Make the identity of an AWS service acting for itself."""
    return Identity({"type": "AWSService", "invokedBy": name}, name, name, None)


def outsider(principal_id: str, account: str) -> Identity:
    """Make the identity that a resource's owner sees of another account's caller."""
    block = {"type": "AWSAccount", "principalId": principal_id, "accountId": account}
    return Identity(block, principal_id, principal_id, None)


def fault_of(api: Api, fault: str, named: str, arn: str) -> tuple[str, str]:
    """Give the error code and message of a call that failed, as the service writes them."""
    label = api.event_source.partition(".")[0]
    if fault == "missing":
        return MISSING[label]
    if fault == "throttled":
        return THROTTLED.get(label, ("ThrottlingException", "Rate exceeded"))
    code = DENIALS.get(label, "AccessDeniedException")
    because = f"because no identity-based policy allows the {api.action} action"
    if fault == "denied-explicitly":
        because = "with an explicit deny in an identity-based policy"
    quoted = f'"{arn}"' if label == "s3" else arn
    on = "" if label == "ec2" and arn == "*" else f" on resource: {quoted}"
    message = f"User: {named} is not authorized to perform: {api.action}{on} {because}"
    if label == "ec2":
        message = (
            f"You are not authorized to perform this operation. {message}. Encoded authorization failure message: "
        )
        message += unique_id("Enc_", named, arn) * 4
    return code, message


def build(
    api: Api,
    who: Identity,
    values: Mapping[str, str],
    when: str,
    rng: Random,
    *,
    fault: str = "",
    via: str = "",
    agent: str = "",
    address: str = "",
) -> Json:
    """Make one record of a call by `who`. `values` holds the call's variables, ``account`` and ``region``."""
    region = api.everywhere or values["region"]
    label, _, _ = api.event_source.partition(".")
    source = via or address
    record: Json = {
        "eventVersion": "1.11",
        "userIdentity": who.block | ({"invokedBy": via} if via else {}),
        "eventTime": when,
        "eventSource": api.event_source,
        "eventName": api.event_name,
        "awsRegion": region,
        "sourceIPAddress": source,
        "userAgent": via or agent,
    }
    denied = fault.startswith("denied")
    if fault:
        record["errorCode"], message = fault_of(api, fault, who.named, api.resource.format_map(values))
        if message:
            record["errorMessage"] = message
    quiet = api.request is None or (denied and label in SILENT)
    record["requestParameters"] = None if quiet or api.request is None else api.request(values)
    record["responseElements"] = api.response(values) if api.response and not fault else None
    record |= {"requestID": uuid(rng), "eventID": uuid(rng), "readOnly": api.read_only}
    if api.listed and not (denied and not api.data_type):
        record["resources"] = [_listed(kind, arn.format_map(values), values["account"]) for kind, arn in api.listed]
    record |= {"eventType": "AwsApiCall", "managementEvent": not api.data_type, "recipientAccountId": values["account"]}
    record["eventCategory"] = "Data" if api.data_type else "Management"
    if not source.endswith("amazonaws.com"):
        host = f"{label}.{region}.amazonaws.com"
        tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}
        record["tlsDetails"] = tls
    return record


def _listed(kind: str, arn: str, account: str) -> Json:
    if kind == "AWS::S3::Object":
        return {"type": kind, "ARN": arn}
    return {"accountId": account} | ({"type": kind} if kind else {}) | {"ARN": arn}
