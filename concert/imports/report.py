"""What became of the rows of an import: what was repaired and how, what was refused and why, by file and line."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Note(NamedTuple):
    """A sentence about one line of a file."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}"


@dataclass(slots=True)
class Report:
    """The notes of one import."""

    repaired: list[Note] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _refused_lines: set[tuple[str, int]] = field(default_factory=set)

    def repair(self, file: str, line: int, how: str) -> None:
        """A row was taken with a repair."""
        self.repaired.append(Note(file, line, how))

    def refuse(self, file: str, line: int, why: str) -> None:
        """A row was not taken; of several reasons the first is kept, for the others mostly follow from it."""
        if (file, line) not in self._refused_lines:
            self._refused_lines.add((file, line))
            self.refused.append(Note(file, line, why))

    def remark(self, what: str) -> None:
        """Something about the whole import that a reader should know."""
        if what not in self.remarks:
            self.remarks.append(what)

    def repairs(self) -> list[tuple[str, int]]:
        """Every way of repairing, and how many rows it was done to, the most frequent first."""
        return Counter(note.what for note in self.repaired).most_common()

    def write(self, path: Path) -> None:
        """Every note, into a file: JSON if it is named so, else CSV."""
        if path.suffix.lower() == ".json":
            path.write_text(json.dumps(self._document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            return
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["what", "file", "line", "how or why"])
            writer.writerows((what, _inert(note.file), note.line, _inert(note.what)) for what, note in self._notes())

    def _notes(self) -> Iterator[tuple[str, Note]]:
        yield from (("refused", note) for note in self.refused)
        yield from (("repaired", note) for note in self.repaired)
        yield from (("remark", Note("", 0, remark)) for remark in self.remarks)

    def _document(self) -> dict[str, object]:
        return {
            "refused": [{"file": note.file, "line": note.line, "why": note.what} for note in self.refused],
            "repaired": [{"file": note.file, "line": note.line, "how": note.what} for note in self.repaired],
            "remarks": self.remarks,
        }


def _inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
