"""From the bytes of a drop file to columns of text.

What a file is, its first bytes say; its name is never asked. A file over `Limits` is refused, by its size before a byte
is read (`refuse_size`). Everything that makes the whole file unusable raises `RefusedDrop`.
"""

import codecs
from typing import BinaryIO, Final

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.columns import Columns, Limits, RawTable
from pawcast.forecasting.ingest.csv_files import read_csv
from pawcast.forecasting.ingest.parquet_apart import read_apart

HEAD_BYTES: Final = 1 << 16

_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods; xls
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def refuse_size(size_bytes: int, limits: Limits) -> None:
    """Raise `RefusedDrop` for a file that is empty or too large; asks for nothing but its size (S3: HeadObject)."""
    if size_bytes == 0:
        raise RefusedDrop("file_empty")
    if size_bytes > limits.size_bytes:
        raise RefusedDrop("file_too_large", value=f"{size_bytes:,} bytes", limit=f"{limits.size_bytes:,} bytes")


def read_table(stream: BinaryIO, file: str, columns: Columns, limits: Limits | None = None) -> RawTable:
    """Read a drop file, CSV or Parquet by its content. Raises `RefusedDrop` when it is no such table."""
    bounds = limits or Limits()
    head = _read_fully(stream, HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\r\n\t "):
        raise RefusedDrop("file_empty")
    refuse_foreign_format(head)
    table = (
        read_apart(head, stream, file, columns, bounds)
        if head.startswith(b"PAR1")
        else read_csv(head, stream, file, columns, bounds)
    )
    if not len(table):
        raise RefusedDrop("no_rows")
    return table


def refuse_foreign_format(head: bytes) -> None:
    """Raise `RefusedDrop` for what is often sent by mistake."""
    if head.startswith(_SPREADSHEETS):
        raise RefusedDrop("spreadsheet")
    if head.startswith(_COMPRESSED):
        raise RefusedDrop("compressed_file")
    for mark, encoding in _WIDE_MARKS:
        if head.startswith(mark):
            raise RefusedDrop("encoding_unknown", value=encoding)
    start = head[:512].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml")):
        raise RefusedDrop("web_page")
    nuls = head.count(0)
    if nuls > 0.3 * len(head) and not head.startswith(b"PAR1"):  # Latin text in two bytes each, without its mark
        raise RefusedDrop("encoding_unknown", value="UTF-16")
    controls = sum(head.count(bytes([byte])) for byte in (*range(1, 9), *range(14, 32)))
    if controls > 0.02 * len(head) and not head.startswith(b"PAR1"):
        raise RefusedDrop("not_a_table")


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    """Like `read`, but short only at the end: a network stream may answer with less than was asked."""
    parts, missing = [], size
    while missing > 0 and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
