"""``trailfit demo``: the whole job on a small organisation made up on the spot."""

from __future__ import annotations

from pathlib import Path

import click

from trailfit.cli.options import common, say


@click.command(short_help="Make a small organisation and run the whole job on it; no AWS account.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="trailfit-demo")
@click.option("--scale", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="Times as many events.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, another organisation.")
@common
@click.pass_context
def command(ctx: click.Context, folder: Path, scale: float, seed: int) -> None:
    """Make three accounts with 90 days of CloudTrail in FOLDER and run the whole job on them.

    Needs no AWS account and no network. The lake, the report, the proposals and a git repository with the
    edits on a branch stay in FOLDER to look at.
    """
    from trailfit import pipeline
    from trailfit.demo import organisation

    say(f"making an organisation in {folder} …", ctx)
    made = organisation.make(folder, seed=seed, scale=scale)
    config = pipeline.Config(
        lake=str(folder / "lake"),
        sources=tuple(str(path) for path in sorted(made.logs.iterdir())),
        from_files=made.iam,
        out=folder / "out",
        repo=str(made.repo),
    )
    done = pipeline.run(config, lambda text: say(text, ctx))
    click.echo(f"report:    {config.out / 'report.html'}")
    click.echo(f"proposals: {done.file.parent / 'policies'} ({len(done.policies)} files)")
    click.echo(f"branch:    git -C {made.repo} log --oneline --all")
    click.echo(f"questions: trailfit query usage --lake {config.lake}")
