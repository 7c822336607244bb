"""Reading tables: as they are written, and with what is said of those that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from concert.imports.report import Report
from concert.imports.tables import Unreadable, read_table

WANTED = ("id", "name", "amount")


def table(folder: Path, content: bytes | str) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: bytes | str) -> tuple[list[tuple[int, str | None]], Report]:
    report = Report()
    return [(row.line, row.text("name")) for row in read_table(table(folder, content), report, required=WANTED)], report


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_any_delimiter_any_line_end_and_a_mark_are_understood(
    tmp_path: Path, delimiter: str, end: str, mark: bytes
) -> None:
    lines = ["Amount;NAME; id", "1;Zo\u00eb;7", "", "2;Ada;8"]
    rows, report = read(tmp_path, mark + end.join(lines).replace(";", delimiter).encode())
    assert rows == [(2, "Zo\u00eb"), (4, "Ada")]
    assert report.refused == []


def test_quoted_cells_hold_delimiters_quotes_and_line_ends_and_rows_keep_their_first_line(tmp_path: Path) -> None:
    rows, report = read(tmp_path, 'id,name,amount\n1,"a, ""b""",1\n2,"two\nlines",2\n3,5" disk,3\n')
    assert rows == [(2, 'a, "b"'), (3, "two\nlines"), (5, '5" disk')]
    assert report.refused == []


def test_a_decimal_comma_does_not_make_a_comma_the_delimiter(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "id;name;amount,net,of,tax;amount\n1;Ada;x;1,5\n")
    assert rows == [(2, "Ada")]


def test_a_row_too_short_or_too_long_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    rows, report = read(tmp_path, "id,name,amount\n1,Ada\n2,Zane,5\n3,Zoe,5,6\n")
    assert rows == [(3, "Zane")]
    assert [str(note) for note in report.refused] == [
        "t.csv, line 2: the row has 2 cells, 3 are expected (with a comma between them)",
        "t.csv, line 4: the row has 4 cells, 3 are expected (with a comma between them)",
    ]


def test_a_line_that_is_not_utf8_is_refused_with_its_cell_and_the_others_stay(tmp_path: Path) -> None:
    rows, report = read(tmp_path, b"id,name,amount\n1,Z\xfcrich,5\n2,Ada,5\n")
    assert rows == [(3, "Ada")]
    assert [str(note) for note in report.refused] == [
        "t.csv, line 2: byte 0xFC in cell 2 is not UTF-8 (in Windows-1252 it would be '\u00fc'); save the file as UTF-8"
    ]


def test_a_quote_never_closed_spoils_its_row_and_not_the_rest_of_the_file(tmp_path: Path) -> None:
    rows, report = read(tmp_path, 'id,name,amount\n1,"Ada,5\n2,Zane,6\n3,Zoe,7\n')
    assert rows == [(3, "Zane"), (4, "Zoe")]
    assert [str(note) for note in report.refused] == ["t.csv, line 2: a quote is opened and never closed"]


def test_text_behind_a_closed_quote_is_refused(tmp_path: Path) -> None:
    rows, report = read(tmp_path, 'id,name,amount\n1,"Ada" Berg,5\n2,Zane,6\n')
    assert rows == [(3, "Zane")]
    assert "inside a quoted cell a quote is written twice" in report.refused[0].what


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "t.csv is empty."),
        ("\n\n", "t.csv is empty."),
        ("id;name\n1;2\n", "t.csv, line 1: the column amount is missing. Found, with a semicolon between them: id, "
                           "name. Needed: id, name, amount."),
        ("id,name,amount,Name\n", "t.csv, line 1: the column name stands there more than once."),
        ("id,name,amount\n1,2,3\n".encode("utf-16"),
         "t.csv: this is UTF-16 or no text at all; save it as CSV in UTF-8 and try again."),
        (b"id,n\xe4me,amount\n", "t.csv, line 1: byte 0xE4 in cell 2 is not UTF-8 (in Windows-1252 it would be "
                                 "'\u00e4'); save the file as UTF-8."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_refused_as_a_whole(tmp_path: Path, content: bytes | str, why: str) -> None:
    with pytest.raises(Unreadable) as fault:
        read(tmp_path, content)
    assert str(fault.value) == why


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"nowhere\.csv cannot be read: No such file or directory\."):
        read_table(tmp_path / "nowhere.csv", Report())


def test_null_written_as_text_says_nothing(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "id,name,amount\n1,NULL,5\n2, ,5\n")
    assert rows == [(2, None), (3, None)]
