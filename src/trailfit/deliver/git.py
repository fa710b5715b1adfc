"""A local git repository, read at a commit and written as a branch by plumbing alone.

The user's work tree, index and current branch are never touched: files are read from the commit, and a branch is
made of blobs, a temporary index and ``update-ref``. Commits carry the end of the window as their date, so the same
proposal on the same base is the same commit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from trailfit.deliver.forge.http import TOKEN
from trailfit.deliver.text import visible
from trailfit.errors import ForgeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Nothing of the caller's environment may point git at another repository, index or editor.
_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
#: Nor may a trace of git's show the headers of its requests.
_TRACES = ("GIT_TRACE", "GIT_CURL_VERBOSE")
_NOBODY = ("trailfit", "trailfit@localhost")


@dataclass(frozen=True, slots=True)
class Change:
    """One commit to make: its message, and the whole new text of each file it touches; None takes a file away."""

    message: str
    files: Mapping[str, bytes | None]


class Repository:
    """A git repository on this machine. With `scratch` what is made goes to a folder that is thrown away."""

    def __init__(self, path: Path, *, scratch: bool = False, shown: str | None = None) -> None:
        self._more: dict[str, str] = {}
        self._shown = shown or str(path)
        self._folder = tempfile.TemporaryDirectory(prefix="trailfit-")
        if not path.is_dir():
            raise UsageError("no such folder", where=str(path))
        self._path = path
        top = self._try("rev-parse", "--git-common-dir")
        if top is None:
            raise UsageError("not a git repository", where=str(path), hint="give the folder of a clone")
        if self._try("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
            raise UsageError("the repository has no commit yet", where=str(path), hint="commit its files first")
        if scratch:
            objects = (path / self._run("rev-parse", "--git-path", "objects").decode().strip()).resolve()
            own = Path(self._folder.name) / "objects"
            own.mkdir()
            self._more = {"GIT_OBJECT_DIRECTORY": str(own), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def where(self) -> str:
        """Return the path or address that the user gave."""
        return self._shown

    def remote(self) -> str | None:
        """Return the address of the remote `origin`, or of the only one; None where there is none."""
        names = self._run("remote").decode().split()
        name = "origin" if "origin" in names else names[0] if len(names) == 1 else None
        url = self._try("remote", "get-url", "--push", name) if name else None
        return url.decode().splitlines()[0].strip() if url else None

    def remote_branch(self, url: str, name: str, access: Mapping[str, str]) -> str | None:
        """Fetch a branch of a remote, and return its commit; None where it has no such branch.

        No name of this repository is moved: what was fetched is known by its commit alone.
        """
        listed = self._run("ls-remote", "--", url, f"refs/heads/{name}", more=access).decode().split()
        if not listed:
            return None
        arguments = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        self._run("fetch", *arguments, "--", url, f"refs/heads/{name}", more=access)
        return listed[0]

    def push(self, url: str, name: str, tip: str, old: str | None, access: Mapping[str, str]) -> None:
        """Point a branch of a remote at `tip`, if it still stands where it stood (`old`; None: it must not exist)."""
        lease = f"--force-with-lease=refs/heads/{name}:{old or ''}"
        self._run("push", "--quiet", lease, "--", url, f"{tip}:refs/heads/{name}", more=access)

    def head(self) -> str:
        """Return the commit that the current branch stands on."""
        return self._run("rev-parse", "HEAD^{commit}").decode().strip()

    def current_branch(self) -> str | None:
        """Return the name of the branch checked out, None when none is."""
        name = self._try("symbolic-ref", "--quiet", "--short", "HEAD")
        return name.decode().strip() if name else None

    def branch(self, name: str) -> str | None:
        """Return the commit of a branch, None when there is no such branch."""
        commit = self._try("rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}")
        return commit.decode().strip() if commit else None

    def checked_out(self) -> set[str]:
        """Return the names of the branches that some work tree of the repository stands on."""
        listing = self._run("worktree", "list", "--porcelain").decode()
        mark = "branch refs/heads/"
        return {line.removeprefix(mark) for line in listing.splitlines() if line.startswith(mark)}

    def files(self, commit: str) -> dict[str, str]:
        """Return the path and blob of each regular file of a commit; links and submodules are left out."""
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "surrogateescape")
        found = {}
        for entry in listing.split("\0"):
            if entry.startswith("100"):
                facts, _, path = entry.partition("\t")
                found[path] = facts.split()[2]
        return found

    def read(self, blobs: Sequence[str]) -> dict[str, bytes]:
        """Return the content of each blob, with one process for all of them."""
        wanted = list(dict.fromkeys(blobs))
        if not wanted:
            return {}
        data = self._run("cat-file", "--batch", stdin="\n".join(wanted).encode() + b"\n")
        found, at = {}, 0
        for blob in wanted:
            line_end = data.index(b"\n", at)
            size = int(data[at:line_end].split()[2])
            found[blob] = data[line_end + 1 : line_end + 1 + size]
            at = line_end + 2 + size
        return found

    def messages(self, base: str, tip: str) -> list[str]:
        """Return the messages of the commits of `tip` that are not in `base`."""
        log = self._run("log", "--format=%B%x00", f"{base}..{tip}").decode("utf-8", "replace")
        return [text.strip("\n") for text in log.split("\0") if text.strip()]

    def commit(self, base: str, changes: Sequence[Change], when: str) -> str:
        """Make one commit after the other on `base` and return the last; no branch is moved.

        `when` is an ISO time in UTC, of every commit. A change that leaves the tree as it was makes no commit.
        """
        index = {"GIT_INDEX_FILE": str(Path(self._folder.name) / "index")}
        self._run("read-tree", base, more=index)
        tip, tree = base, self._run("rev-parse", f"{base}^{{tree}}").decode().strip()
        modes = self._modes(base)
        for change in changes:
            for path, content in sorted(change.files.items()):
                if content is None:
                    entry = f"0 {'0' * len(base)}\t{path}\0"
                else:
                    blob = self._run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
                    entry = f"{modes.get(path, '100644')} {blob} 0\t{path}\0"
                self._run("update-index", "-z", "--index-info", stdin=_bytes(entry), more=index)
            new_tree = self._run("write-tree", more=index).decode().strip()
            if new_tree != tree:
                arguments = ("commit-tree", new_tree, "-p", tip, "-F", "-")
                made = self._run(*arguments, stdin=_bytes(change.message), more=self._identity(when))
                tip, tree = made.decode().strip(), new_tree
        return tip

    def diff(self, base: str, tip: str) -> str:
        """Return the changes from `base` to `tip` as a patch."""
        patch = self._run("diff", "--no-color", "--no-ext-diff", "--no-textconv", base, tip)
        return patch.decode("utf-8", "replace")

    def move(self, name: str, tip: str, old: str | None) -> None:
        """Point a branch at `tip`, if it still stands where it stood (`old`; None: it must not exist)."""
        self._run("update-ref", "-m", "trailfit", f"refs/heads/{name}", tip, old or "0" * len(tip))

    def _modes(self, commit: str) -> dict[str, str]:
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "surrogateescape")
        pairs = (entry.partition("\t") for entry in listing.split("\0") if entry)
        return {path: facts.split()[0] for facts, _, path in pairs}

    def _identity(self, when: str) -> dict[str, str]:
        """Return who commits: the user as git knows them, else trailfit; and when."""
        name, mail = (self._try("config", "--get", key) for key in ("user.name", "user.email"))
        who = (name.decode().strip(), mail.decode().strip()) if name and mail else _NOBODY
        found: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            found |= {f"GIT_{role}_NAME": who[0], f"GIT_{role}_EMAIL": who[1], f"GIT_{role}_DATE": when}
        return found

    def _try(self, *arguments: str) -> bytes | None:
        try:
            return self._run(*arguments)
        except ForgeError:
            return None

    def _run(self, *arguments: str, stdin: bytes | None = None, more: Mapping[str, str] | None = None) -> bytes:
        return _git(self._path, arguments, stdin, {**self._more, **(more or {})}, self._shown)


def clone(url: str, folder: Path, access: Mapping[str, str], shown: str) -> None:
    """Clone a repository, without a work tree, into a folder that does not exist yet."""
    arguments = ("clone", "--quiet", "--bare", "--no-tags", "--", url, str(folder))
    _git(Path("/"), arguments, None, access, shown)


def _git(folder: Path, arguments: Sequence[str], stdin: bytes | None, more: Mapping[str, str], shown: str) -> bytes:
    environment = {
        name: value for name, value in os.environ.items() if name not in _DROPPED and not name.startswith(_TRACES)
    }
    environment.pop(TOKEN, None)  # git needs it in one header at most, and its hooks and helpers not at all
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    environment |= more
    command = ["git", "-c", "core.quotepath=off", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("the command git was not found", hint="install git") from None
    if done.returncode:
        raise ForgeError(f"git {arguments[0]}: {_said(done.stderr)}", where=shown)
    return done.stdout


def _said(stderr: bytes) -> str:
    """Return what git says of a failure: the line that names it, not the advice behind it."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: "))]
    return visible((named or lines or ["failed"])[0 if named else -1], 300)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
