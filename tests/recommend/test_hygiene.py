"""How credentials are kept: what is found about keys, passwords and root, and what is not."""

from datetime import datetime

import pytest
from tests.recommend.small import (
    OURS,
    account,
    allow,
    findings,
    key,
    log,
    one,
    password,
    policy,
    source,
    user,
)

from trailfit.model import Credential, RootUse

NAME = "AKIAEXAMPLE000000001"
ROOT = f"arn:aws:iam::{OURS}:root"


def test_stale_access_key_is_older_than_the_threshold_at_the_windows_end():
    old, young = key(created=datetime(2026, 8, 1)), key(created=datetime(2026, 8, 3))

    found = one(account(user(credentials=(old,))), kind="StaleAccessKey")

    assert (found.evidence["age_days"], found.evidence["threshold_days"]) == (91, 90)
    assert found.resource == NAME
    assert findings(account(user(credentials=(young,))), kind="StaleAccessKey") == []


def test_stale_access_key_names_the_way_to_rotate_it_in_commands_that_are_safe_to_paste():
    odd = user("a; rm -rf /", credentials=(key(created=datetime(2025, 1, 1)),))

    commands = one(account(odd), kind="StaleAccessKey").commands

    assert commands[0] == "aws iam create-access-key --user-name 'a; rm -rf /'"
    assert commands[1].endswith(f"--access-key-id {NAME} --status Inactive")


def test_access_key_never_rotated_is_as_old_as_its_user():
    made = datetime(2025, 1, 1)
    who = user(created=made, credentials=(key(created=datetime(2025, 1, 1, 12)),))

    assert one(account(who), kind="AccessKeyNeverRotated").evidence["user_created"] == "2025-01-01"
    assert findings(account(who), kind="StaleAccessKey") == []


def test_two_active_access_keys_are_told_with_their_use():
    other = "AKIAEXAMPLE000000002"
    two = user(credentials=(key(), key(other)))
    rows = {other: (source(other, "198.51.100.0/24", datetime(2026, 8, 4), calls=7),)}

    found = one(account(two), log(key_sources=rows), "TwoActiveAccessKeys")

    assert {each["access_key"]: each["calls"] for each in found.evidence["access_keys"]} == {NAME: 0, other: 7}
    spare = user(credentials=(key(), key(other, active=False)))
    assert findings(account(spare), kind="TwoActiveAccessKeys") == []


def test_inactive_access_key_is_to_be_deleted():
    found = one(account(user(credentials=(key(active=False),))), kind="InactiveAccessKey")

    assert found.commands == (f"aws iam delete-access-key --user-name ann --access-key-id {NAME}",)


def seen(*rows):
    return log(key_sources={NAME: tuple(source(NAME, network, first) for network, first in rows)})


EARLY, LATE = datetime(2026, 8, 5), datetime(2026, 10, 10)


def test_access_key_from_new_network_was_not_there_in_the_baseline():
    told = seen(("203.0.113.0/24", EARLY), ("192.0.2.0/24", LATE))

    found = one(account(user(credentials=(key(),))), told, "AccessKeyFromNewNetwork")

    assert [each["network"] for each in found.evidence["new_networks"]] == ["192.0.2.0/24"]
    assert found.evidence["new_networks"][0]["first_seen"] == "2026-10-10"
    assert found.evidence["usual_networks"] == ["203.0.113.0/24"]


@pytest.mark.parametrize(
    "rows",
    [
        [("203.0.113.0/24", EARLY)],
        [("192.0.2.0/24", LATE)],
        [("203.0.113.0/24", EARLY), ("athena.amazonaws.com", LATE)],
    ],
    ids=["nothing new", "no baseline", "a service's own call"],
)
def test_access_key_from_new_network_is_not_said_without_a_baseline_nor_of_services(rows):
    assert findings(account(user(credentials=(key(),))), seen(*rows), "AccessKeyFromNewNetwork") == []


def test_access_key_from_new_network_is_a_hint_only_for_a_key_that_roams():
    usual = [(f"203.0.{number}.0/24", EARLY) for number in range(40)]

    found = one(account(user(credentials=(key(),))), seen(*usual, ("192.0.2.0/24", LATE)), "AccessKeyFromNewNetwork")

    assert found.confidence == "low"


def test_console_user_without_mfa_is_found_and_one_with_it_or_without_a_password_is_not():
    bare = user("bare", credentials=(password(owner="bare", mfa=False),))
    others = (user("safe", credentials=(password(owner="safe"),)), user("none", credentials=(key(owner="none"),)))
    unknown = user("unknown", credentials=(password(owner="unknown", mfa=None),))

    assert one(account(bare, *others, unknown), kind="ConsoleUserWithoutMFA").principal == bare.arn


def test_console_user_without_mfa_is_graver_for_one_who_can_empower_itself():
    who = user(credentials=(password(mfa=False),))
    ruler = user("ann", policy(allow("iam:*")), credentials=(password(mfa=False),))

    told = {each.severity for each in findings(account(ruler), kind="ConsoleUserWithoutMFA")}

    assert told == {"critical"}
    assert one(account(who), kind="ConsoleUserWithoutMFA").severity == "medium"


def rooted(**facts):
    kind, used = facts.pop("kind", "password"), facts.pop("last_used", None)
    return (Credential(kind, ROOT, None, True, datetime(2020, 1, 1), used, **facts),)


def test_root_access_key_is_critical():
    found = one(account(root=rooted(kind="access_key")), kind="RootAccessKey")

    assert (found.principal, found.severity, found.confidence) == (ROOT, "critical", "high")


def test_root_without_mfa_is_critical():
    assert one(account(root=rooted(mfa=False)), kind="RootWithoutMFA").severity == "critical"
    assert findings(account(root=rooted(mfa=True)), kind="RootWithoutMFA") == []


def test_root_use_is_told_by_the_log_and_by_the_credential_report():
    rows = (RootUse(OURS, "signin.amazonaws.com", "ConsoleLogin", 2, datetime(2026, 9, 9), "e9"),)

    by_log = one(account(root=rooted(mfa=True)), log(root_use={OURS: rows}), "RootUse")
    by_report = one(account(root=rooted(mfa=True, last_used=datetime(2026, 9, 9))), log(), "RootUse")

    assert by_log.evidence["events"] == {"signin.amazonaws.com:ConsoleLogin": 2}
    assert (by_log.confidence, by_report.confidence) == ("high", "medium")
    assert by_report.evidence["credential_report"] == ["password on 2026-09-09"]
    earlier = account(root=rooted(mfa=True, last_used=datetime(2026, 1, 9)))
    assert findings(earlier, kind="RootUse") == []


def test_unused_iam_user_access_key_and_unused_iam_user_password_come_with_the_command_that_stops_them():
    who = user(credentials=(key(created=datetime(2025, 1, 1)), password()))

    commands = {each.kind: each.commands for each in findings(account(who)) if each.kind.startswith("UnusedIAMUser")}

    assert commands["UnusedIAMUserAccessKey"][0].endswith("--status Inactive")
    assert commands["UnusedIAMUserPassword"] == ("aws iam delete-login-profile --user-name ann",)
