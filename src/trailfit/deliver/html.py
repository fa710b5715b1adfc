"""Render the report's one HTML file: no network, nothing of a log's text ever live.

Three fences stand one behind the other: jinja2's autoescape, `visible` on every value shown (`finalize`), and a
Content-Security-Policy that allows this page's own style and script, by digest, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trailfit.deliver.findings import title_of
from trailfit.deliver.text import visible
from trailfit.deliver.trend import CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailfit.deliver.trend import Counts
    from trailfit.deliver.view import Page, PrincipalView

MEANINGS = (
    ("used", "A logged, allowed call needed it."),
    ("kept", "No use seen, kept by a rule."),
    ("undetermined", "The logs could not have shown its use."),
    ("unused", "Use would have been logged, and was not."),
)
GLOSSARY = (
    (
        "Permission",
        "One IAM action that a role’s or user’s policies grant, wildcards spelled out. Each has exactly one class.",
    ),
    (
        "Used",
        "CloudTrail holds a call, allowed or past authorization, that needed the action. A denied call never counts.",
    ),
    ("Unused", "Every such call would have been logged over the window, and there was none."),
    (
        "Undetermined",
        "Data events were off, logs have a gap, or CloudTrail never shows the action. The table says which.",
    ),
    (
        "Grants nothing new",
        "Any request that the new policies allow, the old ones allow too: proved over all requests, not sampled.",
    ),
    ("Still allows", "Every request seen in the logs and allowed is decided again under the new policies."),
    ("Safe", "Both proofs hold and nothing was found that a person should weigh first."),
)
_DISPOSITIONS = {"safe": "safe", "unsafe": "needs a person", "mixed": "partly safe", "none": "no proposal"}
#: The least width of a class that is not empty, in per cent: one used action among thousands is still seen.
_LEAST = 0.6


def render(page: Page) -> str:
    """Return the report as one HTML document."""
    css, js = (_asset(name) for name in ("report.css", "report.js"))
    template = _environment().from_string(_asset("report.html.j2"))
    return template.render(
        page=page, css=_own(css), js=_own(js), css_hash=_digest(css), js_hash=_digest(js),
        meanings=MEANINGS, glossary=GLOSSARY,
    ) + "\n"  # fmt: skip


def _asset(name: str) -> str:
    return resources.files("trailfit.deliver").joinpath("templates", name).read_text("utf-8")


def _own(text: str) -> Markup:
    """Mark this package's own style or script as markup; never called on anything else."""
    return Markup(text)  # noqa: S704 - read from the package itself


def _digest(text: str) -> str:
    """Return a Content-Security-Policy source for an inline element's exact text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_finalize, trim_blocks=False)
    environment.filters.update(
        compact=_compact,
        day=_day,
        fact=_fact,
        moment=_moment,
        n=lambda number: f"{number:,}",
        proposal=_DISPOSITIONS.__getitem__,
        recommendation_title=_recommendation_title,
        searchable=_searchable,
        segments=segments,
        signed=lambda number: f"{number:+,}".replace("-", "−") if number else "±0",
        title_of=title_of,
        verdict=lambda holds: {True: "good", False: "bad", None: "warn"}[holds],
        verdict_word=lambda holds: {True: "proved", False: "fails", None: "undecided"}[holds],
        words=lambda text: str(text).replace("_", " ").replace("aws", "AWS"),
    )
    return environment


def _finalize(value: object) -> object:
    """Spell out what cannot be seen in any text; markup made here (never from data) passes."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value, limit=20_000)


def segments(counts: Counts) -> list[tuple[str, float, float]]:
    """Return (class, start, width) in per cent of the bar; what is not empty is never narrower than it can be seen."""
    present = [(name, getattr(counts, name)) for name in CLASSES if getattr(counts, name)]
    if not present:
        return []
    shares = [(name, max(100 * count / counts.granted, _LEAST)) for name, count in present]
    scale = 100 / sum(share for _, share in shares)
    found, start = [], 0.0
    for name, share in shares:
        width = share * scale
        found.append((name, round(start, 3), round(width, 3)))
        start += width
    return found


def _day(text: str) -> str:
    """Return 2026-10-31 as 31 October 2026."""
    day = date.fromisoformat(text[:10])
    return f"{day.day} {day:%B} {day.year}"


def _moment(text: str | None) -> str:
    """Return an ISO time to the minute, without its T and Z: the page says that times are UTC."""
    return text[:16].replace("T", "\u00a0") if text else "–"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _fact(value: object) -> str:
    """Return a value of a finding's evidence as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(map(_fact, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_fact(inner)}" for name, inner in value.items()) or "none"
    return "not known" if value is None else _compact(value)


def _recommendation_title(action: str) -> str:
    return re.sub("_", " ", action).capitalize()


def _searchable(one: PrincipalView) -> str:
    words: list[str] = [one.arn, one.kind]
    words += [str(finding["kind"]) for finding in one.findings]
    words += [str(finding.get("resource") or "") for finding in one.findings]
    words += [str(use["action"]) for use in one.used]
    words += [f"{group.service}:" for group in one.groups]
    unique: Mapping[str, None] = dict.fromkeys(words)
    return " ".join(unique).lower()
