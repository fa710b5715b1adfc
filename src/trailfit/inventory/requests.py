"""One request to its last page: pagination, waiting for a job, and what a refusal means.

boto3 retries with adaptive backoff (https://docs.aws.amazon.com/boto3/latest/guide/retries.html): a client
that is throttled slows down. What is refused even then is a value: a storm must not end a run of hours.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from trailfit.errors import SourceError
from trailfit.inventory.paths import search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailfit.inventory.calls import Call

#: A later run may succeed where these were the answer.
_AGAIN = frozenset(
    {
        "LimitExceededException", "PriorRequestNotComplete", "ProvisionedThroughputExceededException",
        "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "ServiceUnavailable", "SlowDown",
        "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
#: The run's own credentials ended: every further request would fail alike.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
#: Names under which the answers of operations without a botocore paginator hold the next page's token.
_TOKENS = ("NextToken", "nextToken", "Marker")
#: A credential report or a last accessed job that takes longer than this many seconds is left for a later run.
PATIENCE = 900.0
#: What `pages` raises where AWS gives no answer; a proxy's HTML page is a ResponseParserError.
PROBLEMS = (ClientError, BotoCoreError, ResponseParserError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Refused:
    """What AWS said instead of an answer. `again`: a later run may succeed."""

    code: str
    message: str
    again: bool


def pages(client: Any, call: Call, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pages of an answer.

    Raises one of `PROBLEMS` where there is none: a refusal, no connection, a job that is never ready.
    """
    method = _snake(client, call.operation)
    if client.can_paginate(method):
        yield from map(_bare, client.get_paginator(method).paginate(**request))
        return
    asked = dict(request)
    until = time.monotonic() + PATIENCE
    pause = 0.1
    while True:
        page = _bare(getattr(client, method)(**asked))
        if call.until and not search(call.until, page):
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(pause)
            pause = min(pause * 1.6, 10.0)
            continue
        yield page
        token = next((name for name in _TOKENS if page.get(name)), None)
        if token is None or page.get("IsTruncated") is False:
            return
        asked[token] = page[token]


def refusal(problem: Exception) -> Refused:
    """Return what an exception of `pages` means; raises `SourceError` where the credentials have expired."""
    if isinstance(problem, ClientError):
        error = problem.response.get("Error", {})
        code, message = str(error.get("Code")), str(error.get("Message"))
        if code in _EXPIRED:
            text = f"AWS answered {code}"
            raise SourceError(text, hint="renew the credentials and run again: it goes on where it stopped")
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return Refused(code, message, code in _AGAIN or status >= 500)
    if isinstance(problem, TimeoutError):
        return Refused("NotReady", f"not ready after {PATIENCE / 60:.0f} minutes", again=True)
    again = isinstance(problem, HTTPClientError | ResponseParserError)
    return Refused(type(problem).__name__, " ".join(str(problem).split())[:200], again)


def _bare(page: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in page.items() if name != "ResponseMetadata"}


def _snake(client: Any, operation: str) -> str:
    return str(next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation))
