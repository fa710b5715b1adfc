"""The log of the demo organisation, day by day: every event, with the truth about it.

Besides what principals do by habit, AWS's own services leave events everywhere, every day: they assume
execution roles, check the trail's bucket, rotate keys. They are nobody's use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from trailfit.demo import record
from trailfit.demo.apis import APIS
from trailfit.demo.behaviour import Habit, Moment, moments, render, uuid
from trailfit.demo.cast import GLOBAL, HOME, PROD, Account, Json, Role, User, unique_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Event:
    """One record, with where it was logged and the truth: who did it, what it needed, how it ended.

    `principal` is None for what is nobody's use. `second` counts from the day's midnight.
    """

    account: str
    region: str
    second: int
    record: Json
    principal: str | None = None
    key: str | None = None
    action: str = ""
    resource: str = ""
    fault: str = ""

    @property
    def used(self) -> bool:
        """Say whether the call needed a permission and had it; a throttled call proves nothing."""
        return bool(self.principal and self.resource and self.fault in {"", "missing"})


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the log, both ends included."""

    end: date
    days: int

    @property
    def start(self) -> date:
        """The first day."""
        return self.end - timedelta(days=self.days - 1)

    def __iter__(self) -> Iterator[date]:
        """Go through the days in order."""
        return (self.start + timedelta(days=number) for number in range(self.days))


def happen(accounts: Sequence[Account], day: date, calendar: Calendar, seed: int, scale: float) -> Iterator[Event]:
    """Give every event of one day, in no particular order, as CloudTrail delivers them."""
    for account in accounts:
        yield from _services(account, day, seed)
        for principal in account.principals:
            for number, habit in enumerate(principal.habits):
                rng = Random(f"{seed}/{day}/{principal.arn}/{number}")  # noqa: S311
                yield from _habit(principal, habit, day, calendar, rng, scale)


def _habit(
    principal: Role | User, habit: Habit, day: date, calendar: Calendar, rng: Random, scale: float
) -> Iterator[Event]:
    who: record.Identity | None = None
    for moment in moments(habit, day, calendar.end, rng, scale):
        if who is None:
            who, arrival = _arrive(principal, habit, day, moment, rng)
            yield from arrival
        yield from _call(principal, habit, who, day, moment, rng)


def _call(
    principal: Role | User, habit: Habit, who: record.Identity, day: date, moment: Moment, rng: Random
) -> Iterator[Event]:
    item, api = moment.call, APIS[moment.call.api]
    values = {"account": principal.account, "region": item.region or habit.region or HOME, **moment.values}
    agent, address = (
        habit.agent,
        habit.address or f"52.{18 + rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )
    when = stamp(day, moment.second)
    made = record.build(api, who, values, when, rng, fault=item.fault, via=item.via, agent=agent, address=address)
    if item.api == "sts:AssumeRole":
        made["responseElements"] = assumed(values["role_arn"], values["session"], day)
    if item.into:
        made["sharedEventID"] = uuid(rng)
    event = Event(principal.account, made["awsRegion"], moment.second, made, principal.arn, who.key)
    yield replace(event, action=api.action, resource=api.resource.format_map(values), fault=item.fault)
    if item.into:
        yield _other_side(made, who, item.into, moment.second, rng)


def _other_side(made: Json, who: record.Identity, account: str, second: int, rng: Random) -> Event:
    """Write the same call as the owner of its resource sees it: another event ID, the same shared event ID."""
    outsider = record.outsider(who.block["principalId"], who.block["accountId"])
    other = made | {"userIdentity": outsider.block, "eventID": uuid(rng), "recipientAccountId": account}
    return Event(account, made["awsRegion"], second, other)


def _arrive(
    principal: Role | User, habit: Habit, day: date, moment: Moment, rng: Random
) -> tuple[record.Identity, list[Event]]:
    """Begin a day's session: the identity, and the events by which it came about."""
    second = max(0, moment.second - 2)
    if isinstance(principal, User):
        who = record.user(principal, habit.key, day, mfa=habit.mfa)
        return who, [] if habit.key else [_console(principal, habit, day, second, rng)]
    name = render(habit.session, rng, datetime(day.year, day.month, day.day)) or principal.name
    statement = principal.trust["Statement"][0]
    kind, trusted = next(iter(statement["Principal"].items()))
    federated = None
    if statement["Action"] == "sts:AssumeRoleWithWebIdentity":
        federated = {"federatedProvider": trusted, "attributes": {}}
    who = record.session(principal, name, day, mfa=habit.mfa, federated=federated)
    arrivals = [_assumed(principal, name, kind, trusted, habit, day, second, rng)] if kind != "AWS" else []
    return who, arrivals


def _assumed(
    role: Role, name: str, kind: str, trusted: str, habit: Habit, day: date, second: int, rng: Random
) -> Event:
    """Write how a service, an identity provider or Identity Center came by a session of a role."""
    values = {"account": role.account, "region": HOME, "role_arn": role.arn, "session": name}
    who = record.service(trusted)
    made = record.build(APIS["sts:AssumeRole"], who, values, stamp(day, second), rng, agent=trusted, address=trusted)
    made["responseElements"] = assumed(role.arn, name, day)
    if kind == "Federated":
        saml = "saml-provider" in trusted
        conditions = role.trust["Statement"][0]["Condition"]
        subject = name if saml else conditions["StringLike"]["token.actions.githubusercontent.com:sub"]
        made["userIdentity"] = {
            "type": "SAMLUser" if saml else "WebIdentityUser",
            "principalId": f"{trusted}:{subject}",
            "userName": subject,
            "identityProvider": trusted,
        }
        made["eventName"] = "AssumeRoleWithSAML" if saml else "AssumeRoleWithWebIdentity"
        made |= {"sourceIPAddress": habit.address, "userAgent": habit.agent}
        if saml:
            made["requestParameters"] |= {"principalArn": trusted}
    elif trusted.startswith(("lambda", "ec2", "ecs", "states", "cloudtrail")):
        made["sharedEventID"] = uuid(rng)
    return Event(role.account, HOME, second, made)


def _console(who: User, habit: Habit, day: date, second: int, rng: Random) -> Event:
    identity = {
        "type": "IAMUser",
        "principalId": who.id,
        "arn": who.arn,
        "accountId": who.account,
        "userName": who.name,
    }
    made: Json = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": stamp(day, second),
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": GLOBAL,
        "sourceIPAddress": habit.address,
        "userAgent": habit.agent,
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Success"},
        "additionalEventData": {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "Yes" if habit.mfa else "No",
        },
        "eventID": uuid(rng),
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": who.account,
        "eventCategory": "Management",
    }
    return Event(who.account, GLOBAL, second, made)


def _services(account: Account, day: date, seed: int) -> Iterator[Event]:
    """Write what AWS's services do for themselves in every region, every day: nobody's use, but proof of logging."""
    for region in account.regions:
        rng = Random(f"{seed}/{day}/{account.id}/{region}")  # noqa: S311
        values = {"account": account.id, "region": region, "bucket": "example-org-trail"}
        name = "cloudtrail.amazonaws.com"
        for _ in range(4):
            second = rng.randrange(86_400)
            made = record.build(
                APIS["s3:GetBucketAcl"], record.service(name), values, stamp(day, second), rng, agent=name, address=name
            )
            made["sharedEventID"] = uuid(rng)
            yield Event(account.id, region, second, made)
        if day.day == 14:
            yield _rotation(account, region, day, rng)
    if account.id == PROD and day.weekday() == 0:
        yield _stranger(day, Random(f"{seed}/{day}/stranger"))  # noqa: S311


def _stranger(day: date, rng: Random) -> Event:
    """Write a stranger's call, refused: its key and user agent try what careless reports and sheets would run."""
    values = {"account": PROD, "region": HOME, "bucket": "shop-prod-media", "key": '=HYPERLINK("//example.com")'}
    who = record.outsider("", "anonymous")
    second = rng.randrange(86_400)
    agent, address = "[<script>alert(1)</script>]", "192.0.2.200"
    api = APIS["s3:GetObject"]
    made = record.build(api, who, values, stamp(day, second), rng, fault="denied", agent=agent, address=address)
    return Event(PROD, HOME, second, made | {"errorMessage": "Access Denied"})


def _rotation(account: Account, region: str, day: date, rng: Random) -> Event:
    """Write an event that is no API call: KMS rotates a key."""
    key = f"arn:aws:kms:{region}:{account.id}:key/{uuid(Random(account.id + region))}"  # noqa: S311
    made: Json = {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": account.id, "invokedBy": "AWS Internal"},
        "eventTime": stamp(day, 20_000),
        "eventSource": "kms.amazonaws.com",
        "eventName": "RotateKey",
        "awsRegion": region,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "eventID": uuid(rng),
        "readOnly": False,
        "resources": [{"accountId": account.id, "type": "AWS::KMS::Key", "ARN": key}],
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": account.id,
        "serviceEventDetails": {"keyId": key.rpartition("/")[2], "rotationType": "AUTOMATIC"},
        "eventCategory": "Management",
    }
    return Event(account.id, region, 20_000, made)


def assumed(role_arn: str, name: str, day: date) -> Json:
    """Write the answer to AssumeRole: CloudTrail shows the key's ID and hides the token."""
    _, _, _, _, account, path = role_arn.split(":")
    short = path.rpartition("/")[2]
    role_id = unique_id("AROA", role_arn)
    return {
        "credentials": {
            "accessKeyId": unique_id("ASIA", role_arn, name, str(day)),
            "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "expiration": f"{day:%b} {day.day}, {day.year}, 11:59:59 PM",
        },
        "assumedRoleUser": {
            "assumedRoleId": f"{role_id}:{name}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{short}/{name}",
        },
    }


def stamp(day: date, second: int) -> str:
    """Write an event's time as CloudTrail does: UTC, whole seconds."""
    return f"{day}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
