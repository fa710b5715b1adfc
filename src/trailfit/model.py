"""The nouns that cross a stage: the glossary in code.

AWS's own words where it has one. Everything here is frozen; dates are ``datetime.date``, times are naive
``datetime.datetime`` in UTC (as in the lake), account IDs are text (leading zeros matter).
The nouns of the two languages beneath (`Event`, `Use` in `trailfit.cloudtrail`; `Document`, `Request`,
`Decision` in `trailfit.policy`) live there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from trailfit.policy.document import Document

PolicyKind = Literal["inline", "customer_managed", "aws_managed", "group_inline", "trust"]
PrincipalKind = Literal["role", "user"]
PermissionClass = Literal["used", "unused", "undetermined", "kept"]


@dataclass(frozen=True, slots=True)
class Unassessed:
    """What could not be judged, and why. It reaches the report."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """What `trailfit doctor` found of one subject: ``good``, ``bad`` (something to act on), or ``open`` (not known)."""

    subject: str
    state: Literal["good", "bad", "open"]
    told: str


# --- the log ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What ingest does whole or not at all: the log objects of one account and day."""

    account: str
    day: date


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object of a trail: where it is, its version (etag, size in bytes), and what its key says of it."""

    uri: str
    etag: str
    size: int
    account: str | None
    region: str | None
    day: date | None


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1

    def parameters(self) -> dict[str, date]:
        """Give the window as the parameters that every windowed query takes."""
        return {"from_day": self.first, "to_day": self.last}


@dataclass(frozen=True, slots=True)
class Usage:
    """One principal's calls of one action on one resource, over the window asked for."""

    principal: str
    principal_kind: str
    action: str
    resource: str
    role: str
    basis: str
    calls: int
    denied: int
    first_used: datetime | None
    last_used: datetime | None
    days: int
    example_event: str | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """On which days of the window one kind of event was logged in one account and region.

    `category` is CloudTrail's eventCategory (``Management``, ``Data``); `data_type` is the
    resource type of a data event (``AWS::S3::Object``), None for management events. `gaps` are the days of
    the window without any event of the *account's* management category.
    """

    account: str
    region: str
    category: str
    data_type: str | None
    first_day: date
    last_day: date
    days_seen: int
    days_asked: int
    gaps: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether "never seen" is evidence of "not used", and why (not).

    `kind` is ``logged`` where it is; else ``uncovered`` (events of its kind could be logged and were not) or
    ``unobservable`` (no event could ever show it).
    """

    is_evidence: bool
    reason: str
    kind: Literal["logged", "uncovered", "unobservable"] = "uncovered"


@dataclass(frozen=True, slots=True)
class Denied:
    """Calls that were refused: they never count as use. `message` is AWS's own, as logged: hostile text."""

    principal: str
    action: str
    resource: str
    calls: int
    last: datetime | None
    message: str | None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What the log shows of one long-term access key in the window."""

    access_key_id: str
    principal: str | None
    calls: int
    first_used: datetime
    last_used: datetime


@dataclass(frozen=True, slots=True)
class GrantChange:
    """The last of the logged calls of one kind that changed what somebody is granted.

    `kind` and `name` say whose grant (role, user, group, policy, permission_set); `policy` is the policy's name or
    ARN, None where the call names none. `changes` says what of it.
    """

    account: str
    event: str
    kind: str
    name: str
    policy: str | None
    changes: Literal["grants", "boundary", "trust"]
    last: datetime
    example_event: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """Who took on a role, by which call (`event`) and how often.

    `kind` is the caller's principal kind, `subject` the session or subject where the caller is an account or an
    identity provider. `restricted` counts the calls with a session policy; `session_policies` (documents as JSON
    text) and `policy_arns` are those that were passed.
    """

    role: str
    caller: str
    kind: str
    subject: str | None
    event: str
    calls: int
    restricted: int
    session_policies: tuple[str, ...]
    policy_arns: tuple[str, ...]
    first: datetime
    last: datetime
    example_event: str


@dataclass(frozen=True, slots=True)
class SessionUse:
    """What one session of a role used: its usage, and the days of each (action, resource), sorted."""

    usage: tuple[Usage, ...]
    days: Mapping[tuple[str, str], tuple[date, ...]]


@dataclass(frozen=True, slots=True)
class KeySource:
    """From where, and with which client, one long-term access key was used. `network` is a /24 or /48, or a name."""

    access_key_id: str
    network: str
    user_agent: str | None
    calls: int
    first_used: datetime
    last_used: datetime


@dataclass(frozen=True, slots=True)
class RootUse:
    """What the root user of an account did: one event name."""

    account: str
    event_source: str
    event_name: str
    calls: int
    last: datetime
    example_event: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the log says, over one window, in the form that `recommend` judges by.

    `usage`, `denied`, `last_seen` and `sessions` are keyed by principal ARN, `key_use` by access key ID,
    `gaps` by account: the days of the window without any management event (an account that is absent was
    never logged), `days` by principal ARN and then (action, resource): the days of the counted calls, sorted;
    `action_days` by principal ARN and action, those of all that the lake holds up to the window's end.
    `silence` answers, for an account and an action, whether absence is evidence. `changes` are the logged changes
    of grants, `assumptions` who took on which role (by role ARN), `by_session` what each session of some roles used
    (by role ARN and session name), `unread` how many pieces of each account's log could not be read.
    `key_sources` are keyed by access key ID, `root_use` by account.
    """

    window: Window
    usage: Mapping[str, Sequence[Usage]]
    denied: Mapping[str, Sequence[Denied]]
    last_seen: Mapping[str, datetime]
    sessions: Mapping[str, Mapping[str, int]]
    key_use: Mapping[str, KeyUse]
    gaps: Mapping[str, tuple[date, ...]]
    coverage: Sequence[Coverage]
    silence: Callable[[str, str], Silence]
    days: Mapping[str, Mapping[tuple[str, str], tuple[date, ...]]] = field(default_factory=dict)
    action_days: Mapping[str, Mapping[str, tuple[date, ...]]] = field(default_factory=dict)
    changes: Sequence[GrantChange] = ()
    assumptions: Mapping[str, Sequence[Assumption]] = field(default_factory=dict)
    by_session: Mapping[str, Mapping[str, SessionUse]] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)
    key_sources: Mapping[str, Sequence[KeySource]] = field(default_factory=dict)
    root_use: Mapping[str, Sequence[RootUse]] = field(default_factory=dict)


# --- the account ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A policy that grants something to a principal, and how it reaches it.

    `document` is None when the snapshot does not hold it: then nothing may be proposed for the principal.
    """

    kind: PolicyKind
    name: str
    arn: str | None
    document: Document | None
    group: str | None = None
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastAccessed:
    """IAM's service last accessed data for one principal and service (and action, at ACTION granularity)."""

    service: str
    action: str | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key, password or certificate of a user. `user` is the ARN (of the account's root, too).

    `last_used` None means: not used since IAM began to track it. `created` of a password is its last change.
    """

    kind: Literal["access_key", "password", "certificate"]
    user: str
    id: str | None
    active: bool
    created: datetime | None
    last_used: datetime | None
    last_used_service: str | None = None
    last_used_region: str | None = None
    mfa: bool | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """A role or user as IAM describes it. `arn` keeps the path and is its identity everywhere in trailfit.

    `last_used` None says "never in IAM's tracking period" only where `last_used_known`; `credentials` ()
    says "has none" only where `credentials_known`; `last_accessed` None: no complete report was to be had.
    """

    arn: str
    account: str
    kind: PrincipalKind
    name: str
    path: str
    created: datetime | None
    policies: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    trust: Document | None = None
    groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    last_used: datetime | None = None
    credentials: tuple[Credential, ...] = ()
    last_accessed: tuple[LastAccessed, ...] | None = None
    unique_id: str | None = None
    last_used_known: bool = False
    credentials_known: bool = False
    instance_profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """An IAM group: its policies reach every member. `members` are user ARNs."""

    arn: str
    account: str
    name: str
    path: str
    created: datetime | None
    policies: tuple[AttachedPolicy, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy."""

    id: str
    default: bool
    created: datetime | None
    document: Document | None


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy that the snapshot holds, with its versions, newest first.

    `attachments` and `boundary_uses` are IAM's own counts, None where it gave none.
    """

    arn: str
    account: str
    name: str
    created: datetime | None
    updated: datetime | None
    versions: tuple[PolicyVersion, ...] = ()
    attachments: int | None = None
    boundary_uses: int | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A compute resource and the role it runs as: a Lambda function, ECS task definition, rule, job, ….

    `kind` is CloudFormation's name of the resource type; `triggers` are the ARNs that set it off where AWS
    says so (queues and streams of a Lambda function), `aliases` those of a Lambda function.
    """

    arn: str
    name: str
    account: str
    region: str
    role: str
    log_group: str | None = None
    kind: str = "AWS::Lambda::Function"
    triggers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrailSelector:
    """What a trail of the account is configured to log, where the snapshot has it.

    `management` is true only if all management events are logged, reads and writes; `data_types` are the
    data events logged without any restriction, `partial` what is logged only in part (then silence proves
    nothing): resource types, or ``Management``. `excluded` are event sources left out of management events.
    `logging` None: its status is not known.
    """

    trail: str
    account: str
    region: str
    multi_region: bool
    management: bool
    data_types: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    logging: bool | None = None
    organization: bool = False


@dataclass(frozen=True, slots=True)
class GuardrailPolicy:
    """A service or resource control policy of the organization. `document` None: it could not be read."""

    id: str
    name: str
    document: Document | None


@dataclass(frozen=True, slots=True)
class GuardrailLevel:
    """One node of the tree above an account (root, organizational unit, or the account) and what it sets."""

    target: str
    name: str
    policies: tuple[GuardrailPolicy, ...]


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The levels above one account, root first. None: not known; (): the policy type is not in force."""

    account: str
    scp: tuple[GuardrailLevel, ...] | None
    rcp: tuple[GuardrailLevel, ...] | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who holds a permission set in which account. `principal_id` is Identity Center's."""

    account: str
    principal_type: str
    principal_id: str


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """An Identity Center permission set: the source of its ``AWSReservedSSO_…`` roles in every account.

    `roles` are the ARNs of those roles that the snapshot holds.
    """

    arn: str
    name: str
    policies: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    assignments: tuple[Assignment, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectiveGrant:
    """All that decides what a principal may do, but for resource policies and sessions.

    `scp`, `rcp` as in `Guardrails`. `duplicates` are policies that say the same, by name or ARN; `unknown` says
    what of the grant the snapshot does not hold: then nothing may be proposed. `family` names what the principal
    shares its grant with: a permission set's ARN, or the role name that the configuration consolidates.
    """

    principal: str
    identity: tuple[AttachedPolicy, ...]
    boundary: AttachedPolicy | None
    scp: tuple[GuardrailLevel, ...] | None
    rcp: tuple[GuardrailLevel, ...] | None
    duplicates: tuple[tuple[str, ...], ...] = ()
    unknown: tuple[str, ...] = ()
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Accounts as they were at one time: principals, policies, credentials, functions.

    `unfinished` are the accounts of which AWS throttled or failed some request: what is missing there may be there.
    """

    taken: datetime
    accounts: tuple[str, ...]
    principals: tuple[Principal, ...]
    functions: tuple[Function, ...] = ()
    selectors: tuple[TrailSelector, ...] = ()
    unattached: tuple[AttachedPolicy, ...] = ()
    unassessed: tuple[Unassessed, ...] = ()
    groups: tuple[Group, ...] = ()
    managed: tuple[ManagedPolicy, ...] = ()
    guardrails: tuple[Guardrails, ...] = ()
    permission_sets: tuple[PermissionSet, ...] = ()
    root: tuple[Credential, ...] = ()
    unfinished: tuple[str, ...] = ()


# --- the judgement ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth acting on, with its evidence. `id` is stable from run to run.

    `remedy` says what to do, `commands` are steps of it that can be run as they are; `risk` weighs the finding
    from 0 to 100 (severity x confidence, `catalog.risks`).
    """

    id: str
    kind: str
    principal: str
    severity: Literal["low", "medium", "high", "critical"]
    confidence: Literal["low", "medium", "high"]
    evidence: Mapping[str, object]
    resource: str | None = None
    remedy: str = ""
    commands: tuple[str, ...] = ()
    risk: int = 0


@dataclass(frozen=True, slots=True)
class ExcludedFinding:
    """A finding that an exclusion takes out of what is to be acted on: by which, why, and until when it holds."""

    finding: Finding
    by: str
    reason: str
    until: date | None


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One policy of a principal, before or after: what `recommendations.json` holds."""

    kind: PolicyKind
    name: str
    document: Document
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """The class of one granted action of a principal, and why it has it.

    `last_accessed` is IAM's own record of the action (or its service), where it has one; `contradiction` says that this
    record and the log disagree.
    """

    action: str
    cls: PermissionClass
    reason: str
    calls: int = 0
    first_used: datetime | None = None
    last_used: datetime | None = None
    resources: tuple[str, ...] = ()
    example_event: str | None = None
    last_accessed: datetime | None = None
    contradiction: str | None = None


@dataclass(frozen=True, slots=True)
class TrustedPrincipal:
    """The class of one principal that a trust policy lets in, and why: as `Permission`, of who instead of what."""

    statement: str
    kind: str
    value: str
    cls: PermissionClass
    reason: str
    calls: int = 0
    last_used: datetime | None = None
    example_event: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict with its method. `holds` is None when undecided; then `counterexample` says what is open."""

    holds: bool | None
    method: str
    counterexample: Mapping[str, object] | None = None
    requests: int | None = None
    denied: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role to make for one of several resources that share one: whom it is for, its policies, whom it trusts.

    The proofs are against the shared role: it grants (and lets in) nothing that the shared one does not, and allows
    all that the sessions of `runs` used.
    """

    arn: str
    runs: str
    policies: tuple[PolicyChange, ...]
    trust: PolicyChange
    permissions: tuple[Permission, ...]
    no_new_access: Proof
    still_allows: Proof
    explanations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do about findings: policies before and after, the two proofs, and whether it is safe unattended.

    `roles` are roles to make beside it, where a shared role is split: `before` and `after` are empty then.
    """

    id: str
    principal: str
    action: str
    finding_ids: tuple[str, ...]
    disposition: Literal["safe", "unsafe"]
    reasons: tuple[str, ...]
    before: tuple[PolicyChange, ...]
    after: tuple[PolicyChange, ...]
    permissions: tuple[Permission, ...]
    no_new_access: Proof
    still_allows: Proof
    rollback: tuple[str, ...] = ()
    explanations: tuple[tuple[str, str], ...] = ()
    roles: tuple[NewRole, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that one run found: what `recommendations.json` is written from.

    `permissions` holds, per principal, the class of every granted action; `exempt` the principals that a rule
    leaves alone, with the rule, `trust` per role the class of everybody whom its trust policy lets in, `contradictions`
    per principal where IAM's own record of it and the log disagree.
    `excluded` are findings that an exclusion covers, `exclusions` what is known of each exclusion (its state,
    how many findings it covers).
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    recommendations: tuple[Recommendation, ...]
    permissions: Mapping[str, tuple[Permission, ...]]
    principals: tuple[Principal, ...]
    unassessed: tuple[Unassessed, ...]
    exempt: tuple[Unassessed, ...] = ()
    trust: Mapping[str, tuple[TrustedPrincipal, ...]] = field(default_factory=dict)
    contradictions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: tuple[ExcludedFinding, ...] = ()
    exclusions: tuple[Mapping[str, object], ...] = ()
