"""Who exists in the demo organisation: the nouns that the accounts, the logs and the IAM files share.

An account's module (`prod`, `staging`, `data`) lists principals with their policies and, beside them, their
habits; `behaviour` turns habits into calls, `record` calls into CloudTrail records.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailfit.demo.behaviour import Habit

Json: TypeAlias = dict[str, Any]

PROD, STAGING, DATA = "111122223333", "222233334444", "444455556666"
ORGANISATION = "o-exampleorg"
HOME, SECOND, GLOBAL = "eu-west-1", "eu-central-1", "us-east-1"


def unique_id(prefix: str, *parts: str) -> str:
    """Make an ID of IAM's form (``AROA…``, ``AKIA…``: a four-letter prefix and 17 or 16 letters and digits)."""
    digest = hashlib.sha256("/".join((prefix, *parts)).encode()).digest()
    length = 16 if prefix in {"AKIA", "ASIA"} else 17
    return prefix + base64.b32encode(digest).decode()[:length]


def policy(*statements: Json) -> Json:
    """Make a policy document of the current version from its statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str | list[str], resource: str | list[str], *, sid: str = "", **rest: Any) -> Json:
    """Make an Allow statement; `rest` adds elements such as ``Condition``."""
    return ({"Sid": sid} if sid else {}) | {"Effect": "Allow", "Action": action, "Resource": resource} | rest


def trusts(kind: str, who: str, *, action: str = "sts:AssumeRole", condition: Json | None = None) -> Json:
    """Make a trust policy for one principal: `kind` is ``Service``, ``AWS`` or ``Federated``."""
    statement: Json = {"Effect": "Allow", "Principal": {kind: who}, "Action": action}
    return policy(statement | ({"Condition": condition} if condition else {}))


LAMBDA, EC2, ECS = (trusts("Service", f"{name}.amazonaws.com") for name in ("lambda", "ec2", "ecs-tasks"))


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that a principal may need though no call of the window shows it, and when it would.

    `observable` says that the log would have shown such a call, and that there was none in the window. Otherwise there
    were calls, which IAM's last accessed information knows of, or, for a `part` of other calls (``iam:PassRole``), not.
    """

    action: str
    resource: str
    cadence: str
    observable: bool = False
    part: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its policies, and what it does. `managed` names AWS-managed or customer-managed policies."""

    account: str
    name: str
    trust: Json
    path: str = "/"
    managed: tuple[str, ...] = ()
    inline: Mapping[str, Json] = field(default_factory=dict)
    boundary: str | None = None
    habits: tuple[Habit, ...] = ()
    unseen: tuple[Need, ...] = ()
    created_days_ago: int = 610
    idle_days: int | None = None
    profile: str | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    defined_in: Literal["sam", "terraform", "policies", "console"] = "console"

    @property
    def arn(self) -> str:
        """The role's ARN, path kept."""
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    @property
    def id(self) -> str:
        """The role's unique ID (``AROA…``)."""
        return unique_id("AROA", self.arn)


@dataclass(frozen=True, slots=True)
class Key:
    """An access key: how old, whether active; `idle_days` is when it was last used before the window, if ever."""

    label: str
    created_days_ago: int
    active: bool = True
    idle_days: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user, its keys and password. `password_idle_days` is None for a password never used."""

    account: str
    name: str
    path: str = "/"
    groups: tuple[str, ...] = ()
    managed: tuple[str, ...] = ()
    inline: Mapping[str, Json] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    password: bool = False
    password_idle_days: int | None = None
    mfa: bool = False
    habits: tuple[Habit, ...] = ()
    unseen: tuple[Need, ...] = ()
    created_days_ago: int = 800
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The user's ARN, path kept."""
        return f"arn:aws:iam::{self.account}:user{self.path}{self.name}"

    @property
    def id(self) -> str:
        """The user's unique ID (``AIDA…``)."""
        return unique_id("AIDA", self.arn)

    def key_id(self, label: str) -> str:
        """Give the access key ID of the key called `label` here."""
        return unique_id("AKIA", self.arn, label)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users and its policies."""

    account: str
    name: str
    managed: tuple[str, ...] = ()
    inline: Mapping[str, Json] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return f"arn:aws:iam::{self.account}:group/{self.name}"


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A customer-managed policy; `older` are the documents of its versions before the default, oldest first."""

    account: str
    name: str
    document: Json
    created_days_ago: int = 420
    older: tuple[Json, ...] = ()

    @property
    def arn(self) -> str:
        """The policy's ARN."""
        return f"arn:aws:iam::{self.account}:policy/{self.name}"


@dataclass(frozen=True, slots=True)
class Lambda:
    """A Lambda function and the name of its execution role."""

    account: str
    name: str
    role: str
    region: str = HOME
    runtime: str = "python3.13"

    @property
    def arn(self) -> str:
        """The function's ARN, unqualified."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail: where its objects go, and what it logs. `account` owns it; `organisation` means all accounts."""

    account: str
    name: str
    bucket: str
    prefix: str = ""
    organisation: bool = False
    management: bool = True
    data_types: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The trail's ARN in its home region."""
        return f"arn:aws:cloudtrail:{HOME}:{self.account}:trail/{self.name}"


@dataclass(frozen=True, slots=True)
class Root:
    """The root user of an account: whether it has MFA, how old its access key is, when it was last signed in with."""

    mfa: bool = True
    key_days: int | None = None
    signed_in_days_ago: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One account: its principals, and what AWS's own services do in it."""

    id: str
    name: str
    regions: tuple[str, ...]
    roles: tuple[Role, ...]
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    policies: tuple[ManagedPolicy, ...] = ()
    functions: tuple[Lambda, ...] = ()
    root: Root = field(default_factory=Root)

    @property
    def principals(self) -> tuple[Role | User, ...]:
        """All roles, then all users."""
        return (*self.roles, *self.users)
