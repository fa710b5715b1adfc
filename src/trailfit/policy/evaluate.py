"""The law: what IAM decides about one request. Short, slow and obvious; the proofs are held against it.

Each rule stands beside the AWS page that states it. `authorizer` decides the same, faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from trailfit.policy import condition, pattern, principal
from trailfit.policy.principal import Match

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence

    from trailfit.policy.document import Document, Statement

Effect = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied", "Unknown"]
#: Does it apply? True, False, or None where the context does not tell.
Tri = bool | None


@dataclass(frozen=True, slots=True)
class Request:
    """The question whether `principal` may do `action` on `resource`, in `context`.

    `context` maps condition keys (case-insensitive) to a value or a tuple of values; it is all there is to know when
    `context_complete`. `resource_account` owns the resource; None means the account in the resource's ARN, or the
    principal's own where the ARN names none (S3).
    """

    principal: str | None
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    resource_account: str | None = None
    context_complete: bool = True

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Give the context with keys in lower case and each value as a tuple."""
        return {
            key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in self.context.items()
        }


@dataclass(frozen=True, slots=True)
class Policies:
    """All documents that bear on a request. None: there is no such policy; a level that is empty allows nothing.

    `scp` and `rcp` are levels, root first, each with its documents. `session` and `boundary` hold one document or more.
    """

    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    scp: tuple[tuple[Document, ...], ...] | None = None
    rcp: tuple[tuple[Document, ...], ...] | None = None
    session: tuple[Document, ...] | None = None
    resource: Document | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What IAM decides, and the statements that made it (`identity[0].Statement[1]`).

    `Unknown` names the statements whose conditions the context leaves open.
    """

    effect: Effect
    statements: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Tell whether the request is allowed for certain."""
        return self.effect == "Allowed"


# --- one statement ----------------------------------------------------------------------------------------


def action_matches(statement: Statement, action: str) -> bool:
    """Match Action or NotAction: "The prefix and the action name are case insensitive".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    name = action.lower()
    listed = any(_action_expression(each).match(name) for each in statement.actions)
    return listed != statement.not_action


@lru_cache(maxsize=8192)
def _action_expression(written: str) -> re.Pattern[str]:
    return pattern.compiled(pattern.fold(pattern.tokens(written, variables=False)))


def resource_matches(statement: Statement, request: Request, *, complete: bool) -> Tri:
    """Match Resource or NotResource; a statement without either is about the resource it is attached to.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if statement.resources is None:
        return True
    listed = either(_one_resource(each, statement, request, complete) for each in statement.resources)
    return None if listed is None else listed != statement.not_resource


def _one_resource(written: str, statement: Statement, request: Request, complete: bool) -> Tri:
    read = _resource_pattern(written, statement.variables, complete)
    if read is None:
        return False
    try:
        resolved = pattern.resolve(read, Variables(request))
    except LookupError:
        return None
    return resolved is not None and pattern.matches(resolved, request.resource)


@lru_cache(maxsize=8192)
def _resource_pattern(written: str, variables: bool, complete: bool) -> pattern.Tokens | None:
    return pattern.arn(pattern.tokens(written, variables=variables), complete=complete)


class Variables:
    """Gives policy variables their values from a request's context.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    def __init__(self, request: Request) -> None:
        self._values = request.values
        self._complete = request.context_complete

    def __call__(self, variable: pattern.Variable) -> str | None:
        """Give the value, or the default, or None; raise LookupError where the context does not tell.

        A key with several values is no value: variables are made for single-valued keys.
        """
        found = self._values.get(variable.key.lower())
        if found is None:
            if not self._complete:
                raise LookupError(variable.key)
            return variable.default
        return found[0] if len(found) == 1 else None


def conditions_hold(statement: Statement, request: Request) -> Tri:
    """Evaluate the Condition block: "All conditions must resolve to true".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    values, variables = request.values, Variables(request)
    return every(
        condition.holds(each, values, complete=request.context_complete, value_of=variables)
        for each in statement.conditions
    )


def applies(statement: Statement, request: Request, *, complete: bool) -> Tri:
    """Tell whether a statement is about the request, its principal aside."""
    if not action_matches(statement, request.action):
        return False
    return every((resource_matches(statement, request, complete=complete), conditions_hold(statement, request)))


def every(parts: Iterable[Tri]) -> Tri:
    """Join by AND where some parts are not known."""
    known: Tri = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            known = None
    return known


def either(parts: Iterable[Tri]) -> Tri:
    """Join by OR where some parts are not known."""
    known: Tri = False
    for part in parts:
        if part:
            return True
        if part is None:
            known = None
    return known


# --- one place where policies stand -----------------------------------------------------------------------


class Finding(NamedTuple):
    """What the documents of one place say: does an Allow apply, does a Deny, by which statements.

    `direct`, `role` and `account` split `allow` by how Principal names the requester (`principal.Match`).
    """

    allow: Tri = False
    deny: Tri = False
    direct: Tri = False
    role: Tri = False
    account: Tri = False
    allowing: Sequence[str] = ()
    denying: Sequence[str] = ()
    open: Sequence[str] = ()


NOTHING = Finding()


class Find(Protocol):
    """How the documents of one place are read; `authorizer` reads them faster, to the same effect."""

    def __call__(
        self, documents: Sequence[Document], request: Request, name: str, *, complete: bool, bounded: bool = ...
    ) -> Finding:
        """Read the documents of the place `name`; `complete`: short ARNs are completed with `*`."""


def find(
    documents: Sequence[Document], request: Request, name: str, *, complete: bool, bounded: bool = False
) -> Finding:
    """Read the documents of one place together: "at least one Allow", and any Deny.

    Statements are named ``name[0].Statement[1]``, or ``name.Statement[1]`` in places that hold one document.
    """
    found: list[tuple[str, Statement, Tri, Match]] = []
    for number, document in enumerate(documents):
        for statement in document.statements:
            match = principal.match(statement, request.principal, bounded=bounded)
            applied = match is not Match.NONE and applies(statement, request, complete=complete)
            found.append((f"{place(name, number)}.{statement.name}", statement, applied, match))
    allows = [(where, applied, match) for where, statement, applied, match in found if statement.effect == "Allow"]
    denies = [(where, applied) for where, statement, applied, _ in found if statement.effect == "Deny"]
    return Finding(
        allow=either(applied for _, applied, _ in allows),
        deny=either(applied for _, applied in denies),
        direct=either(applied for _, applied, match in allows if match is Match.DIRECT),
        role=either(applied for _, applied, match in allows if match is Match.ROLE),
        account=either(applied for _, applied, match in allows if match is Match.ACCOUNT),
        allowing=[where for where, applied, _ in allows if applied],
        denying=[where for where, applied in denies if applied],
        open=[where for where, _, applied, _ in found if applied is None],
    )


def place(name: str, number: int) -> str:
    """Name a document by its place; some places hold one document only, and their first needs no number."""
    return name if number == 0 and name in _SINGLE else f"{name}[{number}]"


_SINGLE = ("boundary", "session", "resource_policy")

# --- all policies together --------------------------------------------------------------------------------


def evaluate(request: Request, policies: Policies, find: Find = find) -> Decision:
    """Decide the request.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    identity = find(policies.identity, request, "identity", complete=True)
    boundary = find(policies.boundary or (), request, "boundary", complete=True)
    session = find(policies.session or (), request, "session", complete=True)
    named = (policies.resource,) if policies.resource else ()
    resource = find(named, request, "resource_policy", complete=False, bounded=policies.boundary is not None)
    # "SCPs do not affect any service-linked role"; nor do RCPs.
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    free = principal.is_service_linked(request.principal)
    scps = () if free else policies.scp or ()
    rcps = () if free else policies.rcp or ()
    scp = [find(level, request, f"scp[{n}]", complete=False) for n, level in enumerate(scps)]
    rcp = [(level, find(level, request, f"rcp[{n}]", complete=False)) for n, level in enumerate(rcps)]
    places = [*scp, *(found for _, found in rcp), resource, identity, boundary, session]

    # "If the enforcement code finds even one explicit deny that applies, the code returns a final decision of Deny."
    deny = either([each.deny for each in places])
    if deny:
        return Decision("ExplicitlyDenied", tuple(where for each in places for where in each.denying))
    allow = every([
        # Every level from the root to the account must allow.
        *(level.allow for level in scp),
        # "RCPFullAWSAccess is automatically attached" to every level that has policies; other RCPs only deny.
        *(found.allow if _allows_at_all(level) else bool(level) for level, found in rcp),
        _principal_and_resource(request, policies, identity, boundary, session, resource),
    ])  # fmt: skip
    if allow is False:
        return Decision("ImplicitlyDenied")
    if allow is None or deny is None:
        return Decision("Unknown", tuple(where for each in places for where in each.open))
    return Decision("Allowed", tuple(where for each in places for where in each.allowing))


def grants(
    request: Request, documents: Sequence[Document], boundary: Sequence[Document] | None = None, find: Find = find
) -> Tri:
    """Tell whether a principal's own documents, within its boundary, allow the request; None where it is not known.

    This is the principal's side alone: what resource-based policies, SCPs and RCPs add or take away is not looked at.
    """
    own = find(documents, request, "identity", complete=True)
    limit = find(boundary or (), request, "boundary", complete=True)
    deny = either((own.deny, limit.deny))
    return every((own.allow, boundary is None or limit.allow, None if deny is None else not deny))


def _allows_at_all(documents: Sequence[Document]) -> bool:
    return any(statement.effect == "Allow" for document in documents for statement in document.statements)


def _principal_and_resource(
    request: Request, policies: Policies, identity: Finding, boundary: Finding, session: Finding, resource: Finding
) -> Tri:
    """Join what the principal's policies and the resource's policy allow."""
    owner = principal.account(request.principal)
    if owner is None:
        # A service or an anonymous caller has no policies of its own.
        return resource.allow
    # "By default, all requests are implicitly denied with the exception of the AWS account root user"
    own = True if principal.is_root_user(request.principal) else identity.allow
    limits = every((policies.boundary is None or boundary.allow, policies.session is None or session.allow))
    if owner != _resource_account(request, owner):
        # "both sides": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
        return every((resource.allow, own, limits))
    through_account = every((resource.account, own)) if _needs_resource_policy(request) else own
    granted = either((resource.role, through_account))
    # "If a resource-based policy grants permission directly to the IAM user or the session principal that is making
    # the request, then an implicit deny in an identity-based policy, a permissions boundary, or a session policy does
    # not impact the final decision."
    return either((resource.direct, every((granted, limits))))


def _resource_account(request: Request, owner: str) -> str:
    """Tell whose the resource is: as said, or by its ARN, or else the requester's own."""
    segments = request.resource.split(":")
    in_arn = segments[4] if len(segments) >= _ARN_SEGMENTS else ""
    return request.resource_account or in_arn or owner


def _needs_resource_policy(request: Request) -> bool:
    """Tell whether identity-based policies alone are never enough.

    "IAM role trust policies and KMS key policies are exceptions to this logic, because they must explicitly allow
    access for principals." To pass session tags or a source identity the trust policy must allow too:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    service = request.action.lower().partition(":")[0]
    kind = request.resource.split(":")[-1].partition("/")[0]
    return (service, kind) in (("kms", "key"), ("sts", "role"))


_ARN_SEGMENTS = 6
