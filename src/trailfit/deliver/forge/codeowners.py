"""Read CODEOWNERS: who is asked to review a change of which files.

GitHub: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
GitLab, with sections: https://docs.gitlab.com/user/project/codeowners/reference/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Where the forges look, in their order; the first file counts.
PLACES = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
}
_SECTION = re.compile(r"\^?\[[^\]]+\](?:\[[0-9]+\])?\s*(.*)")


def owners(files: Mapping[str, str], kind: str, paths: Iterable[str]) -> list[str]:
    """Return the owners of the paths as ``@name`` or ``@organisation/team``, each once, sorted.

    Of each section the last line that fits a path counts; a line without owners takes its paths out (in a section of
    GitLab it falls back to the section's own owners). E-mail addresses name nobody whom the API can ask.
    """
    text = next((files[place] for place in PLACES[kind] if place in files), "")
    sections = _sections(text, kind)
    found: set[str] = set()
    for path in paths:
        for section in sections:
            fitting = [names for pattern, names in section if _fits(pattern, path)]
            found.update(fitting[-1] if fitting else ())
    return sorted(name for name in found if re.fullmatch(r"@[A-Za-z0-9_.-]+(/[A-Za-z0-9_./-]+)?", name))


def _sections(text: str, kind: str) -> list[list[tuple[str, list[str]]]]:
    sections: list[list[tuple[str, list[str]]]] = [[]]
    otherwise: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head = _SECTION.fullmatch(line) if kind == "gitlab" else None
        if head:
            sections.append([])
            otherwise = _names(head.group(1).split())
            continue
        pattern, *names = re.split(r"(?<!\\)\s+", line)
        sections[-1].append((pattern.replace("\\ ", " ").replace("\\#", "#"), _names(names) or otherwise))
    return sections


def _names(words: Iterable[str]) -> list[str]:
    found = []
    for word in words:
        if word.startswith("#"):
            break
        found.append(word)
    return found


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a path is one of a pattern's, by the rules of .gitignore without ``!`` and ``[]``."""
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    out = ""
    for part in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", body):
        out += {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    # `docs/*` means the files right in docs; `docs/` and `docs` all that is below
    below = "" if body.endswith("*") and not body.endswith("**") and "/" in body else "(?:/.*)?"
    if pattern.endswith("/"):
        below = "/.*"
    return re.fullmatch(("" if anchored else "(?:.*/)?") + out + below, path) is not None
