"""Make text from a log harmless at the sink: HTML is jinja2's autoescape, all else is here.

User agents, session names, error messages, tags and the names of buckets and keys are chosen by whoever calls
AWS. Before any of it is shown, characters that move the cursor, change the direction of reading or take no
width are spelled out, so that what a reader sees is what is there.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

#: Longest text shown from one field, in characters. AWS's own limits on names and ARNs are below 2,048.
SHOWN = 2048

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: First characters that make Excel, LibreOffice and Google Sheets read a cell as a formula, and their
#: full-width forms (OWASP, CSV injection: https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_UNSAFE_IN_PATH = re.compile(r"[^A-Za-z0-9+=,.@_-]")
_BACKTICKS = re.compile(r"`+")


def visible(text: str, limit: int = SHOWN) -> str:
    r"""Spell out what cannot be seen (controls, bidirectional marks, zero width), and cut at `limit` characters.

    >>> visible("a\x1b[31mb")
    'a\\u001b[31mb'
    """
    over = len(text) - limit
    if over > 0:
        text = text[:limit]
    if not text.isascii() or not text.isprintable():
        text = "".join(_spelled(c) if unicodedata.category(c) in _UNSEEN else c for c in text)
    return f"{text}… ({over:,} characters more)" if over > 0 else text


def _spelled(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def code_span(text: str, *, in_table: bool = False) -> str:
    """Return `text` as a Markdown code span: no markup, mention, link or HTML in it is live.

    The fence is longer than any run of backticks inside (CommonMark 0.31 §6.1); in a GitHub table a pipe must be
    escaped even inside a code span (GFM 0.29 §4.10).
    """
    text = visible(text)
    if not text:
        return "(empty)"
    runs = {len(run) for run in _BACKTICKS.findall(text)}
    fence = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    padding = " " if text.strip(" ") and (text[0] in "` " or text[-1] in "` ") else ""
    span = f"{fence}{padding}{text}{padding}{fence}"
    return span.replace("|", "\\|") if in_table else span


def markdown(text: str) -> str:
    r"""Return prose with every character escaped that Markdown or HTML could give a meaning.

    A backslash before ASCII punctuation makes it literal (CommonMark 0.31 §2.4); a mention (``@team``) is broken
    by a zero-width joiner, which is the one way GitHub leaves it unlinked outside a code span.

    >>> markdown("<b> a_b")
    '\\<b\\> a\\_b'
    """
    text = re.sub(r"([\\`*_{}\[\]<>()#+!|~&^$]|:(?=/)|(?<=www)\.)", r"\\\1", visible(text).strip())
    text = re.sub(r"^([-=])|^(\d+)(?=\.)", lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\", text)
    return text.replace("@", "@\u200d")


def csv_cell(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula: an apostrophe goes before one that would be."""
    shown = visible(text, limit=30_000)
    return "'" + shown if text.lstrip(" \u00a0").startswith(_FORMULA) or shown.lstrip().startswith(_FORMULA) else shown


def file_name(text: str) -> str:
    """Return a name of one path segment for `text`; distinct texts give distinct names.

    IAM names hold only ``A-Za-z0-9+=,.@_-`` and pass unchanged; anything else (a hostile or mistaken input) is
    replaced, and a digest of the original keeps the result distinct.
    """
    safe = _UNSAFE_IN_PATH.sub("-", text)[:120]
    if safe == text and safe.strip(".") and not safe.startswith("-"):
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{safe.lstrip('.-') or 'unnamed'}-{digest}"


def plain(text: str) -> str:
    """Return `text` for a terminal or a plain-text file: one line, nothing that moves the cursor."""
    return visible(text)
