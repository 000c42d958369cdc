"""`pawcast forecast`: what it writes, that it goes on where it stopped, and how it refuses."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.forecasting.backtest import backtest_week
from pawcast_ops import forecast_backtest
from pawcast_ops.forecast import app
from tests.support.visits import drawn_visits


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("visits") / "visits.parquet"
    file.write_bytes(parquet_bytes(drawn_visits(stores=5, weeks=16)))
    return file


def run(*arguments: object, columns: int = 80) -> tuple[int, str]:
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], env={"COLUMNS": str(columns)}, catch_exceptions=False
    )
    return result.exit_code, result.output


def models(folder: Path) -> list[str]:
    """Options for a champion and a candidate that is nearly the same."""
    file = folder / "candidate.json"
    file.write_text(json.dumps({"kind": "walk", "config": {"error_half_life": 30.0}}), "utf-8")
    return ["--arm", "walk", "--arm", f"candidate={file}"]


@pytest.fixture(scope="module")
def finished(visits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    status, output = run("backtest", visits, "--out", out, "--weeks", 4, *models(out))
    assert status == 0, output
    return out


def test_a_backtest_writes_its_tables_its_report_and_pictures(finished: Path) -> None:
    figures = pd.read_csv(finished / "figures.csv")

    assert set(figures["arm"]) == {"walk", "candidate", "seasonal_naive"}
    assert {"overall", "store", "weekday", "week"} <= set(figures["by"])
    pd.testing.assert_frame_equal(
        frame_of((finished / "figures.parquet").read_bytes()), figures, rtol=1e-4, check_dtype=False
    )
    assert len(frame_of((finished / "forecasts.parquet").read_bytes())) == 3 * 4 * 7 * 5
    report = (finished / "report.md").read_text("utf-8")
    for picture in ("chain", "wape-by-week", "wape-by-weekday", "quantiles", "stores"):
        assert f"({picture}.svg)" in report
        assert (finished / f"{picture}.svg").read_bytes().startswith(b"<?xml")


def test_stores_that_plan_by_hour_get_errors_by_hour(tmp_path: Path) -> None:
    file = tmp_path / "visits.parquet"
    file.write_bytes(parquet_bytes(drawn_visits(stores=2, weeks=14, hours=(10, 14, 18))))

    status, output = run("backtest", file, "--out", tmp_path, "--weeks", 2, "--arm", "seasonal_naive")

    figures = pd.read_csv(tmp_path / "figures.csv")
    assert status == 0, output
    assert figures.loc[figures["by"] == "hour", "key"].astype(int).tolist() == [10, 14, 18]
    assert "Error by weekday and hour" in (tmp_path / "wape-by-weekday.svg").read_text("utf-8")


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_the_terminal(visits: Path, finished: Path, columns: int) -> None:
    status, output = run("backtest", visits, "--out", finished, "--weeks", 4, *models(finished), columns=columns)

    table = [line for line in output.splitlines() if "report.md" not in line]
    assert status == 0
    assert max(map(len, table)) <= columns
    assert "seasonal naive" in output
    assert "…" not in output


def test_a_second_call_forecasts_only_what_is_missing(
    visits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counting(panel: Any, monday: Any, arms: Any) -> Any:
        made.append(str(monday))
        return backtest_week(panel, monday, arms)

    monkeypatch.setattr(forecast_backtest, "backtest_week", counting)
    arguments = ("backtest", visits, "--out", tmp_path, "--arm", "seasonal_naive", "--json")

    first, *_ = run(*arguments, "--weeks", 3)
    next(tmp_path.glob("origins/*/2026-06-15.json")).unlink()  # as if it had been interrupted there
    second, output = run(*arguments, "--weeks", 4)

    assert (first, second) == (0, 0)
    assert made == ["2026-06-01", "2026-06-08", "2026-06-15", "2026-05-25", "2026-06-15"]
    assert "2 of 4 forecasts are there already" in output


def test_other_visits_or_another_model_are_forecast_anew(visits: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_bytes(parquet_bytes(drawn_visits(stores=5, weeks=16, seed=1)))
    arms = {"a": {"kind": "seasonal_naive"}}
    more = {"a": {"kind": "moving_average", "weeks": 2}}

    plans = [
        forecast_backtest.prepare(path, tmp_path, chosen, 2)[0]
        for path, chosen in ((visits, arms), (other, arms), (visits, more), (visits, arms))
    ]

    keys = [plan.keys["a"] for plan in plans]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]


def test_several_processes_forecast_the_same(visits: Path, finished: Path, tmp_path: Path) -> None:
    status, _ = run("backtest", visits, "--out", tmp_path, "--weeks", 2, "--processes", 2, "--arm", "walk")

    alone = frame_of((finished / "forecasts.parquet").read_bytes())
    together = frame_of((tmp_path / "forecasts.parquet").read_bytes())
    both = together.merge(alone, on=["arm", "store_id", "ts"], suffixes=("", "_alone"))
    assert status == 0
    assert len(both) == len(together)
    assert both["yhat"].to_numpy() == pytest.approx(both["yhat_alone"].to_numpy())


def test_csv_and_a_folder_of_corrections_say_the_same_as_parquet(visits: Path, tmp_path: Path) -> None:
    frame = frame_of(visits.read_bytes())
    frame.to_csv(tmp_path / "visits.csv", index=False)
    folder = tmp_path / "warehouse" / "year=2026"
    folder.mkdir(parents=True)
    wrong = frame.iloc[:30].assign(visitors=1.0, open=True, received_at=pd.Timestamp("2026-01-01"))
    (folder / "a.parquet").write_bytes(parquet_bytes(wrong))
    (folder / "b.parquet").write_bytes(parquet_bytes(frame.assign(received_at=pd.Timestamp("2026-01-02"))))

    tables = [forecast_backtest.read_visits(path) for path in (visits, tmp_path / "visits.csv", tmp_path / "warehouse")]

    keys = ["store_id", "ts"]
    first, *others = (table.sort_values(keys, ignore_index=True)[[*keys, "visitors", "open"]] for table in tables)
    for other in others:
        pd.testing.assert_frame_equal(first, other, check_dtype=False)


def test_compare_says_which_figure_refused_and_ends_with_1(finished: Path) -> None:
    status, output = run("compare", finished, "--champion", "walk", "--candidate", "candidate")

    assert status == 1
    assert "✗ weeks: 4 weeks, at least 8" in output
    assert output.rstrip().endswith("candidate may not replace walk.")
    assert max(map(len, output.splitlines())) <= 80


def test_compare_answers_programs_in_json(finished: Path) -> None:
    status, output = run("compare", finished, "--candidate", "seasonal_naive", "--json")

    document = json.loads(output)
    assert status == 1
    assert not document["allowed"]
    assert {check["name"] for check in document["checks"]} == {"weeks", "accuracy", "coverage", "bias"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--weeks", "500"), "500 weeks asked for, the visits are enough for 6"),
        (("--arm", "a=missing.json"), "write name=model.json, or one of walk"),
        (("--arm", "walk", "--arm", "walk"), "two arms are called walk"),
    ],
)
def test_what_can_t_be_done_is_said_in_a_sentence(
    visits: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    status, output = run("backtest", visits, "--out", tmp_path, *arguments)

    assert status == 2
    assert said in output
    assert "Traceback" not in output


@pytest.mark.parametrize("name", ["missing.parquet", "broken.parquet", "empty", "broken.csv"])
def test_visits_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    elif not name.startswith("missing"):
        path.write_bytes(b"store_id,ts\n\xff\xfe")

    status, output = run("backtest", path, "--out", tmp_path / "out")

    assert status == 2
    assert name in output


def test_an_arm_that_is_no_model_is_refused_before_anything_runs(visits: Path, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"kind": "oracle"}', "utf-8")
    (tmp_path / "list.json").write_text("[]", "utf-8")

    for file in ("model.json", "list.json"):
        status, _ = run("backtest", visits, "--out", tmp_path / "out", "--arm", f"new={tmp_path / file}")
        assert status == 2
    assert not (tmp_path / "out").exists()


def test_an_arm_that_was_not_backtested_is_named_with_those_that_were(finished: Path) -> None:
    status, output = run("compare", finished, "--candidate", "other")

    assert status == 2
    assert "has no backtest of other; it has candidate, seasonal_naive, walk" in output
