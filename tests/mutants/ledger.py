"""What became of each mutant: kept in a file, and shown as a table."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

# What may become of a mutant.
OUTCOMES = ("not compiled", "same code", "killed", "hung", "survived")

Key = Tuple[str, str, str, str]


@dataclass(frozen=True)
class Record:
    """What became of one mutant."""

    outcome: str
    # The test program and the test that noticed, if one did.
    by: str = ""
    seconds: float = 0.0


class Ledger:
    """Outcomes by mutant, appended to a file as they come."""

    def __init__(self, file: Path):
        self._file = file
        self._records: Dict[Tuple[Key, int], Record] = {}
        if file.is_file():
            for line in file.read_text().splitlines():
                self._read(line)

    def _read(self, line):
        try:
            x = json.loads(line)
        except ValueError:
            return  # cut short when somebody interrupted
        place = (tuple(x["mutant"]), x["nth"])
        self._records[place] = Record(x["outcome"], x["by"], x["seconds"])

    def get(self, place):
        return self._records.get(place)

    def add(self, place, record: Record):
        self._records[place] = record
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as out:
            line = {
                "mutant": place[0],
                "nth": place[1],
                "outcome": record.outcome,
                "by": record.by,
                "seconds": round(record.seconds, 2),
            }
            out.write(json.dumps(line) + "\n")


def numbered(mutants) -> List[Tuple[Tuple[Key, int], object]]:
    """Mutants with their places: equal lines of a file are told by a number."""
    seen: Dict[Key, int] = {}
    result = []
    for mutant in mutants:
        nth = seen[mutant.key] = seen.get(mutant.key, -1) + 1
        result.append(((mutant.key, nth), mutant))
    return result


class BadEntry(Exception):
    """The list of equivalent mutants can't be read."""


def read_equivalent(text: str) -> Dict[Key, str]:
    """Known equivalent mutants with their reasons.

    Each as --list prints it, and behind it the reason, indented:

        http/server/server.cpp: comparison
        - if (a < b)
        + if (a <= b)
          a and b are never equal: ...
    """
    result: Dict[Key, str] = {}
    blocks = [[]]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            blocks.append([])
        elif not line.startswith("#"):
            blocks[-1].append((number, line))
    for block in filter(None, blocks):
        lines = [line for _, line in block]
        number = block[0][0]
        head = lines[0].rsplit(": ", 1)
        if len(lines) < 4 or len(head) != 2:
            raise BadEntry(f"line {number}: FILE: KIND, - line, + line, reason expected")
        if not lines[1].startswith("- ") or not lines[2].startswith("+ "):
            raise BadEntry(f"line {number}: the 2nd line starts with -, the 3rd with +")
        if not all(line.startswith("  ") for line in lines[3:]):
            raise BadEntry(f"line {number}: the reason is indented by two blanks")
        reason = " ".join(line.strip() for line in lines[3:])
        result[(head[0].split(":")[0], head[1], lines[1][2:], lines[2][2:])] = reason
    return result


def entry(mutant) -> str:
    """A mutant as a few lines of a diff."""
    return (
        f"{mutant.file}:{mutant.line}: {mutant.kind}\n"
        f"- {mutant.before}\n+ {mutant.after}"
    )


_COLUMNS = ("made", "equivalent", *OUTCOMES)


class Table:
    """Numbers by folder."""

    def __init__(self):
        self._rows: Dict[str, Dict[str, int]] = {}

    def count(self, file: str, column: str):
        for row in (str(Path(file).parent), "all"):
            cells = self._rows.setdefault(row, dict.fromkeys(_COLUMNS, 0))
            cells[column] += 1

    def ratio(self, folder: str) -> float:
        """The share of real mutants that a test noticed, in percent."""
        cells = self._rows[folder]
        noticed = cells["killed"] + cells["hung"]
        real = noticed + cells["survived"]
        return 100.0 * noticed / real if real else 100.0

    def _percent(self, folder):
        cells = self._rows[folder]
        if not cells["killed"] + cells["hung"] + cells["survived"]:
            return "-"
        return f"{self.ratio(folder):.0f} %"

    def folders(self) -> Iterable[str]:
        return sorted(x for x in self._rows if x != "all")

    def __str__(self):
        rows = [("folder", *_COLUMNS, "ratio")]
        for folder in [*self.folders(), *(["all"] if "all" in self._rows else [])]:
            cells = self._rows[folder]
            rows.append(
                (
                    folder,
                    *(str(cells[x]) for x in _COLUMNS),
                    self._percent(folder),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths))
            )
            for row in rows
        )
