"""A Parquet drop, read by a process of its own.

fastparquet trusts the bytes that it reads: a damaged or hostile file can make it run past its buffers, loop or crash
(dask/fastparquet issue 985). So a child reads the drop, without credentials and with a limit of time and of memory, and
what it found comes back as arrays and JSON that are checked again, never unpickled. A child that is stopped, or stops
by itself, is a damaged file; docs/decisions/0012 has what that costs.
"""

import json
import resource
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

import numpy as np

from pawcast.apart import Stopped, run_apart
from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.columns import Columns, Encoded, Limits, RawTable

SECONDS: Final = 60  # 5 million rows take 1.3
MEMORY_BYTES: Final = 2 << 30

_BODY, _TASK, _FOUND, _CODES = "body.parquet", "task.json", "found.json", "codes.npz"


def read_apart(head: bytes, stream: BinaryIO, file: str, columns: Columns, limits: Limits) -> RawTable:
    """What `read_parquet` makes of `head` and the rest of the stream. Raises `RefusedDrop`."""
    with TemporaryDirectory(prefix="drop-") as name:
        folder = Path(name)
        with (folder / _BODY).open("wb") as body:
            body.write(head)
            shutil.copyfileobj(stream, body, 1 << 20)
        (folder / _TASK).write_text(json.dumps({"columns": asdict(columns), "limits": asdict(limits)}))
        try:
            run_apart(__name__, folder, SECONDS)
        except Stopped as stopped:
            raise RefusedDrop("parquet_damaged", value=str(stopped)) from stopped
        return _table(folder, file)


def _table(folder: Path, file: str) -> RawTable:
    """What the child wrote, as far as it is a table."""
    try:
        found: dict[str, Any] = json.loads((folder / _FOUND).read_text("utf-8"))
        if refused := found.get("refused"):
            raise RefusedDrop(**refused)
        rows = int(found["rows"])
        with np.load(folder / _CODES, allow_pickle=False) as codes:
            columns = {name: Encoded(codes[name], texts) for name, texts in found["texts"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedDrop("parquet_damaged", value=type(error).__name__) from error
    for column in columns.values():
        sound = column.codes.dtype == np.int32 and column.codes.shape == (rows,)
        if not sound or (rows and not 0 <= column.codes.min() <= column.codes.max() < len(column.texts)):
            raise RefusedDrop("parquet_damaged", value="columns of different lengths")
    return RawTable(file, "Parquet", ".", np.arange(1, rows + 1, dtype=np.int32), columns, (), tuple(found["ignored"]))


def _main(folder: Path) -> None:
    """The child: reads, and writes what it found or why it refuses."""
    from pawcast.forecasting.ingest.parquet_files import read_parquet  # the parent goes without fastparquet

    task: dict[str, Any] = json.loads((folder / _TASK).read_text("utf-8"))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        with (folder / _BODY).open("rb") as body:
            table = read_parquet(body, "", Columns(**task["columns"]), Limits(**task["limits"]))
    except RefusedDrop as error:
        refused = {
            "problem_code": error.problem_code,
            "value": error.value,
            "column": error.column,
            "limit": error.limit,
        }
        (folder / _FOUND).write_text(json.dumps({"refused": refused}), "utf-8")
        return
    np.savez(folder / _CODES, allow_pickle=False, **{name: column.codes for name, column in table.columns.items()})
    texts = {name: column.texts for name, column in table.columns.items()}
    found = {"rows": len(table.rows), "ignored": table.ignored, "texts": texts}
    (folder / _FOUND).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
