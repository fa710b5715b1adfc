"""Render ``docs/findings.md`` from the catalogue: what each kind of finding means, and how grave it is."""

from trailfit.catalog import risks
from trailfit.catalog.tables import rows
from trailfit.deliver.findings import title_of

HEAD = """# Findings

Every kind of finding that trailfit makes, from the same table that the program reads: a test holds them to each other.
Where AWS's IAM Access Analyzer has a kind, it has AWS's name here.

Each finding in `recommendations.json` has its `evidence`, a `remedy`, `commands` where a step of the remedy can be a
command (read it before you run it: trailfit changes nothing in an account), a `severity`, a `confidence` and a `risk`.

## Severity, confidence, risk

*Severity* says what would go wrong. *Confidence* says how sure trailfit is. `risk` is one times the other, from 0 to 100.
"""

SCALES = """
A kind has a severity of its own. Some are shifted by a step, within the scale:

| shifted by | how |
|---|---|
"""

SURFACE = """
## The risk that a recommendation removes

`surface` of a recommendation measures the policies that go (`before`) against those that come (`after`): the sum over
actions of the action's weight × the share of what exists that it is granted on. An action's weight is that of its access
level, or its own where it is more sensitive than its level tells. The table is yours to argue with:

| action or access level | weight | why |
|---|---|---|
"""

EXCLUSIONS = """
## What is left alone

An exclusion takes findings out of what is to be acted on, and keeps the permissions that it covers. It has a reason and a
last day, compared with the last day of the window. What it covers is listed as excluded, in the report and in
`recommendations.json`; past its last day it covers nothing, and says so. It does not count for `--fail-on`.

```toml
# trailfit.toml
[[exclude]]
principal = "arn:aws:iam::111122223333:role/migration-*"   # a glob over ARNs; also of groups and policies
kinds = ["UnusedIAMRole", "UnusedPermission"]              # globs over the kinds below; without it: all
reason = "used again for the move of the data centre"
until = 2026-12-31

[[exclude]]
path = "/legacy/"                                          # the beginning of a role's or user's path
sid = "KeepForAudit"                                       # one statement: it stays as it is written
reason = "the auditors ask for it"
until = 2026-12-31

[[exclude]]
tag = "team=payments"                                      # a glob over key=value
action = "kms:*"                                           # these permissions stay, on all their resources
reason = "under review by the payments team"
until = 2026-12-31

[[exclude]]
principal = "arn:aws:iam::*:role/emergency-*"
purpose = "break-glass"                                    # or "disaster-recovery": lasts, and needs no day
reason = "runbook 7"
```

Roles and users can carry their own: tag `trailfit:exempt` = `UnusedIAMRole+SharedRole until=2026-12-31 reason=…`, or
`all until=2026-12-31` (IAM takes no `*`, `,` or `;` in a tag's value; trailfit reads them, too). Tag `trailfit:keep` =
`break-glass` or `disaster-recovery` declares a purpose: such a role is never called unused, nor tightened; who may assume
it is still looked at. A name alone decides nothing: it only asks (`ConfirmPurpose`). Roles that AWS owns (service-linked,
Identity Center) are never touched.
"""


def page():
    """Render the page."""
    parts = [HEAD, "\n| severity | weight | means |\n|---|---|---|\n"]
    model = rows("severity_model")
    parts += [f"| {row['name']} | {row['value']} | {row['means']} |\n" for row in model if row["part"] == "harm"]
    parts.append("\n| confidence | factor | means |\n|---|---|---|\n")
    parts += [f"| {row['name']} | {row['value']} | {row['means']} |\n" for row in model if row["part"] == "confidence"]
    parts.append(SCALES)
    parts += [f"| {row['name']} | {row['means']} |\n" for row in model if row["part"] == "scale"]
    parts.append(SURFACE)
    parts += [f"| `{row['name']}` | {row['weight']} | {row['source']} |\n" for row in rows("action_weights")]
    parts.append(EXCLUSIONS)
    parts.append("\n## Kinds\n")
    for kind in risks.kinds().values():
        shifted = f", shifted by {kind.scale}" if kind.scale else ""
        parts.append(
            f"\n### `{kind.kind}`\n\n{title_of(kind.kind)}. {kind.meaning}\n\n"
            f"- **Severity:** {kind.harm}{shifted}.\n- **Evidence:** {kind.evidence}\n- **Remedy:** {kind.remedy}\n"
            f"- **May be mistaken:** {kind.mistaken}\n- **Source:** {kind.source}\n"
        )
    parts.append(
        "\n## Ways to more rights\n\nThe paths that `PrivilegeEscalation` looks for, each with its source:\n\n"
    )
    parts.append("| path | actions | source |\n|---|---|---|\n")
    for path in risks.escalation_paths():
        actions = ", ".join(f"`{step.action}`{f' ({step.on})' if step.on else ''}" for step in path.steps)
        parts.append(f"| {path.name} | {actions} | {path.source} |\n")
    return "".join(parts)
