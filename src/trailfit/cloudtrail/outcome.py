"""What became of a call: allowed, denied, undetermined or without any authorization.

A call that failed after it was authorized (a 404, a limit) needed the permission and is use; a denied call is
not; a throttled one proves nothing. Codes and classes: ``catalog/error_classes.csv``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from trailfit.catalog import actions
from trailfit.catalog.tables import rows

# The forms in which AWS names the refused action and resource: in quotes (S3), bare, or not by name. Sources:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
_END = r"(?=\s+because\s|\s+with an explicit deny|\s+Encoded authorization|\s+\(Service:|\.\s|\.?\s*\Z)"
_REFUSED = re.compile(
    r"not authorized to perform:?\s+(?P<action>[A-Za-z0-9-]+:[A-Za-z0-9*]+)"
    r"(?:\s+on\s+(?:this resource|the specified resource|the resource associated with this ciphertext)"
    rf"|\s+on\s+(?:the\s+)?resource:?\s+(?:\"(?P<quoted>.+?)\"{_END}|(?P<resource>.+?)))?{_END}",
    re.DOTALL,
)
#: CloudTrail cuts messages at 1 kB; what is longer comes from elsewhere and must not cost more.
_LONGEST = 2048
_BECAUSE = re.compile(
    r"because no (?P<missing>[a-zA-Z -]+?) allows? the"
    r"|with an explicit deny in (?P<explicit>(?:an?|the) [a-zA-Z -]+?(?:policy|boundary))\b"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an access-denied message says: the action, the resource as written, and why."""

    action: str | None
    resource: str | None
    why: str


@cache
def _classes() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    exact, globs = {}, []
    for row in rows("error_classes"):
        if "*" in row["error_code"]:
            globs.append((row["error_code"], row["class"]))
        else:
            exact[row["error_code"]] = row["class"]
    return exact, tuple(globs)


@lru_cache(maxsize=4096)
def classify(error_code: str | None) -> str:
    """Give the class of an error code.

    One of ``allowed``, ``denied``, ``denied_dependent``, ``not_authenticated`` and ``undetermined``; a code that no
    row names comes from the service's own state, so the caller was authorized.
    """
    if not error_code:
        return "allowed"
    exact, globs = _classes()
    code = error_code.rpartition("#")[2]
    for form in (code, code.removeprefix("Client.").removeprefix("Server.")):
        if form in exact:
            return exact[form]
    return next((cls for pattern, cls in globs if fnmatchcase(code, pattern)), "allowed")


@lru_cache(maxsize=4096)
def refusal(message: str | None) -> Refusal:
    """Read an access-denied message. Parts it does not state are None."""
    if not message:
        return Refusal(None, None, "denied; AWS gives no reason")
    message = message[:_LONGEST]
    named = _REFUSED.search(message)
    reason = _BECAUSE.search(message)
    if reason and reason["missing"]:
        why = f"denied: no {reason['missing']} allows it"
    elif reason:
        why = f"denied: an explicit deny in {reason['explicit']}"
    else:
        why = "denied"
    if not named:
        return Refusal(None, None, why)
    return Refusal(actions.canonical(named["action"]), named["quoted"] or named["resource"], why)
