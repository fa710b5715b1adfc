"""Call a forge's REST API: JSON in and out, patient where it is busy, one readable line where it refuses.

The token travels in a header of each request to the one host that the API's address names, over TLS (or to this very
machine), and is followed by no redirect; no message holds it.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from trailfit.deliver.text import visible
from trailfit.errors import ForgeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from email.message import Message

TOKEN = "TRAILFIT_FORGE_TOKEN"  # noqa: S105 - the name of the variable
URL = "TRAILFIT_FORGE_URL"
_LOOPBACK = re.compile(r"127(\.[0-9]+){3}|localhost|::1")
_LARGEST = 20_000_000
#: Seconds before the next try of a request that a forge could not answer; it never waits longer than `patience` in all.
_BACKOFF = (1.0, 2.0, 4.0)
#: What GitHub asks for where it names no time
#: (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
_UNTOLD = 60.0
_HINTS = {
    401: f"give a valid token in {TOKEN}",
    403: "give the token write access to the repository's contents and pull requests",
    404: "name an existing repository; a forge also says so of one that the token may not see",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the forge answered: the status, the JSON (None where there is none), the address of the next page."""

    status: int
    data: Any
    next: str | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere: it is told, not followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Api:
    """One forge's API below `base`. `patience` bounds the seconds spent waiting, `pause` waits."""

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        *,
        patience: float = 120.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
            raise UsageError("is no web address of a forge", where=visible(base), hint="https://host, without a user")
        if parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname):
            raise UsageError("a token is not sent unencrypted", where=visible(base), hint="give an https address")
        self.base = base.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "trailfit", **headers}
        self._secrets = [part for value in headers.values() for part in value.split() if len(part) > 7]
        self._left = patience
        self._pause = pause
        self._open = urllib.request.build_opener(_NoRedirect).open

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        expected: Collection[int] = (),
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """Send one request and return the answer, those with an `expected` status of refusal too.

        Waits where a rate limit says so, and tries again where the forge is broken and the request may be repeated.
        Raises `ForgeError` for every other refusal, and where the waiting would be too long.
        """
        address = path if path.startswith(self.base) else self.base + path
        if query:
            address += "?" + urlencode(query)
        tries = 0
        while True:
            status, headers, text = self._send(method, address, body)
            wait = _rate_limit(status, headers)
            if wait is None and status in (0, 500, 502, 503, 504) and method != "POST" and tries < len(_BACKOFF):
                wait = _wished(headers) or _BACKOFF[tries]
                tries += 1
            if wait is None:
                break
            if wait > self._left:
                what = "a rate limit of the forge" if status in (403, 429) else "the forge is not available"
                raise ForgeError(f"{what} (status {status})", where=self._shown(address), hint=f"wait {wait:.0f} s")
            self._left -= wait
            self._pause(wait)
        if 200 <= status < 300 or status in expected:
            return Answer(status, _parsed(text), self._next(headers))
        raise self._refusal(status, text, method, address)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page after page."""
        answer = self.call("GET", path, query={**query, "per_page": 100})
        while True:
            yield from (item for item in answer.data or () if isinstance(item, dict))
            if answer.next is None:
                return
            answer = self.call("GET", answer.next)

    def _send(self, method: str, address: str, body: Mapping[str, Any] | None) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and text; status 0 where nobody answered."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, **({"Content-Type": "application/json"} if data is not None else {})}
        request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310 - http(s) only
        try:
            with self._open(request, timeout=60) as answer:
                return answer.status, _lower(answer.headers), answer.read(_LARGEST)
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, _lower(problem.headers), problem.read(_LARGEST)
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", None) or problem
            return 0, {}, str(reason).encode("utf-8", "replace")

    def _next(self, headers: Mapping[str, str]) -> str | None:
        """Return the address of the next page, if it is this forge's."""
        found = re.search(r'<([^<>]*)>;\s*rel="next"', headers.get("link") or "")
        return found.group(1) if found and found.group(1).startswith(self.base + "/") else None

    def _refusal(self, status: int, text: bytes, method: str, address: str) -> ForgeError:
        if status == 0:
            message, hint = f"nobody answers: {text.decode('utf-8', 'replace')}", f"check the network and {URL}"
        elif 300 <= status < 400:
            message, hint = f"status {status}: the repository has moved", "give its new address"
        else:
            message, hint = f"status {status}: {told(_parsed(text)) or 'no reason given'}", _HINTS.get(status, "")
            if status >= 500:
                hint = "run again later"
        return ForgeError(self._shown(message), where=f"{method} {self._shown(address)}", hint=hint or None)

    def _shown(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return visible(text, 400)


def told(data: Any) -> str:
    """Return the reason that a forge gives in its answer, with the errors of single fields."""
    if not isinstance(data, dict):
        return ""
    said = [data.get("message"), data.get("error"), data.get("error_description")]
    errors = data.get("errors")
    for error in errors if isinstance(errors, list) else [errors]:
        if isinstance(error, dict):
            parts = [error.get(name) for name in ("resource", "field", "code", "message")]
            error = " ".join(str(part) for part in parts if part)
        said.append(error)
    texts = [", ".join(map(str, one)) if isinstance(one, list) else str(one) for one in said if one]
    return "; ".join(dict.fromkeys(texts))


def _rate_limit(status: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait where the answer is a rate limit's, None where it is not.

    GitHub answers 403 or 429, with Retry-After, or with no request left until X-RateLimit-Reset
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api); GitLab 429
    (https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/).
    """
    wished = _wished(headers)
    if status == 429 or (status == 403 and wished is not None):
        return _UNTOLD if wished is None else wished
    return None


def _wished(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, at least one."""
    after = (headers.get("retry-after") or "").strip()
    if after.isdecimal():
        return max(1.0, float(after))
    if after:
        try:
            return max(1.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
        except ValueError:
            return None
    for prefix in ("x-ratelimit", "ratelimit"):
        reset = headers.get(f"{prefix}-reset") or ""
        if headers.get(f"{prefix}-remaining") == "0" and reset.isdecimal():
            return max(1.0, float(reset) - time.time())
    return None


def _lower(headers: Message[str, str]) -> dict[str, str]:
    """Return headers by their names in lower case: HTTP does not tell cases apart."""
    return {name.lower(): value for name, value in headers.items()}


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
