"""The whole product in one place: what `trailfit run`, `trailfit demo` and the first notebook call.

Two streams that do not know each other, the log's and IAM's, meet in `recommend`; what leaves it has its
proofs. Read `run` first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailfit import views
from trailfit.deliver import aftermath, pull_requests, recommendations, report, state
from trailfit.errors import ForgeError, LakeError, ProofError, UsageError
from trailfit.ingest.run import run as read_logs
from trailfit.inventory import from_files, store
from trailfit.lake import Lake
from trailfit.model import Denied, Unassessed, Window
from trailfit.recommend import output, tables
from trailfit.recommend.backtest import backtest as replay_next
from trailfit.recommend.broken import findings as broken_findings
from trailfit.recommend.foresight import settle
from trailfit.recommend.history import counted, folds, replay, span
from trailfit.recommend.judge import Rules, judge
from trailfit.recommend.learnt import Levels
from trailfit.recommend.outlook import Bar
from trailfit.recommend.restore import Merged, restoring
from trailfit.recommend.split import shared
from trailfit.usage import coverage, evidence, use
from trailfit.usage.questions import query as query
from trailfit.usage.window import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from duckdb import DuckDBPyConnection

    from trailfit.inventory.settings import Settings
    from trailfit.model import Finding, Judgement, Snapshot, Usage
    from trailfit.recommend.backtest import Backtest
    from trailfit.recommend.history import Replayed


@dataclass(frozen=True, slots=True)
class Config:
    """What one run works on: `trailfit.toml`, its paths resolved against its folder."""

    lake: str
    sources: tuple[str, ...] = ()
    from_files: Path | None = None
    inventory: Settings | None = None
    profile: str | None = None
    out: Path = Path("trailfit-out")
    days: int | None = None
    to: date | None = None
    repo: str | None = None
    pull_request: pull_requests.Settings = field(default_factory=pull_requests.Settings)
    delete_after: int = 30
    jobs: int | None = None
    levels: Levels | None = None
    bar: Bar | None = None
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class Recommended:
    """What `recommend` wrote: the data of `recommendations.json`, and the files.

    `not_stored` says why the lake's views `permissions` and `findings` do not show it, where they do not.
    """

    data: dict[str, Any]
    file: Path
    policies: tuple[Path, ...]
    not_stored: str | None = None

    @property
    def is_partial(self) -> bool:
        """Tell whether something could not be judged."""
        return bool(self.data["unassessed"])


def run(config: Config, say: Callable[[str], None]) -> Recommended:
    """Do the monthly job: ingest, inventory, recommend, report, pull request. Safe to run again."""
    lake = Lake(config.lake)
    if config.sources:
        counts = read_logs(config.sources, lake, jobs=config.jobs).counts
        say(
            f"read {counts.objects:,} objects ({counts.objects_done_before:,} were in the lake already): "
            f"{counts.read:,} records = {counts.kept:,} kept + {counts.duplicates:,} duplicates"
            f" + {counts.skipped:,} skipped + {counts.errors:,} errors"
        )
    _inventory(lake, config, say)
    if config.repo:
        _look_again(lake, config.repo, config, say)
    recommended = recommend(
        lake, config.out, days=config.days, to=config.to, levels=config.levels, bar=config.bar, rules=config.rules
    )
    say(describe(recommended))
    try:
        if config.repo:
            say(_ask(lake, recommended.data, config.repo, config))
    finally:  # whatever the forge says, there is a report
        before = state.history(lake, recommended.data["window"]["to"])
        for path in report.write(recommended.data, config.out, before=before, delete_after=config.delete_after):
            say(f"wrote {path}")
        state.remember_run(lake, recommended.data)
    return recommended


def _inventory(lake: Lake, config: Config, say: Callable[[str], None]) -> None:
    """Take a snapshot from files or from AWS, as the configuration says; without either, the lake's newest stays."""
    if config.from_files:
        store.save(lake, from_files.read(config.from_files))
    elif config.inventory is not None:
        from trailfit.inventory import from_aws, sessions  # boto3: loaded only where AWS is asked

        work = from_aws.work_folder(config.lake, config.profile, config.inventory)
        taken = from_aws.take(sessions.named(config.profile), config.inventory, work, lambda _text: None)
        store.save(lake, taken.snapshot)
        say(f"inventory of {len(taken.snapshot.accounts)} accounts: {taken.sent.total():,} requests sent to AWS")
        if taken.unfinished:
            say("AWS throttled or failed some requests: nothing is proposed for those accounts; run again to go on")


def _look_again(lake: Lake, repo: str, config: Config, say: Callable[[str], None]) -> None:
    """Ask the forge what became of earlier proposals: what was merged meanwhile may have broken something."""
    memory = state.Memory.load(lake)
    try:
        pull_requests.look_again(repo, config.pull_request, memory)
    except ForgeError as problem:  # there is a report all the same
        say(f"what became of earlier proposals is not known: {problem}")
    memory.save(lake)


def _ask(lake: Lake, data: dict[str, Any], repo: str, config: Config) -> str:
    """Open or update the pull requests, and remember what became of all of them."""
    memory = state.Memory.load(lake)
    try:
        done = pull_requests.run(data, repo, config.out, config.pull_request, memory=memory)
    finally:
        memory.save(lake)
    return pull_requests.summary(done)


def recommend(
    lake: Lake,
    out: Path,
    *,
    days: int | None = None,
    to: date | None = None,
    levels: Levels | None = None,
    bar: Bar | None = None,
    rules: Rules | None = None,
) -> Recommended:
    """Judge the lake's snapshot by the lake's log, and write `recommendations.json` and ``policies/`` to `out`.

    Raises LakeError when the lake has no snapshot. Where it has no event of an account, that account's principals
    are unassessed: trailfit never proposes to remove what it knows nothing of. `bar` is what a proposal must reach to
    be safe.
    """
    snapshot = store.load(lake)
    window = resolve(lake, days=days, to=to, otherwise=snapshot.taken.date())
    with lake.connect() as con:
        gathered = evidence.gather(con, window, snapshot.selectors, shared(snapshot))
        broken = aftermath.denied_since(con, state.Memory.load(lake), window.first, window.last)
        judgement = judge(snapshot, gathered, levels, rules)
        past = _past(con, lake, snapshot, judgement, levels or Levels(), rules)
        totals = {each.fold.test: use.totals(con, each.fold.test) for each in past}
    judgement, *more = settle(judgement, past, totals, bar or Bar())
    data = output.as_dict(_restored(judgement, snapshot, broken), *more)
    recommendations.check(data)
    return replace(_write(data, out), not_stored=_store(lake, data))


def _past(
    con: DuckDBPyConnection, lake: Lake, snapshot: Snapshot, judgement: Judgement, levels: Levels, rules: Rules | None
) -> list[Replayed]:
    """Replay the lake's own history against the proposals, the latest days first."""
    held, window = lake.days(), judgement.evidence.window
    parts = folds(window, held) if held else ()
    if not parts:
        return []
    whole = span(parts)
    within = whole.first >= window.first and whole.last <= window.last
    days = judgement.evidence.days if within else use.days(con, whole)
    gaps = judgement.evidence.gaps if within else coverage.gaps(con, whole)
    found = []
    for fold in parts:
        done = replay(snapshot, judgement, days, gaps, fold, levels, rules)
        told = {who: counted(rows, use.read(con, fold.test, who)) for who, rows in done.denials.items()}
        found.append(replace(done, denials=told))
    return found


def _restored(judgement: Judgement, snapshot: Snapshot, broken: list[aftermath.Denial]) -> Judgement:
    """Tell and propose before all else what gives back to each role the calls that a merged change took away."""
    people, found, open_ = {one.arn: one for one in snapshot.principals}, [], list(judgement.unassessed)
    told: list[Finding] = []
    for arn, rows in groupby(broken, lambda one: one.principal):
        denials = list(rows)
        merged = Merged(arn, denials[0].before, denials[0].after, denials[0].merged.date())
        calls = [Denied(arn, one.action, one.resource, one.calls, one.last, None) for one in denials]
        told += broken_findings(calls, denials[0].merged)
        try:
            found.append(restoring(merged, people[arn], calls) if arn in people else None)
        except ProofError as problem:
            open_.append(Unassessed(arn, f"what would give back the denied calls is not proved: {problem.message}"))
    first = tuple(one for one in found if one is not None)
    together = (*first, *judgement.recommendations)
    findings = (*told, *judgement.findings)
    return replace(judgement, findings=findings, recommendations=together, unassessed=tuple(open_))


def _store(lake: Lake, data: dict[str, Any]) -> str | None:
    """Keep the judgement in the lake, for its views; say why not where the lake may only be read."""
    try:
        views.write(lake.storage, f"judged/{data['window']['to']}", tables.tables(data))
    except (LakeError, OSError) as problem:
        return str(problem)
    return None


def _write(data: dict[str, Any], out: Path) -> Recommended:
    """Write the run's folder; policies of an earlier run that are no longer proposed go."""
    files = {out / path: text for path, text in output.policy_files(data).items()}
    for folder in ("policies", "before"):
        for stale in sorted((out / folder).rglob("*.json")):
            if stale not in files:
                stale.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    file = out / recommendations.FILE_NAME
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(output.as_text(data), encoding="utf-8")
    return Recommended(data, file, tuple(path for path in files if path.is_relative_to(out / "policies")))


def describe(recommended: Recommended) -> str:
    """Sum a run up in a few lines for a terminal."""
    data = recommended.data
    summary, window = data["summary"], data["window"]
    counts = summary["permissions"]
    lines = [
        f"window {window['from']} to {window['to']} ({window['days']} days), {summary['principals']} principals",
        (
            f"permissions: {counts['used']} used, {counts['unused']} unused, "
            f"{counts['undetermined']} undetermined, {counts['kept']} kept"
        ),
        f"{summary['findings']} findings, {summary['recommendations']} recommendations ({summary['safe']} safe)",
    ]
    if data["excluded"]:
        lines.append(f"{len(data['excluded'])} findings are excluded, each with its reason")
    lines += [
        f"expired on {each['until']}, covers {each['findings']} findings no longer: {each['by']} ({each['reason']})"
        for each in data["exclusions"]
        if each["state"] == "expired"
    ]
    if data["unassessed"]:
        lines.append(f"{len(data['unassessed'])} could not be judged:")
        lines += [f"  {row['subject']}: {row['reason']}" for row in data["unassessed"]]
    if recommended.not_stored:
        lines.append(f"the lake's views do not show this run: {recommended.not_stored}")
    return "\n".join([*lines, f"wrote {recommended.file}"])


def backtest(
    lake: Lake, train: int, test: int, *, to: date | None = None, levels: Sequence[str] = ("balanced",)
) -> list[Backtest]:
    """Tighten on `train` days of the lake's log and replay the `test` days that follow, once for each level.

    The last day replayed is `to`, or the last that the lake holds. Raises LakeError when the lake holds no snapshot or
    no event, UsageError when its log is too short.
    """
    snapshot = store.load(lake)
    tested, held = resolve(lake, days=test, to=to), lake.days()
    if held is None:
        raise LakeError("holds no event", where=lake.root, hint="run `trailfit ingest` first")
    learnt = Window(tested.first - timedelta(days=train), tested.first - timedelta(days=1))
    if learnt.first < held[0]:
        raise UsageError(
            f"{train} + {test} days up to {tested.last} begin on {learnt.first}; the lake's log begins on {held[0]}",
            hint="give a smaller --train or --test, or ingest more",
        )
    with lake.connect() as con:
        seen = evidence.gather(con, learnt, snapshot.selectors)
        later: dict[str, list[Usage]] = {}
        for row in use.read(con, tested):
            later.setdefault(row.principal, []).append(row)
    return [replay_next(snapshot, seen, later, tested, Levels(level)) for level in dict.fromkeys(levels)]
