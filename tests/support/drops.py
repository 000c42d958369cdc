"""Drop files and registered stores for tests of ingest and the warehouse."""

import io
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from pawcast.adapters.run_frames import parquet_bytes
from pawcast.forecasting.ingest.checked import Checked
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS, check_visits
from pawcast.forecasting.ingest.columns import Limits
from pawcast.forecasting.ingest.facts import COLUMNS, check_facts
from pawcast.forecasting.ingest.reading import read_table
from pawcast.forecasting.warehouse import STORES

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)  # noon in Seoul


def registered(**zones: str) -> pd.DataFrame:
    """STORES: ids with `day:Asia/Seoul` or `hour:Europe/Berlin`."""
    rows = [
        {"store_id": store, "region": "KR", "plans_by": rule.split(":")[0], "time_zone": rule.split(":")[1]}
        for store, rule in zones.items()
    ]
    return STORES.typed(pd.DataFrame(rows, columns=["store_id", "region", "plans_by", "time_zone"]))


STORES_OF_TWO = registered(S1="day:Asia/Seoul", S2="day:Asia/Seoul")
HOURLY = registered(B1="hour:Europe/Berlin", K1="hour:Asia/Seoul")


def lines(*rows: str, header: str = "store_id,ts,visitors,open") -> bytes:
    """A CSV of these lines."""
    return "\n".join((header, *rows, "")).encode()


def visits(content: bytes, stores: pd.DataFrame = STORES_OF_TWO, limits: Limits | None = None) -> Checked:
    """Read and check a file of visits."""
    return check_visits(read_table(io.BytesIO(content), "visits.csv", VISITS_COLUMNS, limits), stores, NOW)


def facts(kind: str, content: bytes, stores: pd.DataFrame = STORES_OF_TWO) -> Checked:
    """Read and check a file of facts."""
    return check_facts(kind, read_table(io.BytesIO(content), f"{kind}.csv", COLUMNS[kind]), stores)


def counted(checked: Checked) -> dict[str, int]:
    """How often each problem came up."""
    return {count.code: count.problems for count in checked.report.counts}


def kept(checked: Checked) -> list[tuple[str, str, float | None, bool]]:
    """Rows for the warehouse; None for unknown visitors."""
    rows = checked.kept
    return [
        (str(store), str(ts)[:16].replace(" 00:00", ""), None if pd.isna(number) else float(number), bool(is_open))
        for store, ts, number, is_open in zip(rows["store_id"], rows["ts"], rows["visitors"], rows["open"], strict=True)
    ]


def parquet(rows: Sequence[dict[str, object]]) -> bytes:
    """A Parquet file of these rows."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Series.values", category=FutureWarning)  # of fastparquet
        warnings.filterwarnings("ignore", message="Series.values", category=DeprecationWarning)
        return parquet_bytes(pd.DataFrame(rows))
