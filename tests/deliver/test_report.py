import json
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from trailfit.deliver import report
from trailfit.deliver.html import segments
from trailfit.deliver.view import NAMED, Counts, page, run_of
from trailfit.errors import SourceError

from . import sample

NAMES = ["report.html", "report.md", "findings.csv", "findings.sarif", "findings.asff.json", "findings.ocsf.json"]


def written(data: dict[str, object], out: Path, **more: dict[str, object]) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in report.write(data, out, **more)}


def test_every_file_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = report.write(sample.recommendations(), folder)

    assert [path.relative_to(folder).as_posix() for path in written] == [*NAMES, f"credentials/{sample.ACCOUNT}.sh"]


@pytest.mark.parametrize("make", [sample.recommendations, sample.hostile])
def test_the_same_input_in_any_order_gives_the_same_bytes(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    data, turned = make(), make()
    for name in ("findings", "recommendations", "principals", "coverage", "unassessed"):
        turned[name].reverse()

    assert written(data, tmp_path / "a") == written(turned, tmp_path / "b")


def test_the_headline_counts_what_can_go(tmp_path: Path) -> None:
    principal, proposal = sample.orders_writer()
    data = {**sample.recommendations(), "principals": [principal], "recommendations": [proposal], "findings": []}
    files = written(data, tmp_path)

    assert "<h1>15 of 19 permissions can go</h1>" in files["report.html"]
    assert "15 of 19 permissions can go. 1 roles and users in 1 accounts used 1" in files["report.md"]


def test_every_class_of_every_permission_is_counted_once() -> None:
    view = page(sample.recommendations(), access_level=lambda _: "Write")
    listed = sum(len(one["permissions"]) for one in sample.recommendations()["principals"])

    assert view.counts.granted == listed
    assert sum(one.counts.granted for one in view.principals) == listed


def test_unused_without_a_proposal_is_not_called_removable() -> None:
    data = sample.recommendations()
    view = page({**data, "recommendations": []}, access_level=lambda _: "Write")

    assert view.counts.unused > 0
    assert view.removable.unused == 0


def test_an_admin_role_does_not_swell_the_page() -> None:
    arn = f"arn:aws:iam::{sample.ACCOUNT}:role/admin"
    permissions = [sample.silent(f"ec2:Do{n}", "unused", "never called") for n in range(5000)]
    principal = {
        "principal": arn,
        "account": sample.ACCOUNT,
        "kind": "role",
        "name": "admin",
        "permissions": permissions,
    }
    view = page(
        {**sample.recommendations(), "principals": [principal], "recommendations": [], "findings": []},
        access_level=lambda _: None,
    )

    [group] = view.principals[0].groups
    assert (group.count, len(group.actions), group.more) == (5000, NAMED, 5000 - NAMED)


def test_a_row_that_stands_for_many_actions_counts_as_many() -> None:
    row = {
        "action": "ec2:*",
        "class": "unused",
        "reason": "never called",
        "count": 700,
        "levels": {"Write": 400, "List": 300},
    }
    principal = {
        "principal": sample.ORDERS,
        "account": sample.ACCOUNT,
        "kind": "role",
        "name": "r",
        "permissions": [row],
    }
    data = {**sample.recommendations(), "principals": [principal], "recommendations": [], "findings": []}
    view = page(data, access_level=lambda _: None)

    assert view.counts.unused == 700
    assert view.levels == (("Write", 400), ("List", 300))
    assert (view.principals[0].groups[0].count, view.principals[0].groups[0].more) == (700, 0)


def test_a_principal_that_only_a_finding_names_is_shown(tmp_path: Path) -> None:
    assert ">marta<" in written(sample.recommendations(), tmp_path)["report.html"]


def test_what_is_exempt_is_told(tmp_path: Path) -> None:
    data = {**sample.recommendations(), "exempt": [{"subject": sample.ORDERS, "reason": "break glass"}]}
    files = written(data, tmp_path)

    assert "break glass" in files["report.html"]
    assert "- break glass: `" in files["report.md"]


def test_the_trend_compares_with_the_last_run(tmp_path: Path) -> None:
    now, before = sample.recommendations(), sample.recommendations()
    before["principals"] = before["principals"][:-1]
    before["findings"] = before["findings"][2:]
    html = written(now, tmp_path, before=[run_of(before)])["report.html"]

    assert "2 new findings, 0 gone" in html


@pytest.mark.parametrize("counts", [Counts(), Counts(1, 0, 0, 9999), Counts(1, 1, 1, 1), Counts(used=3)])
def test_a_bar_is_full_and_hides_no_class(counts: Counts) -> None:
    found = segments(counts)

    assert sum(width for _, _, width in found) == pytest.approx(100 if counts.granted else 0, abs=0.01)
    assert all(width > 0.5 for _, _, width in found)
    assert len(found) == sum(bool(getattr(counts, name)) for name in ("used", "kept", "undetermined", "unused"))


def test_no_network_address_is_in_the_page(tmp_path: Path) -> None:
    html = written(sample.recommendations(), tmp_path)["report.html"]

    assert "http:" not in html
    assert "https:" not in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html


def test_no_hostile_markup_survives_in_markdown(tmp_path: Path) -> None:
    tame, wild = (
        written(make(), tmp_path / make.__name__)["report.md"] for make in (sample.recommendations, sample.hostile)
    )
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    inline = [child for token in parser.parse(wild) for child in token.children or []]
    headings = [token for token in parser.parse(wild) if token.type == "heading_open" and token.tag != "h3"]

    assert not [
        child
        for child in inline
        if child.type in {"html_inline", "link_open", "image", "strong_open"} and child.tag != "strong"
    ]
    assert not [token for token in parser.parse(wild) if token.type == "html_block"]
    assert len(headings) == len([t for t in parser.parse(tame) if t.type == "heading_open" and t.tag != "h3"])


@pytest.mark.parametrize("name", NAMES)
def test_no_control_or_direction_mark_reaches_a_file(name: str, tmp_path: Path) -> None:
    text = written(sample.hostile(), tmp_path)[name]
    text = text.replace("\r\n", "\n").replace("@\u200d", "@")

    assert not [c for c in text if c != "\n" and c in "\x1b\x07\r\u202e\u202c\u2066\u2069\u200b\ufeff\ud800"]


def test_input_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="/window: is missing"):
        report.write(
            {"trailfit": "1", "coverage": [], "unassessed": [], "findings": [], "recommendations": []}, tmp_path
        )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        report.write(sample.recommendations(), tmp_path / "file")


def test_findings_are_json(tmp_path: Path) -> None:
    files = written(sample.recommendations(), tmp_path)

    assert json.loads(files["findings.sarif"])["version"] == "2.1.0"
    assert len(json.loads(files["findings.asff.json"])) == len(sample.recommendations()["findings"])
