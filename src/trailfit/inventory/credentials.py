"""Access keys, passwords and certificates: the credential report, and the access key lists beside it.

The report knows every user's password and both keys' states and uses, but no key IDs; list-access-keys knows
those. A key of either is the same key when both were created at the same second; the list is right about which
keys there are, and a use that either tells of is a use.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailfit.inventory.pieces import report_text
from trailfit.inventory.values import account_of, moment, objects, text
from trailfit.model import Credential, Unassessed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_ROOT = "<root_account>"
#: The columns that tell of use, and what they say where there is none to tell of.
_USES = ("password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date")
_NEVER = frozenset({"", "N/A", "no_information", "not_supported"})


class Credentials:
    """What is known of the credentials of each user (and root), by ARN."""

    def __init__(self, unassessed: list[Unassessed]) -> None:
        self._unassessed = unassessed
        self._reported: dict[str, list[Credential]] = {}
        self._keys: dict[tuple[str | None, str], list[dict[str, Any]]] = {}
        self._used: dict[str, Mapping[str, Any]] = {}
        self.accounts: set[str] = set()
        self.generated: datetime | None = None

    def add_report(self, content: str, generated: object, where: str, account: str | None) -> None:
        """Add a credential report: CSV, or base64 of it. `generated` is its time where the answer has it."""
        try:
            rows = list(csv.DictReader(io.StringIO(report_text(content))))
        except (ValueError, csv.Error) as problem:
            self._unassessed.append(Unassessed(where, f"the credential report cannot be read: {problem}"))
            return
        at = moment(generated)
        if at and (self.generated is None or at > self.generated):
            self.generated = at
        if account:
            self.accounts.add(account)
        for row in rows:
            arn = row.get("arn") or ""
            owner = account_of(arn)
            if owner is None:
                self._unassessed.append(
                    Unassessed(where, f"a line of the credential report has no ARN: {row.get('user')}")
                )
                continue
            self.accounts.add(owner)
            odd = [name for name in _USES if not _is_told(row.get(name))]
            if odd:
                self._unassessed.append(
                    Unassessed(arn, f"{where}: {', '.join(odd)} cannot be read: its use is not known")
                )
                continue
            found = self._reported.setdefault(arn, [])
            for credential in _credentials(arn, row):
                _merge(found, credential)

    def add_keys(self, data: Mapping[str, Any], account: str | None) -> None:
        """Add an answer of list-access-keys."""
        for key in objects(data.get("AccessKeyMetadata")):
            if text(key, "AccessKeyId"):
                self._keys.setdefault((account, text(key, "UserName") or ""), []).append(key)

    def add_key_use(self, data: Mapping[str, Any], params: Mapping[str, Any], where: str) -> None:
        """Add an answer of get-access-key-last-used. It does not name the key: the request or the file does."""
        name = str(params.get("AccessKeyId") or params.get("file") or "")
        used = data.get("AccessKeyLastUsed")
        if name[:4] in {"AKIA", "ASIA"} and isinstance(used, dict):
            self._used[name] = used
        else:
            self._unassessed.append(
                Unassessed(where, "does not say which access key it is about: name it after the key")
            )

    def of(self, arn: str) -> tuple[Credential, ...]:
        """Return the credentials of a user, by ARN."""
        reported = list(self._reported.get(arn, ()))
        listed = [self._listed(arn, key) for key in self._keys.get((account_of(arn), arn.rsplit("/", 1)[-1]), ())]
        if listed:
            unlike = [one for one in reported if one.kind == "access_key"]
            reported = [one for one in reported if one.kind != "access_key"]
            for key in listed:
                same = next((one for one in unlike if _second(one.created) == _second(key.created)), None)
                if same:
                    unlike.remove(same)
                    reported.append(replace(_newer(same, key), id=key.id, active=key.active, created=key.created))
                else:
                    reported.append(key)
            if unlike:  # which key the report means cannot be told: no key may be less used than it says
                reported = [
                    replace(_newer(max(unlike, key=_use), one), id=one.id, active=one.active, created=one.created)
                    if one.kind == "access_key"
                    else one
                    for one in reported
                ]
        return tuple(sorted(reported, key=lambda c: (c.kind, str(c.created), c.id or "")))

    def known(self, arn: str) -> bool:
        """Tell whether the report has a line for a user: only then "no credentials" means that it has none."""
        return arn in self._reported

    def users(self) -> tuple[str, ...]:
        """Return the ARNs of the users that the reports have a line for, root left out."""
        return tuple(sorted(arn for arn in self._reported if not arn.endswith(":root")))

    def root(self) -> tuple[Credential, ...]:
        """Return the credentials of the accounts' root users."""
        arns = sorted(arn for arn in self._reported if arn.endswith(":root"))
        return tuple(credential for arn in arns for credential in self.of(arn))

    def _listed(self, arn: str, key: Mapping[str, Any]) -> Credential:
        used = self._used.get(key["AccessKeyId"], {})
        return Credential(
            kind="access_key",
            user=arn,
            id=key["AccessKeyId"],
            active=key.get("Status") == "Active",
            created=moment(key.get("CreateDate")),
            last_used=moment(used.get("LastUsedDate")),
            last_used_service=_said(used.get("ServiceName")),
            last_used_region=_said(used.get("Region")),
        )


def _credentials(arn: str, row: Mapping[str, str]) -> list[Credential]:
    """Return the credentials in one line of the report. A key or certificate never made has no date."""
    found = []
    root = row.get("user") == _ROOT
    if row.get("password_enabled") == "true" or root:
        found.append(
            Credential(
                kind="password",
                user=arn,
                id=None,
                active=True,
                created=moment(row.get("user_creation_time") if root else row.get("password_last_changed")),
                last_used=moment(row.get("password_last_used")),
                mfa={"true": True, "false": False}.get(row.get("mfa_active") or ""),
            )
        )
    for number in ("1", "2"):
        key, cert = f"access_key_{number}_", f"cert_{number}_"
        if moment(row.get(key + "last_rotated")) or row.get(key + "active") == "true":
            found.append(
                Credential(
                    kind="access_key",
                    user=arn,
                    id=None,
                    active=row.get(key + "active") == "true",
                    created=moment(row.get(key + "last_rotated")),
                    last_used=moment(row.get(key + "last_used_date")),
                    last_used_service=_said(row.get(key + "last_used_service")),
                    last_used_region=_said(row.get(key + "last_used_region")),
                )
            )
        if moment(row.get(cert + "last_rotated")) or row.get(cert + "active") == "true":
            active = row.get(cert + "active") == "true"
            found.append(Credential("certificate", arn, None, active, moment(row.get(cert + "last_rotated")), None))
    return found


def _merge(found: list[Credential], credential: Credential) -> None:
    """Add a credential; of the same one in two reports, the newest use is kept: a use is never forgotten."""
    for index, known in enumerate(found):
        if (known.kind, known.created) == (credential.kind, credential.created):
            found[index] = replace(_newer(known, credential), active=known.active or credential.active)
            return
    found.append(credential)


def _newer(one: Credential, other: Credential) -> Credential:
    """Return the account of a credential that tells of the later use."""
    return max(one, other, key=_use)


def _use(credential: Credential) -> tuple[bool, str]:
    return credential.last_used is not None, str(credential.last_used)


def _second(time: datetime | None) -> datetime | None:
    return time.replace(microsecond=0) if time else None


def _is_told(value: str | None) -> bool:
    """Tell whether a column of use is a time or one of the report's words for "never"."""
    return value is None or value in _NEVER or moment(value) is not None


def _said(value: object) -> str | None:
    return value if isinstance(value, str) and value not in {"", "N/A"} else None
