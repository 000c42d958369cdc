"""Parquet to columns of text. Its bytes are trusted: what others send is read by `parquet_apart`."""

import warnings
from typing import Any, BinaryIO

import fastparquet
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.columns import Columns, Encoder, Limits, RawTable, matched


class _PlainParquet(fastparquet.ParquetFile):  # type: ignore[misc]
    """A file in which index columns of pandas are columns, and seconds are read in the milliseconds they lie in."""

    @property
    def pandas_metadata(self) -> dict[str, Any]:
        """What pandas wrote about its frame, as far as it says how to read the file."""
        written: dict[str, Any] = super().pandas_metadata
        if not written:
            return written
        columns = [
            column | {"numpy_type": str(column.get("numpy_type")).replace("datetime64[s]", "datetime64[ms]")}
            for column in written.get("columns", [])
        ]
        return written | {"columns": columns, "index_columns": []}


def read_parquet(body: BinaryIO, file: str, columns: Columns, limits: Limits) -> RawTable:
    """Row group by row group; a row's number is its place in the file, from 1."""
    try:
        parquet = _PlainParquet(body, verify=True)
        header, total = [str(name) for name in parquet.columns], int(parquet.count())
        unpacked = sum(_unpacked_bytes(group) for group in parquet.row_groups)
    except Exception as error:  # fastparquet promises no error class for damaged files
        raise RefusedDrop("parquet_damaged", value=type(error).__name__) from error
    if total > limits.rows:
        raise RefusedDrop("too_many_rows", value=f"{total:,}", limit=f"{limits.rows:,}")
    if unpacked > limits.unpacked_bytes:
        limit = f"{limits.unpacked_bytes:,} bytes unpacked"
        raise RefusedDrop("file_too_large", value=f"{unpacked:,} bytes unpacked", limit=limit)
    positions = matched(header, columns)
    wanted = [header[position] for position in positions.values()]
    encoders = {name: Encoder(name) for name in positions}
    try:
        with warnings.catch_warnings():
            # fastparquet 2026.9 makes NaT in a way that numpy 2.5 calls deprecated
            warnings.filterwarnings("ignore", message="The 'generic' unit", category=DeprecationWarning)
            for group in parquet.iter_row_groups(columns=wanted, index=False):
                for name, position in positions.items():
                    encoders[name].add_encoded(*_typed_cells(group[header[position]]))
    except RefusedDrop:
        raise
    except MemoryError as error:
        limit = f"{limits.unpacked_bytes:,} bytes unpacked"
        raise RefusedDrop("file_too_large", value="a row group that fills the memory", limit=limit) from error
    except Exception as error:
        raise RefusedDrop("parquet_damaged", value=type(error).__name__) from error
    ignored = tuple(name for position, name in enumerate(header) if position not in positions.values())
    encoded = {name: encoder.encoded() for name, encoder in encoders.items()}
    if any(len(column.codes) != total for column in encoded.values()):
        raise RefusedDrop("parquet_damaged", value="columns of different lengths")
    return RawTable(file, "Parquet", ".", np.arange(1, total + 1, dtype=np.int32), encoded, (), ignored)


def _unpacked_bytes(group: Any) -> int:
    return sum(int(column.meta_data.total_uncompressed_size) for column in group.columns)


def _typed_cells(series: "pd.Series[str]") -> tuple[NDArray[np.intp], list[str]]:
    """A typed column as codes and texts: dates in ISO 8601, whole numbers without a point, nothing as ''."""
    codes, distinct = pd.factorize(series)
    texts = [_cell_text(value) for value in distinct]
    if (codes < 0).any():
        return np.where(codes < 0, len(texts), codes), [*texts, ""]
    return codes, texts


def _cell_text(value: object) -> str:
    match value:
        case bool() | np.bool_():
            return "1" if value else "0"
        case float() | np.floating():
            return str(int(value)) if float(value).is_integer() else repr(float(value))
        case bytes():
            return value.decode("utf-8", "replace")
        case pd.Timestamp():
            return value.isoformat()
        case _:
            return str(value)
