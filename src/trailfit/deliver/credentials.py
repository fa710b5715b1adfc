"""Scripts that take unused keys, passwords and users away in two stages; trailfit writes them and never runs them.

Stage one deactivates and can be undone: a key becomes inactive, a password is replaced by one that nobody knows, a user
gets a policy that denies everything. Stage two deletes, days later, and only what is still unused.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html#Using_RotateAccessKey
"""

from __future__ import annotations

import re
from collections import defaultdict
from importlib import resources
from shlex import quote
from typing import TYPE_CHECKING, Any

from trailfit.deliver.text import visible
from trailfit.deliver.view import account_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = "credentials"
#: What IAM takes as a user's name and a key's ID: nothing else gets into a script.
#: https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html, …/API_AccessKey.html
_USER = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9_]{16,128}")
_WORDS = {"UnusedIAMUserAccessKey": "key", "UnusedIAMUserPassword": "password", "UnusedIAMUser": "user"}


def scripts(data: Mapping[str, Any], delete_after: int) -> dict[str, str]:
    """Return the text of a script for each account with unused credentials, by its path in the run's folder."""
    lines: defaultdict[str, set[str]] = defaultdict(set)
    left: defaultdict[str, set[str]] = defaultdict(set)
    for finding in data["findings"]:
        word = _WORDS.get(finding["kind"])
        account = account_of(finding["principal"])
        if word is None or not re.fullmatch(r"[0-9]{12}", account):
            continue
        line = _line(word, finding)
        if line is None:
            left[account].add(
                f"{word} {visible(str(finding.get('resource') or ''), 128)} {visible(finding['principal'])}"
            )
        else:
            lines[account].add(line)
    return {
        f"{FOLDER}/{account}.sh": _script(data, account, lines[account], left[account], delete_after)
        for account in sorted(lines)
    }


def _line(word: str, finding: Mapping[str, Any]) -> str | None:
    """Return the script's line for one credential; None where it names what IAM could not hold."""
    arn, name = finding["principal"], name_of(finding["principal"])
    if ":user/" not in arn or not _USER.fullmatch(name):
        return None
    if word != "key":
        return f"{word} {quote(name)}"
    key = str(finding.get("resource") or "")
    return f"key {quote(name)} {quote(key)}" if _KEY.fullmatch(key) else None


def _script(data: Mapping[str, Any], account: str, lines: Iterable[str], left: Iterable[str], delete_after: int) -> str:
    window = data["window"]
    template = resources.files("trailfit.deliver").joinpath("templates", "credentials.sh").read_text("utf-8")
    told = {
        "@ACCOUNT@": account,
        "@DAYS@": str(delete_after),
        "@WINDOW@": f"{window['from']} to {window['to']}",
        "@ITEMS@": "\n".join(f"    {line}" for line in sorted(lines)),
        "@LEFT@": "".join(f"# Not in here, look at it by hand: {line}\n" for line in sorted(left)),
    }
    return re.sub(r"@[A-Z]+@", lambda found: told[found.group()], template)
