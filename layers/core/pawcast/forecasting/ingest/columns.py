"""A file as columns of text, each distinct text once: what readers make, and checks take.

Visits repeat themselves (a thousand stores, a few thousand hours, a few thousand counts), so 1.8 million rows cost 4
bytes a cell, and everything later reads each distinct text once instead of each row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import RefusedDrop

LONGEST_CELL: Final = 200
# Beyond this many distinct texts a column is no store, hour or count: hours of 100 years are 880,000.
MOST_DISTINCT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a drop file may have at most."""

    size_bytes: int = 256 * 1024 * 1024
    rows: int = 5_000_000
    unpacked_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Columns:
    """What a kind of table may have: names as Pawcast writes them, with the other names that senders use."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    numbers: tuple[str, ...] = ()  # where a decimal comma shows
    also_called: Mapping[str, str] = field(default_factory=dict)

    def known(self, name: str) -> str | None:
        """The column that a header cell means, or None."""
        plain = re.sub(r"[\s\-]+", "_", name.strip().strip("\ufeff").lower())
        plain = self.also_called.get(plain, plain)
        return plain if plain in self.required or plain in self.optional else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A column: row i reads `texts[codes[i]]`."""

    codes: NDArray[np.int32]
    texts: Sequence[str]

    def at(self, index: NDArray[np.intp]) -> list[str]:
        """The texts of some rows."""
        return [self.texts[code] for code in self.codes[index]]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A line that could not be taken apart."""

    row: int
    code: str
    text: str
    value: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A file as columns of text. `rows` holds the row numbers as the sender sees them, ascending."""

    file: str
    format: str
    decimal: str
    rows: NDArray[np.int32]
    columns: Mapping[str, Encoded]
    broken: tuple[BrokenRow, ...] = ()
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Rows of data in the file, broken ones included."""
        return len(self.rows) + len(self.broken)


class Encoder:
    """Grows one `Encoded` block by block."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._numbers: dict[str, int] = {}
        self._blocks: list[NDArray[np.int32]] = []

    def add(self, cells: NDArray[np.object_]) -> None:
        """Add a block of cells."""
        codes, distinct = pd.factorize(cells)
        self.add_encoded(codes, [str(text) for text in distinct])

    def add_encoded(self, codes: NDArray[np.intp], texts: Sequence[str]) -> None:
        """Add a block that is encoded already."""
        numbers = self._numbers
        mine = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int32, len(texts))
        if len(numbers) > MOST_DISTINCT:
            raise RefusedDrop("too_many_values", column=self._column, limit=f"{MOST_DISTINCT:,}")
        self._blocks.append(mine[codes])

    def encoded(self) -> Encoded:
        """All blocks together; the encoder is empty afterwards."""
        codes = np.concatenate(self._blocks) if self._blocks else np.empty(0, np.int32)
        self._blocks.clear()
        return Encoded(codes, list(self._numbers))


def matched(header: Sequence[str], columns: Columns) -> dict[str, int]:
    """Position of each known column; refuses a header without the required ones."""
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        known = columns.known(name)
        if known is None:
            continue
        if known in found:
            raise RefusedDrop("column_twice", column=known, value=f"{header[found[known]]}, {name}")
        found[known] = position
    if not found:
        raise RefusedDrop("header_missing", value=", ".join(header)[:LONGEST_CELL], limit=", ".join(columns.required))
    for name in columns.required:
        if name not in found:
            raise RefusedDrop("column_missing", column=name, value=", ".join(header)[:LONGEST_CELL])
    return found
