"""How long a drop takes from bytes to checked rows, and a year of daily drops to be read.

    OMP_NUM_THREADS=1 python benchmarks/ingest_speed.py

Each size runs in a fresh process, whose peak memory is the whole process's: interpreter, libraries, rows. The file is
drawn: 1,000 stores that plan by day, one row in a hundred wrong in one of six ways, a few duplicates. It is read from
disk as Lambda reads it from S3, in blocks. Seconds are CPU seconds on one thread.

The year is 365 daily drops of 300 stores in moto, read and merged before and after compaction; moto serves from memory,
so the figure is what our side of the work costs, and the number of files says what S3 would add.

Times depend on the machine and on what else runs there; the growth hardly does. Writes docs/benchmarks/ingest-speed.md.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
from moto import mock_aws

from pawcast.adapters.warehouse_store import WarehouseStore
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS, check_visits
from pawcast.forecasting.ingest.reading import read_table
from pawcast.forecasting.warehouse import STORES, VISITS, Origin, drop_id

REPOSITORY = Path(__file__).parents[1]
RESULT = REPOSITORY / "docs" / "benchmarks" / "ingest-speed.md"
SIZES = (100_000, 500_000, 1_800_000)
STORES_COUNT, DAILY_STORES, YEAR_DAYS = 1_000, 300, 365
TARGET_SECONDS, TARGET_MB = 20, 1_000  # issue 3
LAST_DAY = datetime(2026, 11, 22, tzinfo=UTC)
NOW = LAST_DAY + timedelta(days=1)
WRONG = ("-3", "2.5", "many", "", "1e9", "12,5")


def stores(count: int) -> pd.DataFrame:
    """A chain whose stores plan by day."""
    ids = [f"S{number:05d}" for number in range(count)]
    return STORES.typed(pd.DataFrame({"store_id": ids, "region": "KR", "time_zone": "Asia/Seoul", "plans_by": "day"}))


def write_csv(path: Path, rows: int, seed: int = 7) -> None:
    """A file of visits with everything that senders do wrong."""
    rng = np.random.default_rng(seed)
    days = -(-rows // STORES_COUNT)
    dates = [(LAST_DAY - timedelta(days=days - 1 - number)).date().isoformat() for number in range(days)]
    counts = rng.poisson(180, rows).astype(str).astype(object)
    wrong = rng.choice(rows, rows // 100, replace=False)
    counts[wrong] = np.array(WRONG, dtype=object)[np.arange(len(wrong)) % len(WRONG)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("store_id;ts;visitors;open\n")
        for number in range(rows):
            day, store = divmod(number, STORES_COUNT)
            file.write(f"S{store:05d};{dates[day]};{counts[number]};1\n")


def measure(path: Path) -> None:
    """Read and check one file in this process; prints figures as JSON."""
    known = stores(STORES_COUNT)
    start = time.process_time()
    with path.open("rb") as file:
        table = read_table(file, path.name, VISITS_COLUMNS)
    read = time.process_time()
    checked = check_visits(table, known, NOW)
    done = time.process_time()
    peak = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1_000 * 1_024
    )
    report = checked.report
    figures = {
        "rows": report.rows_read,
        "mb": path.stat().st_size / 1e6,
        "read_s": read - start,
        "check_s": done - read,
        "peak_mb": peak,
        "kept": report.rows_kept,
        "set_aside": report.rows_set_aside,
    }
    sys.stdout.write(json.dumps(figures))


def sizes() -> list[dict[str, float]]:
    """Figures of each size, each in its own process."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in SIZES:
            path = Path(folder) / f"visits-{rows}.csv"
            write_csv(path, rows)
            done = subprocess.run(
                [sys.executable, __file__, "--measure", str(path)], check=True, capture_output=True, text=True
            )
            found.append(json.loads(done.stdout))
    return found


def year() -> dict[str, float]:
    """A year of daily drops in moto: reading before and after compaction, and what compaction takes."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "ap-northeast-2"}
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="warehouse", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
        warehouse = WarehouseStore(s3, "warehouse")
        ids = stores(DAILY_STORES)["store_id"].to_numpy(dtype=object)
        rng = np.random.default_rng(7)
        for number in range(YEAR_DAYS):
            day = LAST_DAY - timedelta(days=YEAR_DAYS - 1 - number)
            rows = pd.DataFrame({"store_id": ids, "ts": np.datetime64(day.date(), "us"), "open": True})
            rows["visitors"] = rng.poisson(180, DAILY_STORES).astype(float)
            at = day + timedelta(days=1)
            warehouse.add(VISITS, rows, Origin(at, drop_id(at, "", day.isoformat(), "1")))
        before, files_before = timed_read(warehouse), count_files(s3)
        start = time.process_time()
        warehouse.compact(VISITS)
        compacting = time.process_time() - start
        after, files_after = timed_read(warehouse), count_files(s3)
    return {
        "before_s": before,
        "files_before": files_before,
        "compact_s": compacting,
        "after_s": after,
        "files_after": files_after,
    }


def timed_read(warehouse: WarehouseStore) -> float:
    """CPU seconds to read all visits."""
    start = time.process_time()
    rows = len(warehouse.read(VISITS))
    if rows != YEAR_DAYS * DAILY_STORES:
        raise SystemExit(f"{rows} rows read")
    return time.process_time() - start


def count_files(s3: Any) -> int:
    """Files of visits in the warehouse."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="warehouse", Prefix="visits/")
    return sum(page["KeyCount"] for page in pages)


def document(measured: list[dict[str, float]], read: dict[str, float]) -> str:
    """The figures as a page."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    lines = [
        "# Speed of ingest",
        "",
        f"Written by `benchmarks/ingest_speed.py`; {machine}, one thread.",
        "",
        f"Target (issue 3): 1.8 million rows in at most {TARGET_SECONDS} s and {TARGET_MB:,} MB.",
        "",
        "| rows | file MB | read s | check s | CPU s | peak MB | kept | set aside |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in measured:
        total = one["read_s"] + one["check_s"]
        lines.append(
            f"| {one['rows']:,} | {one['mb']:.1f} | {one['read_s']:.2f} | {one['check_s']:.2f} | {total:.2f} "
            f"| {one['peak_mb']:.0f} | {one['kept']:,} | {one['set_aside']:,} |"
        )
    lines += [
        "",
        f"A year of daily drops of {DAILY_STORES} stores ({YEAR_DAYS * DAILY_STORES:,} rows):",
        "",
        "| | files | CPU s to read |",
        "| --- | ---: | ---: |",
        f"| before compaction | {read['files_before']} | {read['before_s']:.2f} |",
        f"| after compaction | {read['files_after']} | {read['after_s']:.2f} |",
        "",
        f"Compaction of the whole year took {read['compact_s']:.2f} s.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and write the page; with `--measure`, one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=Path, help="a CSV to read and check in this process")
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure)
        return
    page = document(sizes(), year())
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
