"""Write the report: one HTML page, the same in Markdown, and the findings for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailfit.catalog.actions import access_level
from trailfit.deliver import credentials, findings, html, markdown, ocsf, owners
from trailfit.deliver.recommendations import check
from trailfit.deliver.view import page
from trailfit.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trailfit.deliver.trend import Run


def write(
    recommendations: Mapping[str, Any], out: Path, *, before: Sequence[Run] = (), delete_after: int = 30
) -> list[Path]:
    """Write the report, ``findings.csv``, ``.sarif``, ``.asff.json`` and ``.ocsf.json``, and ``credentials/`` to `out`.

    `recommendations` is the content of ``recommendations.json``, `before` the runs before, the oldest first (for the
    trend), `delete_after` the days between the two stages of the scripts for unused credentials.
    The same input gives the same bytes. Returns the files; raises `SourceError` where one cannot be written or
    `recommendations` is not of the promised form.
    """
    check(recommendations)
    view = page(recommendations, access_level=access_level, before=before)
    contents = {
        "report.html": html.render(view),
        "report.md": markdown.render(view),
        "findings.csv": findings.as_csv(recommendations),
        "findings.sarif": findings.as_sarif(recommendations, owners.read(out, recommendations)),
        "findings.asff.json": findings.as_asff(recommendations),
        "findings.ocsf.json": ocsf.as_ocsf(recommendations),
        **credentials.scripts(recommendations, delete_after),
    }
    written = []
    try:
        for stale in sorted((out / credentials.FOLDER).glob("*.sh")):
            stale.unlink()  # of an earlier run; what was done is noted beside it and stays
        for name, text in contents.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "backslashreplace"))
            written.append(path)
    except OSError as problem:
        raise SourceError(f"the report cannot be written: {problem.strerror}", where=str(out)) from None
    return written
