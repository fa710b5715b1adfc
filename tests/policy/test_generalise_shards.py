"""Hashed names in folders of their own beginning: the folder says nothing that the name does not say."""

from datetime import date, timedelta

import pytest

from trailfit.policy.generalise import Observation, generalise
from trailfit.policy.generalise_shards import fold, unfold

LAST = date(2026, 12, 10)
BUCKET = "arn:aws:s3:::assets"


def patterns(names, level="balanced", days=1):
    """Generalise names, each used first on a day of its own and on `days` days in all."""
    seen = [
        Observation("s3:PutObject", f"{BUCKET}/{name}", days, tuple(LAST - timedelta(days=7 * at + day) for day in range(days)))
        for at, name in enumerate(names)
    ]  # fmt: skip
    return [each.resource for each in generalise(seen, LAST, level=level).patterns("s3:PutObject")]


def test_two_files_of_two_folders_become_one_pattern():
    assert patterns(["a/20/20f1c998c6eb0d2a.gz", "a/7b/7b24995ea736e3e0.gz"]) == [f"{BUCKET}/a/*.gz"]


def test_folders_in_folders_are_seen_through():
    assert patterns(["lfs/4d/7a/4d7a214614ab2935", "lfs/e0/01/e001c21461efab01"]) == [f"{BUCKET}/lfs/*"]


def test_one_file_of_one_day_stands_for_more_to_come():
    assert patterns(["a/20/20f1c998c6eb0d2a.gz"]) == [f"{BUCKET}/a/*.gz"]


def test_a_file_that_is_used_again_and_again_is_listed_with_its_folder():
    assert patterns(["a/20/20f1c998c6eb0d2a.gz"], days=5) == [f"{BUCKET}/a/20/20f1c998c6eb0d2a.gz"]


def test_level_exact_lists_names_with_their_folders():
    names = ["a/20/20f1c998c6eb0d2a.gz", "a/7b/7b24995ea736e3e0.gz"]

    assert patterns(names, level="exact") == [f"{BUCKET}/{name}" for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ["a/20/17f1c998c6eb0d2a.gz"],  # the folder is no beginning
        ["a/2/20f1c998c6eb0d2a.gz"],  # one character may be chance
        ["a/20/20.gz"],  # no drawn name
        ["team/teamwork-report.pdf"],  # a word
        ["a/20/20f1c998c6eb0d2a.gz", "a/21/readme.txt"],  # the folders hold something else, too
    ],
)
def test_other_folders_are_left_as_they_are(names):
    assert fold(names) == {}


def test_unfolding_gives_the_name_back():
    names = ["x/ab/cd/abcdef0123456789.js", "7f/7f00aa11bb22cc33", "y/abcd/abcdef0123456789"]

    folded = fold(names)

    assert [unfold(folded[name]) for name in names] == names
