"""The tables of the page say what the comparison says."""

from __future__ import annotations

import pytest

from tests.builders.report import TABLES

pytest.importorskip("jinja2", reason="the report is an extra")


def test_every_table_is_there_and_the_leaderboard_says_what_the_comparison_says(page, comparison):
    assert set(page.tables) == TABLES
    heads, *rows = page.tables["leaderboard"]
    assert [row[0] for row in rows] == list(comparison.leaderboard().index)
    mse = comparison.scores()["MSE"]
    for row in rows[:-1]:
        assert row[heads.index("MSE")] == f"{mse[row[0]]:.3f}"
    assert rows[-1][0] == "fails"
    assert rows[-1][heads.index("against best classical")] == "failed, not ranked"
