"""The warehouse's tables, and which row counts when a key was delivered more than once.

A drop never changes what lies in a table: it adds a *part*, a file whose name begins with `_`. Athena and every other
reader of Hive tables skip such names, so what BI tools see is one *base* file a partition, and each key in it once.
Our own readers see base and parts together and keep the latest row of each key (`latest`).

Latest is decided by the row alone: the moment at which S3 took the file, then the drop's id, then the values. So the
result is the same whatever the order in which parts are merged, however often, and whoever merges them at the same
time. Compaction is no more than that merge, written down as the new base, after which the parts it holds may go.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

RECEIVED_AT: Final = "received_at"
DROP_ID: Final = "drop_id"

type Kind = Literal["id", "text", "number", "flag", "time"]  # id: a text that repeats, kept once for each value


@dataclass(frozen=True)
class Table:
    """A table: one file a month of `month_of`, or one file. A later row of the same `keys` replaces an earlier one."""

    name: str
    keys: tuple[str, ...]
    columns: Mapping[str, Kind]
    month_of: str | None = None

    @property
    def base(self) -> str:
        """Name of the file that other readers see in a partition."""
        return f"{self.name}.parquet"

    def empty(self) -> pd.DataFrame:
        """No rows, with this table's columns."""
        return self.typed(pd.DataFrame({column: [] for column in self.columns}))

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table's columns in their order and types; a column that the frame lacks is empty."""
        return pd.DataFrame({name: _typed(frame, name, kind) for name, kind in self.columns.items()}, copy=False)


_ORIGIN: Final[dict[str, Kind]] = {RECEIVED_AT: "time", DROP_ID: "id"}

VISITS: Final = Table(
    "visits",
    ("store_id", "ts"),
    {"store_id": "id", "ts": "time", "visitors": "number", "open": "flag", **_ORIGIN},
    month_of="ts",
)
STORES: Final = Table(
    "stores",
    ("store_id",),
    {
        "store_id": "text",
        "name": "text",
        "region": "text",
        "time_zone": "text",
        "mail": "text",
        "language": "text",
        "plans_by": "text",
        "opens_at": "number",
        "closes_at": "number",
        "visitors_per_person": "number",
        "service_quantile": "number",
        "min_staff": "number",
        "max_staff": "number",
        "shift_pattern": "text",
        "active": "flag",
        **_ORIGIN,
    },
)
CALENDAR: Final = Table(
    "calendar",
    ("store_id", "region", "day"),
    {
        "store_id": "text",
        "region": "text",
        "day": "time",
        "open": "number",
        "opens_at": "number",
        "closes_at": "number",
        "school_holiday": "number",
        **_ORIGIN,
    },
)
PROMOTIONS: Final = Table(
    "promotions",
    ("promotion_id", "store_id", "region"),
    {
        "promotion_id": "text",
        "store_id": "text",
        "region": "text",
        "from_day": "time",
        "to_day": "time",
        "active": "flag",
        **_ORIGIN,
    },
)
# What was not taken, as the sender wrote it. A drop that is taken again replaces its rows.
SET_ASIDE: Final = Table(
    "set_aside",
    ("drop_id", "row"),
    {"file": "id", "row": "number", "problem": "id", "line": "text", **_ORIGIN},
    month_of=RECEIVED_AT,
)
TABLES: Final = (VISITS, STORES, CALENDAR, PROMOTIONS, SET_ASIDE)


@dataclass(frozen=True, order=True)
class Partition:
    """A month of a table, or (0, 0) for a table without months."""

    year: int = 0
    month: int = 0

    def prefix(self, table: Table) -> str:
        """Where its files lie, as Hive names partitions."""
        return f"{table.name}/year={self.year:04d}/month={self.month:02d}/" if self.year else f"{table.name}/"


@dataclass(frozen=True)
class Origin:
    """Where rows come from. `received_at` (UTC): when S3 took the file."""

    received_at: datetime
    drop_id: str


def drop_id(received_at: datetime, sequencer: str, key: str, version: str) -> str:
    """The same for the same version of an object, and sorted as S3 took them.

    S3's sequencer orders versions of one key within the same moment (as text, padded with zeros on the right).
    """
    digest = hashlib.sha256(f"{key}\n{version}".encode()).hexdigest()[:12]
    return f"{received_at:%Y%m%dT%H%M%S%f}-{sequencer.upper():0<16}-{digest}"


def part_name(drop: str, content: bytes) -> str:
    """Name of a drop's file in a partition. The same content has the same name: who writes it again, changes nothing.

    Another content (a drop checked again after a store was registered) has another name, so that a compaction which has
    read the first file can't delete the second.
    """
    return f"_{drop}-{hashlib.sha256(content).hexdigest()[:8]}.parquet"


def with_origin(frame: pd.DataFrame, origin: Origin) -> pd.DataFrame:
    """Rows with where they come from."""
    rows = len(frame)
    received = np.full(rows, np.datetime64(origin.received_at.replace(tzinfo=None), "us"))
    one = pd.Categorical.from_codes(np.zeros(rows, np.int8), categories=pd.Index([origin.drop_id], dtype=object))
    return frame.assign(received_at=received, drop_id=one)


def by_partition(frame: pd.DataFrame, table: Table) -> Iterator[tuple[Partition, pd.DataFrame]]:
    """The rows of each partition, partitions ascending."""
    if table.month_of is None:
        if len(frame):
            yield Partition(), frame
        return
    months = frame[table.month_of].to_numpy().astype("datetime64[M]").astype(np.int64)
    for month in np.unique(months):
        years, rest = divmod(int(month), 12)
        yield Partition(1970 + years, rest + 1), frame[months == month].reset_index(drop=True)


def latest(frames: Sequence[pd.DataFrame], table: Table) -> pd.DataFrame:
    """The latest row of each key, sorted by key."""
    together = concatenated([frame for frame in frames if len(frame)], table)
    order = [*table.keys, RECEIVED_AT, DROP_ID]
    # Rows of one drop and key differ only if our checks changed in between; then any fixed rule will do.
    order += [column for column in table.columns if column not in order]
    return together.sort_values(order, ignore_index=True).drop_duplicates(
        list(table.keys), keep="last", ignore_index=True
    )


def concatenated(frames: Sequence[pd.DataFrame], table: Table) -> pd.DataFrame:
    """All rows of some frames of a table; ids keep one list of values, sorted."""
    if not frames:
        return table.empty()
    if len(frames) == 1:
        return table.typed(frames[0])
    typed = [table.typed(frame) for frame in frames]
    columns: dict[str, object] = {}
    for name, kind in table.columns.items():
        parts = [frame[name] for frame in typed]
        if kind == "id":
            columns[name] = union_categoricals(parts, sort_categories=True)
        else:
            columns[name] = np.concatenate([part.to_numpy() for part in parts])
    return pd.DataFrame(columns, copy=False)


def _typed(frame: pd.DataFrame, name: str, kind: Kind) -> object:
    if name not in frame:
        return np.full(len(frame), {"number": np.nan, "flag": True, "time": np.datetime64("NaT", "us")}.get(kind, ""))
    column = frame[name]
    match kind:
        case "id":
            texts = (
                column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype(object).astype("category")
            )
            return texts.cat.set_categories(pd.Index(sorted(texts.cat.categories), dtype=object))
        case "text":
            return column.astype(object).where(column.notna(), "").to_numpy(dtype=object)
        case "number":
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        case "flag":
            return column.to_numpy(dtype=np.bool_)
        case "time":
            return column.to_numpy().astype("datetime64[us]")
