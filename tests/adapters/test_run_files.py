"""A run's files in S3, as documents, texts and frames."""

import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from mypy_boto3_s3 import S3Client

from pawcast.adapters.run_files import RunFiles
from pawcast.adapters.run_frames import RunFrames, frame_of, parquet_bytes
from pawcast.errors import DependencyUnavailable, NotFound
from tests.support.aws import REGION


@pytest.fixture
def files(s3: S3Client) -> RunFiles:
    for bucket in ("plans", "warehouse"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return RunFiles(s3, "plans")


# ------------------------------------------------------------ documents


def test_a_document_comes_back_and_is_readable_for_people(files: RunFiles, s3: S3Client) -> None:
    files.put_json("a/b.json", {"name": "강남", "rows": [1, 2.5, None]})

    stored = s3.get_object(Bucket="plans", Key="a/b.json")
    assert {"name": "강남", "rows": [1, 2.5, None]} == files.get_json("a/b.json")
    assert ("application/json", '{"name":"강남","rows":[1,2.5,null]}') == (
        stored["ContentType"],
        stored["Body"].read().decode(),
    )


def test_a_document_is_replaced(files: RunFiles) -> None:
    files.put_json("a.json", 1)
    files.put_json("a.json", 2)

    assert 2 == files.get_json("a.json")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_json_is_not_stored(files: RunFiles, number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.put_json("a.json", {"value": number})
    with pytest.raises(NotFound):
        files.get_json("a.json")


def test_a_document_that_is_not_there_is_named(files: RunFiles) -> None:
    with pytest.raises(NotFound, match=r"runs/x\.json in plans"):
        files.get_json("runs/x.json")


def test_texts_keep_their_type(files: RunFiles, s3: S3Client) -> None:
    files.put_text("index.html", "<p>한글", "text/html; charset=utf-8")

    stored = s3.get_object(Bucket="plans", Key="index.html")
    assert ("text/html; charset=utf-8", "<p>한글") == (stored["ContentType"], stored["Body"].read().decode())


def test_an_object_is_copied_to_another_bucket(files: RunFiles, s3: S3Client) -> None:
    files.put_json("runs/a.json", {"a": 1})

    files.copy("runs/a.json", "warehouse", "plans/week=2026-W49/a.json")

    copied = s3.get_object(Bucket="warehouse", Key="plans/week=2026-W49/a.json")
    assert {"a": 1} == json.loads(copied["Body"].read())


def test_a_link_names_the_object_and_ends(files: RunFiles) -> None:
    link = urlsplit(files.link("runs/2026-W49/1/report/index.html", 900))

    query = parse_qs(link.query)
    assert ("https", True) == (link.scheme, link.path.endswith("/runs/2026-W49/1/report/index.html"))
    assert any(name.lower().endswith("signature") for name in query)
    assert any(name.lower().endswith("expires") for name in query)


@pytest.mark.parametrize(("code", "raised"), [("SlowDown", DependencyUnavailable), ("AccessDenied", ClientError)])
def test_trouble_that_passes_is_told_from_trouble_that_does_not(code: str, raised: type[Exception]) -> None:
    s3 = boto3.Session().client("s3")
    files = RunFiles(s3, "plans")
    operations: dict[str, Callable[[], object]] = {
        "put_object": lambda: files.put_json("a", 1),
        "get_object": lambda: files.get_json("a"),
        "copy_object": lambda: files.copy("a", "warehouse", "b"),
    }
    for call, operation in operations.items():
        with Stubber(s3) as stub:
            stub.add_client_error(call, code, http_status_code=503 if code == "SlowDown" else 403)

            with pytest.raises(raised):
                operation()


# ------------------------------------------------------------ frames


def a_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "store_id": ["S1", "강남"],
            "ts": pd.to_datetime(["2026-11-30 09:00", "2026-12-01 00:00"]).astype("datetime64[us]"),
            "visitors": [np.nan, 3.5],
            "open": [True, False],
            "staff": np.array([3, 4], dtype=np.int64),
        }
    )


def test_a_frame_comes_back_with_its_types(files: RunFiles) -> None:
    frames = RunFrames(files)

    frames.put_frame("a.parquet", a_frame())

    back = frames.get_frame("a.parquet")
    assert ["S1", "강남"] == back["store_id"].tolist()
    assert a_frame()["ts"].tolist() == back["ts"].tolist()
    assert ("float64", "bool", "int64") == tuple(str(back[name].dtype) for name in ("visitors", "open", "staff"))
    assert back["visitors"].isna().tolist() == [True, False]


def test_a_frame_that_is_not_there_is_named(files: RunFiles) -> None:
    with pytest.raises(NotFound, match=r"b\.parquet"):
        RunFrames(files).get_frame("b.parquet")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_come_back_as_the_same_moment(unit: str) -> None:
    frame = pd.DataFrame({"ts": pd.to_datetime(["2026-11-30 09:00"]).astype(f"datetime64[{unit}]")})

    back = frame_of(parquet_bytes(frame))

    assert [datetime(2026, 11, 30, 9)] == [ts.to_pydatetime() for ts in back["ts"]]  # noqa: DTZ001 - a wall clock


def test_an_empty_frame_keeps_its_columns() -> None:
    back = frame_of(parquet_bytes(a_frame().iloc[:0]))

    assert ([*a_frame()], 0) == ([*back], len(back))


def test_a_frame_from_some_rows_of_another_loses_its_index() -> None:
    back = frame_of(parquet_bytes(a_frame().iloc[1:]))

    assert ([0], ["강남"]) == (back.index.tolist(), back["store_id"].tolist())


def test_text_columns_of_any_kind_come_back_as_text() -> None:
    frame = pd.DataFrame({"object": pd.Series(["a"], dtype=object), "text": pd.Series(["b"], dtype="str")})

    back = frame_of(parquet_bytes(frame))

    assert [["a", "b"]] == back.to_numpy().tolist()
