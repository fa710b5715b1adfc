"""``trailfit check``: whether policy NEW grants anything that OLD does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

import click

from trailfit.cli.options import EXIT_FINDINGS, EXIT_PARTIAL, common, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailfit.policy.containment import Verdict
    from trailfit.policy.document import Document


@click.command("check")
@click.argument("new", required=False)
@click.argument("old", required=False)
@click.option("--boundary", type=click.Path(exists=True, dir_okay=False), help="The principal's permissions boundary.")
@click.option(
    "--each", is_flag=True, help="Compare two folders file by file, by name, not as one principal's policies."
)
@click.option("--pairs", type=click.File("r", encoding="utf-8"), help="Many questions: JSON lines; - for stdin.")
@click.option("--allow-undecided", is_flag=True, help="Pass what could be neither proven nor shown to be new.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common
@click.pass_context
def command(
    ctx: click.Context,
    new: str | None,
    old: str | None,
    boundary: str | None,
    each: bool,
    pairs: TextIO | None,
    allow_undecided: bool,
    form: str,
) -> None:
    """Prove that NEW grants nothing that OLD does not, or show a request that it does.

    NEW and OLD are each a policy file, a folder of policy files (taken together, as one principal's), or
    SNAPSHOT#ARN: a principal in files that `trailfit inventory --from-files` reads. With --pairs each line is
    {"id", "new": […], "old": […]} and each answer {"id", "no_new_access": true|false|null, "counterexample"}.
    Exit 0: proven. Exit 1: something is new, or undecided. Exit 2: an error. Exit 3: some lines of --pairs
    could not be read.
    """
    from trailfit.errors import UsageError

    if pairs is not None:
        if new or old or boundary or each:
            raise UsageError("--pairs brings its own policies", hint="give one or the other")
        _finish(ctx, _many(pairs), allow_undecided)
    elif new is None or old is None:
        raise UsageError("NEW and OLD are needed", hint="or --pairs FILE for many")
    else:
        questions = _each(new, old, boundary) if each else _together(new, old, boundary)
        _finish(ctx, (_shown(name, verdict, form, allow_undecided) for name, verdict in questions), allow_undecided)


def _finish(ctx: click.Context, answers: Iterator[dict[str, Any]], allow_undecided: bool) -> None:
    """Exit with what the answers come to. An undecided answer with a counterexample is never let pass."""
    failed = findings = 0
    for answer in answers:
        if "error" in answer:
            failed += 1
        elif answer["no_new_access"] is not True:
            undecided = answer["no_new_access"] is None and answer["counterexample"] is None
            findings += not (undecided and allow_undecided)
    if failed:
        ctx.exit(EXIT_PARTIAL)
    if findings:
        ctx.exit(EXIT_FINDINGS)


def _many(pairs: TextIO) -> Iterator[dict[str, Any]]:
    """Answer line by line, as they come."""
    import json

    from trailfit.policy.lines import check

    for line in pairs:
        if line.strip():
            answer = check(line)
            click.echo(json.dumps(answer, ensure_ascii=False))
            yield answer


def _together(new: str, old: str, boundary: str | None) -> Iterator[tuple[str, Verdict]]:
    """Compare all of one side with all of the other."""
    from trailfit.cli.documents import folder_or_file, side

    documents, _ = side(new)
    before, limit = side(old)
    limit = folder_or_file(boundary) if boundary else limit
    yield new, _judge(documents, before, limit)


def _each(new: str, old: str, boundary: str | None) -> Iterator[tuple[str, Verdict]]:
    """Compare the files of two folders that have the same name; a file only in NEW is compared with no policy."""
    from pathlib import Path

    from trailfit.cli.documents import document, files, folder_or_file
    from trailfit.errors import UsageError

    for folder in (new, old):
        if not Path(folder).is_dir():
            raise UsageError("--each compares two folders", where=folder)
    limit = folder_or_file(boundary) if boundary else None
    for path in files(Path(new)):
        name = path.relative_to(new)
        before = Path(old) / name
        yield str(name), _judge((document(path),), (document(before),) if before.is_file() else (), limit)


def _judge(new: tuple[Document, ...], old: tuple[Document, ...], limit: tuple[Document, ...] | None) -> Verdict:
    """Ask for the proof; put one of AWS's own actions into a counterexample, where one shows the same."""
    from dataclasses import replace

    from trailfit.policy import containment, witness

    verdict = containment.no_new_access(new, old, boundary=limit)
    if verdict.counterexample is None:
        return verdict
    from trailfit.catalog.actions import expand

    service = verdict.counterexample.action.partition(":")[0]
    known = expand(f"{service}:*") or ("s3:GetObject", "s3:ListAllMyBuckets")
    return replace(verdict, counterexample=witness.readable(verdict.counterexample, known, new, old, limit))


_ANSWERS = {True: "no new access", False: "NEW ACCESS", None: "undecided"}


def _shown(name: str, verdict: Verdict, form: str, allow_undecided: bool) -> dict[str, Any]:
    """Print one answer; return it as the JSON has it."""
    import json

    from trailfit.policy.lines import counterexample

    found = counterexample(verdict.counterexample)
    answer: dict[str, Any] = {
        "id": name, "no_new_access": verdict.holds, "counterexample": found, "reason": verdict.reason,
    }  # fmt: skip
    if form == "json":
        click.echo(json.dumps(answer, ensure_ascii=False))
        return answer
    click.echo(f"{name}: {_ANSWERS[verdict.holds]}")
    if verdict.holds is not True:
        click.echo(f"  {verdict.reason}")
    if found:
        context = found["context"]
        said = ", ".join(f"{key} = {value}" for key, value in context.items()) or "no condition keys"
        who = f"{found['principal']}: " if "principal" in found else ""
        click.echo(f"  {who}{found['action']} on {found['resource']} with {said}")
    elif verdict.holds is None and not allow_undecided:
        say("  what is undecided does not pass; --allow-undecided lets it")
    return answer
