"""The tables [pr], [report] and [[map]] of trailfit.toml: read as they are meant, refused with the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trailfit.cli import config
from trailfit.deliver.owner import Mapped
from trailfit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str) -> config.Config:
    path = folder / "trailfit.toml"
    path.write_text(f'lake = "lake"\n{text}')
    return config.read(path)


def test_each_setting_reaches_the_pull_request(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '[report]\ndelete_after = 45\n[pr]\nrepo = "https://github.com/shop/infra"\nforge = "github"\nbase = "dev"\n'
        'by = "account"\nunsafe = "draft"\nlabels = []\nreviewers = false\n'
        '[[map]]\nprincipal = "p"\npath = "a.tf"\nwhere = "w"\n',
    )
    told = found.pull_request

    assert (found.repo, found.delete_after) == ("https://github.com/shop/infra", 45)
    assert (told.forge, told.base, told.by, told.unsafe) == ("github", "dev", "account", "draft")
    assert (told.labels, told.reviewers, told.mapped) == ((), False, (Mapped("p", "a.tf", "w"),))
    assert read(tmp_path, '[pr]\nrepo = "infra"\n').repo == str(tmp_path / "infra")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[pr]\nforge = "bitbucket"\n', "one of: github, gitlab"),
        ('[pr]\nby = "team"\n', "one of: run, account"),
        ('[pr]\nunsafe = "merge"\n', "one of: report, draft"),
        ("[pr]\nreviewers = 1\n", "must be of type bool"),
        ("[report]\ndelete_after = true\n", "must be of type int"),
        ('[pr]\ntoken = "x"\n', "`pr.token` is not a setting"),
        ('[[map]]\nprincipal = "p"\n', "needs `principal`, `path` and `where`"),
    ],
)
def test_what_is_not_a_setting_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        read(tmp_path, text)

    assert says in str(told.value)
    assert str(tmp_path / "trailfit.toml") in str(told.value)
