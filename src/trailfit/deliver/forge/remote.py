"""Read a git remote's address: which forge it is on, which project, and where that forge's API is."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from trailfit.deliver.forge.http import TOKEN, URL
from trailfit.deliver.text import visible
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["github", "gitlab"]

#: git's short form of an SSH address (https://git-scm.com/docs/git-clone#_git_urls); a drive letter is none.
_SCP = re.compile(r"(?:[^@/\s]+@)?([A-Za-z0-9.-]{2,}):(?!:|//)(.+)")
_USERS: dict[Kind, str] = {"github": "x-access-token", "gitlab": "oauth2"}


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is pushed to. `host` is None for a folder; `url` never holds a user's password."""

    url: str
    scheme: str
    host: str | None
    port: int | None
    project: str

    @property
    def is_web(self) -> bool:
        """Tell whether git speaks HTTP to it, and a token is of use to it."""
        return self.scheme in ("https", "http")

    def kind(self) -> Kind | None:
        """Tell by the host's name which forge it is; None where the name does not tell."""
        host = (self.host or "").lower()
        found: list[Kind] = [one for one in _USERS if one in host]
        return found[0] if len(found) == 1 else None


def parse(url: str) -> Remote:
    """Read an address as git takes it: https, ssh, its short form, or a folder."""
    scp = _SCP.fullmatch(url)
    if "://" not in url and scp:
        return Remote(url, "ssh", scp.group(1), None, _project(scp.group(2)))
    if "://" not in url:
        return Remote(url, "file", None, None, "/".join(_project(url).split("/")[-2:]))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("is no address of a repository", where=visible(url)) from None
    if parts.scheme == "file":
        return Remote(url, "file", None, None, "/".join(_project(unquote(parts.path)).split("/")[-2:]))
    if parts.scheme not in ("https", "http", "ssh") or not parts.hostname:
        raise UsageError("is no address of a repository", where=visible(url), hint="https://, ssh:// or a folder")
    shown = url if parts.scheme == "ssh" else parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Remote(shown, parts.scheme, parts.hostname, port, _project(unquote(parts.path)))


def _project(path: str) -> str:
    return path.strip("/").removesuffix(".git").strip("/")


def is_url(text: str) -> bool:
    """Tell whether ``--repo`` names a repository elsewhere, not a folder here."""
    return "://" in text or _SCP.fullmatch(text) is not None


def bases(remote: Remote, kind: Kind, told: str | None) -> list[str]:
    """Return the addresses at which the forge's API may be, the likeliest first.

    `told` is TRAILFIT_FORGE_URL: the API itself (GitHub Enterprise: ``https://host/api/v3``), or only the forge.
    """
    own = {"github": "/api/v3", "gitlab": "/api/v4"}[kind]
    if told:
        told = told.rstrip("/")
        parts = urlsplit(told)
        if kind == "github" and parts.hostname in ("github.com", "www.github.com"):
            return ["https://api.github.com"]
        if parts.hostname == "api.github.com" or parts.path.endswith(own):
            return [told]
        return [told + own, told] if kind == "gitlab" else [told, told + own]
    if kind == "github" and remote.host == "github.com":
        return ["https://api.github.com"]
    if remote.host is None:
        raise UsageError(f"the remote {visible(remote.url)} does not tell where the forge is", hint=f"set {URL}")
    port = f":{remote.port}" if remote.port and remote.is_web else ""
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    return [f"{remote.scheme if remote.is_web else 'https'}://{host}{port}{own}"]


def git_access(remote: Remote, kind: Kind, token: str, api: str) -> dict[str, str]:
    """Return the environment in which git may use the token for this remote, and only for it.

    The header is in no file, no address and no argument; what the user's own configuration says for the host
    (actions/checkout leaves a token there) is set aside. Empty where the remote is not the API's host.
    """
    ours = urlsplit(api).hostname or ""
    if not remote.is_web or not remote.host or ours.removeprefix("api.") != remote.host.removeprefix("www."):
        return {}
    parts = urlsplit(remote.url)
    key = f"http.{parts.scheme}://{parts.netloc}/"
    basic = base64.b64encode(f"{_USERS[kind]}:{token}".encode()).decode()
    settings = (
        (f"{key}.extraHeader", ""),
        (f"{key}.extraHeader", f"Authorization: Basic {basic}"),
        (f"{key}.followRedirects", "false"),
        ("credential.helper", ""),
    )
    return config_environment(settings, os.environ)


def config_environment(settings: tuple[tuple[str, str], ...], environment: Mapping[str, str]) -> dict[str, str]:
    """Return git configuration as environment, behind what the environment has of it already."""
    told = environment.get("GIT_CONFIG_COUNT", "0")
    first = int(told) if told.isdecimal() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def token_of(environment: Mapping[str, str]) -> str | None:
    """Return the token of the environment; raises `UsageError` where it cannot be one."""
    token = environment.get(TOKEN, "").strip()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(f"{TOKEN} holds characters that no token has")
    return token or None
