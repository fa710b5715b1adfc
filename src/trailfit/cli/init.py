"""``trailfit init``: the configuration, annotated, and ready workflow files."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import click

from trailfit.cli.options import common
from trailfit.errors import UsageError

#: Where each forge looks for workflow files; GitLab includes this one.
_WORKFLOWS = {"github": ".github/workflows/trailfit.yml", "gitlab": ".gitlab/trailfit.yml"}


@click.command(short_help="Write an annotated trailfit.toml and ready workflow files.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--lake", default="lake", show_default=True, help="The lake: a folder or s3://bucket/prefix.")
@click.option("--source", "sources", multiple=True, metavar="SOURCE", help="CloudTrail logs; may be given again.")
@click.option(
    "--repo", metavar="PATH|URL", help="The repository that owns the roles.  [default: none, no pull request]"
)
@click.option("--github", is_flag=True, help="Also write the workflow for GitHub Actions (OIDC, least permission).")
@click.option("--gitlab", is_flag=True, help="Also write the job for GitLab CI.")
@common
def command(folder: Path, lake: str, sources: tuple[str, ...], repo: str | None, github: bool, gitlab: bool) -> None:
    """Write trailfit.toml with every setting, its default and what it does to FOLDER.

    A file that is there already is never overwritten: exit 2.
    """
    place = repo or ("." if github or gitlab else None)
    text = _template("trailfit.toml").format(
        lake=json.dumps(lake)[1:-1],
        sources=", ".join(json.dumps(source) for source in sources),
        repo='# repo = "."' if place is None else f"repo = {json.dumps(place)}",
    )
    files = {"trailfit.toml": text}
    for forge, wanted in (("github", github), ("gitlab", gitlab)):
        if wanted:
            files[_WORKFLOWS[forge]] = _template(f"{forge}.yml").replace("{version}", _version())
    for name in files:
        if (folder / name).exists():
            raise UsageError("is there already", where=str(folder / name), hint="move it away to have a new one")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        click.echo(path)


def _template(name: str) -> str:
    return resources.files("trailfit.cli").joinpath("templates", name).read_text("utf-8")


def _version() -> str:
    from importlib.metadata import version

    return version("trailfit")
