"""Encoding, separator and header of a text are told from the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.text_table import Reading, kind_of, read_text_table


def table_of(text, **reading):
    return read_text_table(Path("own.csv"), text.encode(), Reading(**reading))


def test_cells_stay_text_and_every_row_knows_its_line():
    table = table_of('time,a\n\n2000, "x, y" \n"2001\n2002",3\n2003,4\n\n')
    assert [(name, list(cells)) for name, cells in table.columns] == [
        ("time", ["2000", "2001\n2002", "2003"]),
        ("a", ["x, y", "3", "4"]),
    ]
    assert table.lines.tolist() == [3, 4, 6]
    assert table.told == []


def test_numbers_beside_a_word_are_names_without_doubt():
    table = table_of("date,2019,2020\n2000-01-01,1,2\n2000-01-02,3,4\n")
    assert [name for name, _ in table.columns] == ["date", "2019", "2020"]
    assert table.told == []


def test_lines_of_separators_alone_stay_between_rows_and_are_told_at_the_end():
    table = table_of("t,a\n1,2\n,\n3,4\n,\n,\n\n")
    assert table.columns[0][1].tolist() == ["1", "", "3"]
    assert table.told == ["2 lines of separators alone left out at the end"]


def test_a_column_without_a_name_gets_a_name_and_is_told():
    table = table_of(",a,\n2000,1,2\n")
    assert [name for name, _ in table.columns] == ["time", "a", "column_3"]
    assert table.told == ["column 3 without a name called column_3"]
    assert [name for name, _ in table_of("t,a,\n2000,1,\n").columns] == ["t", "a"]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("t;a;b\n1;1,5;2,5\n2;1,5;2,5\n", ";"),
        ("t,a\n1,x;y\n2,z;w\n", ","),
        ("t\ta\n1\t1,5\n2\t2,5\n", "\t"),
        ("t a\n1 2\n2 3\n", " "),
        ("alone\n1\n2\n", ","),
    ],
)
def test_the_separator_cuts_every_line_alike(text, separator):
    assert table_of(text).separator == separator


def test_what_the_user_says_comes_before_what_the_text_tells():
    table = table_of("1;2,5\n2;3,5\n", separator=",", header=True)
    assert [name for name, _ in table.columns] == ["1;2", "5"]
    assert table_of("a,b\n1,2\n", header=False).columns[0][1].tolist() == ["a", "1"]
    with pytest.raises(DataError, match="name another --encoding"):
        table_of("é", encoding="ascii")
    with pytest.raises(DataError, match="unknown encoding"):
        table_of("a", encoding="no-such")


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("1,234.5", "number"), ("-2e3", "number"), ("2000Q1", "digits"), ("#N/A", "missing")],
)
def test_cells_are_of_four_kinds(cell, kind):
    assert kind_of(cell) == kind
    assert kind_of("load") == "words"
