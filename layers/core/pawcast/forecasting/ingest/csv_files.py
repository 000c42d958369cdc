"""CSV to columns of text, whatever program wrote it.

A CSV may be separated by comma, semicolon, tab or bar, written in UTF-8 (with or without BOM) or CP949, with `sep=;` as
its first line. A line is a row: a line break inside quotation marks is refused, because one forgotten mark would
otherwise swallow the rest of the file, and because a row number must be the number that the sender's editor shows.

Files are read in blocks, so memory does not grow with the text.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.columns import (
    LONGEST_CELL,
    BrokenRow,
    Columns,
    Encoded,
    Encoder,
    Limits,
    RawTable,
    matched,
)

BLOCK_BYTES: Final = 1 << 22
LONGEST_LINE: Final = 1 << 20
DELIMITERS: Final = (",", ";", "\t", "|")
# From this many broken rows on, more broken than sound ones mean that the file was read in a wrong way.
MANY_BROKEN: Final = 10_000

_DECIMAL_COMMA = re.compile(r"-?\d+,(\d{1,2}|\d{4,})|-?\d{1,3}(\.\d{3})+,\d+")
_DECIMAL_POINT = re.compile(r"-?\d+\.(\d{1,2}|\d{4,})|-?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written. `encoding` is None while only ASCII was seen; `header_lines` end with the header."""

    delimiter: str
    decimal: str
    encoding: str | None
    header_lines: int
    header: tuple[str, ...]


def sniff(head: bytes, columns: Columns) -> Dialect:
    """Find out how a CSV is written from its first bytes; `RefusedDrop` without a usable header."""
    marked = head.startswith(codecs.BOM_UTF8)
    body = head.removeprefix(codecs.BOM_UTF8)
    whole_lines = body[: body.rfind(b"\n") + 1] or body
    encoding = "utf-8" if marked else _encoding_of(whole_lines)
    lines = [line.rstrip("\r") for line in whole_lines.decode(encoding or "ascii", "replace").split("\n")]
    top = next((number for number, line in enumerate(lines) if line.strip(" ,;\t|")), 0)
    declared = re.fullmatch(r'"?sep=(.)"?', lines[top].strip(" "), re.IGNORECASE) if lines else None
    if declared:
        top = next((number for number, line in enumerate(lines) if number > top and line.strip()), top)
    candidates = (declared[1],) if declared else DELIMITERS
    headers = {delimiter: tuple(_cells(lines[top], delimiter)) for delimiter in candidates}
    delimiter = max(
        candidates,
        key=lambda mark: (sum(columns.known(name) is not None for name in headers[mark]), len(headers[mark])),
    )
    header = headers[delimiter]
    positions = [position for name, position in matched(header, columns).items() if name in columns.numbers]
    sample = [cells for line in lines[top + 1 : top + 1_001] if (cells := _cells(line, delimiter))]
    numbers = [cells[position].strip() for cells in sample for position in positions if position < len(cells)]
    return Dialect(delimiter, _decimal_of(numbers, delimiter), encoding, top + 1, header)


def _encoding_of(data: bytes) -> str | None:
    """`utf-8` or `cp949`, whichever reads more lines; None where both do alike because all is ASCII."""
    if data.isascii():
        return None
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    return max(("utf-8", "cp949"), key=lambda encoding: sum(_decodes(line, encoding) for line in lines))


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _decimal_of(numbers: Sequence[str], delimiter: str) -> str:
    """Which mark stands before decimals. Without evidence: comma where the semicolon separates cells, as Excel does."""
    commas = sum(_DECIMAL_COMMA.fullmatch(number) is not None for number in numbers)
    points = sum(_DECIMAL_POINT.fullmatch(number) is not None for number in numbers)
    if commas == points:
        return "," if delimiter == ";" else "."
    return "," if commas > points else "."


def _blocks_of_lines(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """The file in blocks that end where a line ends, without that line's end."""
    carry = head.removeprefix(codecs.BOM_UTF8)
    old_mac = b"\n" not in carry and b"\r" in carry
    while True:
        block = stream.read(BLOCK_BYTES)
        data = carry + block
        if old_mac:
            data = data.replace(b"\r", b"\n")
        if not block:
            if data:
                yield data.removesuffix(b"\n")
            return
        end = data.rfind(b"\n")
        if end >= 0:
            yield data[:end]
        carry = data[end + 1 :]
        if len(carry) > LONGEST_LINE:
            raise RefusedDrop("not_a_table")


def read_csv(head: bytes, stream: BinaryIO, file: str, columns: Columns, limits: Limits) -> RawTable:
    """Read a CSV whose first bytes are `head`; raises RefusedDrop when it is none."""
    lines_only = head.replace(b"\r", b"\n") if b"\n" not in head else head
    dialect = sniff(lines_only, columns)
    positions = matched(dialect.header, columns)
    reader = _CsvReader(dialect, positions, limits)
    for block in _blocks_of_lines(head, stream):
        reader.add(block)
    ignored = tuple(
        name.strip()
        for position, name in enumerate(dialect.header)
        if position not in positions.values() and name.strip()
    )
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    encoding = (reader.encoding or "ascii").upper()
    return RawTable(
        file,
        f"CSV, {names.get(dialect.delimiter, dialect.delimiter)}, {encoding}",
        dialect.decimal,
        reader.rows(),
        reader.columns(),
        tuple(reader.broken),
        ignored,
    )


class _CsvReader:
    """Takes a CSV block by block; keeps only the known columns and the broken lines."""

    def __init__(self, dialect: Dialect, positions: Mapping[str, int], limits: Limits) -> None:
        self.encoding = dialect.encoding
        self.broken: list[BrokenRow] = []
        self._delimiter = dialect.delimiter
        self._width = len(dialect.header)
        self._header_lines = dialect.header_lines
        self._positions = positions
        self._limits = limits
        self._encoders = {name: Encoder(name) for name in positions}
        self._rows: list[NDArray[np.int32]] = []
        self._taken = 0
        self._line = 0

    def rows(self) -> NDArray[np.int32]:
        return np.concatenate(self._rows) if self._rows else np.empty(0, np.int32)

    def columns(self) -> dict[str, Encoded]:
        return {name: encoder.encoded() for name, encoder in self._encoders.items()}

    def add(self, block: bytes) -> None:
        lines, numbers = self._sound_lines(block)
        records = list(csv.reader(lines, delimiter=self._delimiter))
        if len(records) < len(lines) or (lines and self._stays_open(lines[-1])):
            lines, numbers = self._without_open_quotes(lines, numbers)
            records = list(csv.reader(lines, delimiter=self._delimiter))
        if set(map(len, records)) != {self._width}:
            records, numbers = self._fitting(lines, records, numbers)
        if not records:
            return
        cells = {
            name: np.fromiter((record[position] for record in records), object, len(records))
            for name, position in self._positions.items()
        }
        rows = np.asarray(numbers, np.int32)
        empty = np.logical_and.reduce([column == "" for column in cells.values()])
        if empty.any():  # lines of nothing but separators, as spreadsheets leave them below a table
            rows = rows[~empty]
            cells = {name: column[~empty] for name, column in cells.items()}
        for name, column in cells.items():
            self._encoders[name].add(column)
        self._rows.append(rows)
        self._taken += len(rows)
        if self._taken + len(self.broken) > self._limits.rows:
            raise RefusedDrop("too_many_rows", value=f"> {self._limits.rows:,}", limit=f"{self._limits.rows:,}")
        if len(self.broken) > max(MANY_BROKEN, self._taken):
            raise RefusedDrop("too_many_broken_rows", value=f"{len(self.broken):,}")

    def _sound_lines(self, block: bytes) -> tuple[list[str], Sequence[int]]:
        """Lines that csv.reader takes as one row each, with their numbers."""
        text, undecodable = self._decoded(block)
        text = text.replace("\r\n", "\n").removesuffix("\r")
        lines = text.split("\n")
        first = self._line + 1
        self._line += len(lines)
        skipped = max(0, min(len(lines), self._header_lines - first + 1))
        lines, first = lines[skipped:], first + skipped
        wrong = {number - first: "row_undecodable" for number in undecodable if number >= first}
        if "\0" in text or "\r" in text:
            wrong |= {i: "row_control_character" for i, line in enumerate(lines) if "\0" in line or "\r" in line}
        if '"' in text:
            wrong |= {i: "row_quotes" for i, line in enumerate(lines) if line.count('"') % 2}
        if len(text) > csv.field_size_limit():
            limit = csv.field_size_limit()
            wrong |= {i: "row_ragged" for i, line in enumerate(lines) if len(line) > limit}
        if not wrong:
            return lines, range(first, first + len(lines))
        for i in sorted(wrong):
            self.broken.append(
                BrokenRow(first + i, wrong[i], lines[i][:LONGEST_CELL], value="", limit=str(self._width))
            )
        sound = [i for i in range(len(lines)) if i not in wrong]
        return [lines[i] for i in sound], [first + i for i in sound]

    def _stays_open(self, line: str) -> bool:
        """Whether a line opens a quotation that it doesn't close, so that it would swallow the next."""
        return '"' in line and len(list(csv.reader([line, ""], delimiter=self._delimiter))) < 2

    def _without_open_quotes(self, lines: Sequence[str], numbers: Sequence[int]) -> tuple[list[str], list[int]]:
        sound: list[str] = []
        places: list[int] = []
        for line, number in zip(lines, numbers, strict=True):
            if self._stays_open(line):
                self.broken.append(BrokenRow(number, "row_quotes", line[:LONGEST_CELL], limit=str(self._width)))
            else:
                sound.append(line)
                places.append(number)
        return sound, places

    def _decoded(self, block: bytes) -> tuple[str, list[int]]:
        """The block as text, and the numbers of lines that can't be read in the file's encoding."""
        if block.isascii():
            return block.decode("ascii"), []
        if self.encoding is None:
            self.encoding = _encoding_of(block)
        encoding = self.encoding or "utf-8"
        try:
            return block.decode(encoding), []
        except UnicodeDecodeError:
            lines = block.split(b"\n")
            bad = [self._line + 1 + i for i, line in enumerate(lines) if not _decodes(line, encoding)]
            return "\n".join(line.decode(encoding, "replace") for line in lines), bad

    def _fitting(
        self, lines: Sequence[str], records: list[list[str]], numbers: Sequence[int]
    ) -> tuple[list[list[str]], list[int]]:
        """Rows of the header's width; one separator too many at the end is forgiven, an empty line is no row."""
        fitting, places, width = [], [], self._width
        for line, record, number in zip(lines, records, numbers, strict=True):
            if len(record) == width:
                fitting.append(record)
                places.append(number)
            elif len(record) == width + 1 and not record[-1].strip():
                fitting.append(record[:-1])
                places.append(number)
            elif any(cell.strip() for cell in record):
                self.broken.append(
                    BrokenRow(number, "row_ragged", line[:LONGEST_CELL], value=str(len(record)), limit=str(width))
                )
        return fitting, places
