"""Frames of a run in the plans bucket, as Parquet."""

import io

import fastparquet
import pandas as pd

from pawcast.adapters.run_files import RunFiles


class RunFrames:
    """Parquet files of runs."""

    def __init__(self, files: RunFiles) -> None:
        """The bucket that the run's other files are in."""
        self._files = files

    def put_frame(self, key: str, frame: pd.DataFrame) -> None:
        """Store a frame."""
        self._files.put_bytes(key, parquet_bytes(frame), "application/vnd.apache.parquet")

    def get_frame(self, key: str) -> pd.DataFrame:
        """A frame; raises NotFound."""
        return frame_of(self._files.get_bytes(key))


def frame_of(content: bytes) -> pd.DataFrame:
    """The frame in a Parquet file."""
    frame: pd.DataFrame = fastparquet.ParquetFile(io.BytesIO(content)).to_pandas()
    return frame


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as one Parquet file, snappy-compressed, with the times that Athena reads (whole microseconds)."""
    file = _KeptOpen()
    times = {str(name): "datetime64[us]" for name in frame.select_dtypes("datetime").columns}
    fastparquet.write(
        "frame.parquet",
        frame.astype(times),  # fastparquet can't read back what it wrote of whole seconds
        compression="SNAPPY",
        times="int64",
        write_index=False,
        open_with=lambda _path, _mode: file,
    )
    return file.getvalue()


class _KeptOpen(io.BytesIO):
    """fastparquet closes what it wrote to; its bytes are wanted afterwards."""

    def close(self) -> None:
        """Do not."""
