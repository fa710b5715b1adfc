"""``trailfit simulate``: what IAM would decide, offline, and by which statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from trailfit.cli.options import EXIT_PARTIAL, common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailfit.policy.document import Document


@click.command("simulate")
@click.argument("policies", nargs=-1, metavar="[POLICY]…", type=click.Path(exists=True))
@click.option("--action", help="The action, such as s3:GetObject.")
@click.option("--resource", help="The resource's ARN, or * for actions without one.")
@click.option("--principal", help="The ARN of the one who asks.")
@click.option("--resource-account", help="The account that owns the resource, where its ARN does not say.")
@click.option("--context", multiple=True, metavar="KEY=VALUE", help="A condition key and its value; again for more.")
@click.option("--context-incomplete", is_flag=True, help="Other keys may be present: the answer may be Unknown.")
@click.option("--boundary", type=click.Path(exists=True, dir_okay=False), help="The permissions boundary.")
@click.option("--session", type=click.Path(exists=True, dir_okay=False), help="The session policy.")
@click.option(
    "--scp", multiple=True, type=click.Path(exists=True), help="SCPs of one level (file or folder), root first."
)
@click.option(
    "--rcp", multiple=True, type=click.Path(exists=True), help="RCPs of one level (file or folder), root first."
)
@click.option("--resource-policy", type=click.Path(exists=True, dir_okay=False), help="The resource's own policy.")
@click.option("--requests", type=click.File("r", encoding="utf-8"), help="Many questions: JSON lines; - for stdin.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common
@click.pass_context
def command(
    ctx: click.Context, /, policies: tuple[str, ...], requests: TextIO | None, form: str, **given: object
) -> None:
    """Say what IAM would decide, offline, about one request or many.

    POLICY are the identity-based policies of the principal: files, or folders of files. With --requests each
    line is {"id", "request": {"principal", "action", "resource", "resourceAccount", "context"}, "identity",
    "boundary", "scp", "rcp", "session", "resource_policy"}, and each answer {"id", "decision", "statements"}; a
    line that cannot be read gives {"id", "error"} and exit 3.
    """
    from trailfit.errors import UsageError

    if requests is not None:
        if policies or given["action"] or given["resource"]:
            raise UsageError("--requests brings its own policies and requests", hint="give one or the other")
        _many(ctx, requests)
    elif not given["action"] or not given["resource"]:
        raise UsageError("--action and --resource are needed", hint="or --requests FILE for many")
    else:
        _one(policies, form, given)


def _many(ctx: click.Context, requests: TextIO) -> None:
    """Answer line by line, as they come."""
    import json

    from trailfit.policy.lines import simulate

    failed = 0
    for line in requests:
        if line.strip():
            answer = simulate(line)
            failed += "error" in answer
            click.echo(json.dumps(answer, ensure_ascii=False))
    if failed:
        ctx.exit(EXIT_PARTIAL)


def _one(paths: Sequence[str], form: str, given: dict[str, object]) -> None:
    """Answer the one request of the command line."""
    import json

    from trailfit.cli.documents import folder_or_file
    from trailfit.errors import UsageError
    from trailfit.policy import evaluate as law

    def read(path: object) -> tuple[Document, ...] | None:
        return None if path is None else folder_or_file(str(path))

    def levels(name: str) -> tuple[tuple[Document, ...], ...] | None:
        named = given[name]
        assert isinstance(named, tuple)
        return tuple(folder_or_file(str(path)) for path in named) or None

    context: dict[str, tuple[str, ...]] = {}
    pairs = given["context"]
    assert isinstance(pairs, tuple)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--context `{pair}` is no KEY=VALUE", hint="such as aws:SourceIp=10.0.0.1")
        context[key] = (*context.get(key, ()), value)
    resource = read(given["resource_policy"])
    decision = law.evaluate(
        law.Request(
            principal=_text(given["principal"]) or _NOBODY,
            action=str(given["action"]),
            resource=str(given["resource"]),
            context=context,
            resource_account=_text(given["resource_account"]),
            context_complete=not given["context_incomplete"],
        ),
        law.Policies(
            identity=tuple(document for path in paths for document in folder_or_file(path)),
            boundary=read(given["boundary"]),
            session=read(given["session"]),
            scp=levels("scp"),
            rcp=levels("rcp"),
            resource=resource[0] if resource else None,
        ),
    )
    if form == "json":
        click.echo(json.dumps({"decision": decision.effect, "statements": list(decision.statements)}))
    else:
        by = f"  by {', '.join(decision.statements)}" if decision.statements else ""
        click.echo(f"{decision.effect}{by}")


#: Who asks where nobody is named: some role, so that the identity-based policies are its own.
_NOBODY = "arn:aws:iam::123456789012:role/anyone"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
