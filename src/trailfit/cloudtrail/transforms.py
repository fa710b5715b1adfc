"""Turn a request parameter's text into a template variable's value, or into a whole ARN.

A transform gets the text and where the call was made; it answers None when the text is of another kind
(``prefix:i-`` on ``mi-…``). A text that begins with ``arn:`` stands for the whole ARN up to that variable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call was made: what fills ``${Partition}``, ``${Region}`` and ``${Account}``."""

    partition: str
    region: str
    account: str


_QUEUE_HOST = re.compile(r"(?:sqs[.-])?(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d+)\.")
_GEOGRAPHY = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|me|af|global)\.")
_HEX = re.compile(r"[0-9a-f]+")
_AWS_DOCUMENT = re.compile(r"aws|amazon|amzn", re.IGNORECASE)
_SECRET_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}\Z")
_TABLE = r"""(?P<table>"[^"]+"|[\w.:/-]+?)(?:\.(?P<index>"[^"]+"|[\w-]+))?(?=\s|\Z|[;)\]])"""
_PARTIQL = {
    "select": re.compile(rf"\s*(?:EXISTS\s*\(\s*)?select\b.*?\bfrom\s+{_TABLE}", re.IGNORECASE | re.DOTALL),
    "insert": re.compile(rf"\s*insert\s+into\s+{_TABLE}", re.IGNORECASE),
    "update": re.compile(rf"\s*update\s+{_TABLE}", re.IGNORECASE),
    "delete": re.compile(rf"\s*delete\s+from\s+{_TABLE}", re.IGNORECASE),
}


def _strip_slash(text: str, _place: Place, _arg: str) -> str | None:
    return text.removeprefix("/")


def _path_prefix(text: str, _place: Place, _arg: str) -> str | None:
    """``/app/`` → ``app*``: everything below a path."""
    return text.strip("/") + "*"


def _prefix(text: str, _place: Place, arg: str) -> str | None:
    return text if text.startswith(arg) else None


def _id(text: str, _place: Place, arg: str) -> str | None:
    """Take an EC2 resource ID of one type: the prefix and hexadecimal digits (``tgw-1a`` is no ``tgw-attach-1a``)."""
    return text if text.startswith(arg) and _HEX.fullmatch(text, len(arg)) else None


def _wrap(text: str, _place: Place, arg: str) -> str | None:
    """Put the text into `arg` in place of ``%s``."""
    return arg.replace("%s", text)


def _not_prefix(text: str, _place: Place, arg: str) -> str | None:
    return None if text.startswith(arg) else text


def _secret(text: str, _place: Place, _arg: str) -> str | None:
    """Add what a name or partial ARN lacks: a secret's ARN ends in six random characters."""
    if text.startswith("arn:") and _SECRET_SUFFIX.search(text):
        return text
    return f"{text}-??????"


def _queue(text: str, place: Place, _arg: str) -> str | None:
    """``https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`` (or queue.amazonaws.com, or a bare name) → the queue's ARN."""
    if "/" not in text:
        return text
    url = urlsplit(text)
    parts = [part for part in url.path.split("/") if part]
    if not parts:
        return None
    host = _QUEUE_HOST.match(url.netloc)
    region = host["region"] if host else place.region
    account = parts[-2] if len(parts) > 1 and parts[-2].isdigit() else place.account
    return f"arn:{place.partition}:sqs:{region}:{account}:{parts[-1]}"


def _function(text: str, place: Place, _arg: str) -> str | None:
    """Read a function's name, ``account:function:name``, or ARN, each perhaps with ``:qualifier``."""
    if text.startswith("arn:"):
        return text
    parts = text.split(":")
    if "function" in parts[1:-1]:
        at = parts.index("function", 1)
        account = parts[at - 1] if parts[at - 1].isdigit() else place.account
        return f"arn:{place.partition}:lambda:{place.region}:{account}:function:{':'.join(parts[at + 1 :])}"
    return text


def _log_group(text: str, _place: Place, _arg: str) -> str | None:
    """Take a log group's name or ARN, without the ``:*`` of its streams."""
    return text.removesuffix(":*")


def _kms_key(text: str, _place: Place, _arg: str) -> str | None:
    """Take a key's ID or ARN; an alias names a key that only ``resources[]`` tells."""
    return None if text.startswith("alias/") or ":alias/" in text else text


def _copy_source(text: str, _place: Place, arg: str) -> str | None:
    """``/bucket/key?versionId=…``, URL-encoded → its bucket, key or versionId."""
    source, _, query = text.partition("?versionId=")
    source = unquote(source).removeprefix("/")
    if source.startswith("arn:"):
        return source if arg == "bucket" else None
    bucket, _, key = source.partition("/")
    return {"bucket": bucket, "key": key, "version": query}[arg] or None


def _partiql(text: str, _place: Place, arg: str) -> str | None:
    """``VERB.table`` or ``VERB.index`` of a PartiQL statement with that verb."""
    verb, _, part = arg.partition(".")
    found = _PARTIQL[verb].match(text)
    name = found[part] if found else None
    return name.strip('"') if name else None


def _model(text: str, place: Place, arg: str) -> str | None:
    """Read a Bedrock model ID as a resource of type `arg`: an ARN, a model's ID, or an inference profile's (``eu.…``).

    An inference profile also needs its model in every region that it may choose. Source:
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    if text.startswith("arn:"):
        return text if f":{arg}/" in text else None
    geography = _GEOGRAPHY.match(text)
    if arg == "inference-profile":
        return text if geography else None
    if arg != "foundation-model":
        return None
    return f"arn:{place.partition}:bedrock:*::foundation-model/{text[geography.end() :]}" if geography else text


def _last_part(text: str, _place: Place, _arg: str) -> str | None:
    return text.rpartition("/")[2] or None


def _before(text: str, _place: Place, arg: str) -> str | None:
    return text if text.startswith("arn:") else text.partition(arg)[0] or None


def _after(text: str, _place: Place, arg: str) -> str | None:
    return text if text.startswith("arn:") else text.partition(arg)[2] or None


def _owned_by_aws(text: str, place: Place, arg: str) -> str | None:
    """Read the name of a Systems Manager document that AWS owns as its ARN, of type `arg`: it has no account.

    The names that begin so are AWS's own: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
    """
    return f"arn:{place.partition}:ssm:{place.region}::{arg}/{text}" if _AWS_DOCUMENT.match(text) else None


def _same(text: str, _place: Place, _arg: str) -> str | None:
    return text


TRANSFORMS: dict[str, Callable[[str, Place, str], str | None]] = {
    "": _same,
    "after": _after,
    "before": _before,
    "copy_source": _copy_source,
    "function": _function,
    "id": _id,
    "kms_key": _kms_key,
    "last_part": _last_part,
    "log_group": _log_group,
    "model": _model,
    "not_prefix": _not_prefix,
    "owned_by_aws": _owned_by_aws,
    "partiql": _partiql,
    "path_prefix": _path_prefix,
    "prefix": _prefix,
    "queue": _queue,
    "secret": _secret,
    "strip_slash": _strip_slash,
    "wrap": _wrap,
}


def transform(name: str) -> Callable[[str, Place], str | None]:
    """Find a transform by its text, ``name`` or ``name:argument``. Raises KeyError for an unknown one."""
    base, _, argument = name.partition(":")
    function = TRANSFORMS[base]
    return lambda text, place: function(text, place, argument)
