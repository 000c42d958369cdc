"""A week as its report gets it: seeded stores, a real evaluation of a made-up forecast, two arms."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pawcast.forecasting.evaluate import Evaluation, evaluate
from pawcast.forecasting.experiment import Comparison
from pawcast.forecasting.report import ReportInputs
from pawcast.forecasting.weekly.plan import StoreLine
from pawcast.forecasting.weekly.run import GateVerdict, Quarantined, Run, RunState, Sentences, Totals

MONDAY = pd.Timestamp("2026-11-30")  # 2026-W49
WEEK = "2026-W49"
KNOWN_DAYS = 56
SHAPE = np.array([0.8, 0.8, 0.85, 0.9, 1.1, 1.5, 1.4])
KOREAN = ("강남", "홍대", "서면", "동성로", "은행동", "충장로", "전포", "성수", "연남", "광안리")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u2028"


def report_inputs(stores: int = 12, *, by_hour: int = 0, hostile: bool = False, **changes: Any) -> ReportInputs:
    """The inputs of a week of so many stores, the last `by_hour` of them planned by hour; others as `changes`."""
    draw = np.random.default_rng(7)
    ids = [f"S{place:04d}" for place in range(stores)]
    names = {store: f"{KOREAN[place % len(KOREAN)]} {place // len(KOREAN) + 1}호점" for place, store in enumerate(ids)}
    if hostile and ids:
        names[ids[0]] = HOSTILE
    level = draw.uniform(150, 900, stores)
    recent, made = _recent(ids, level, draw)
    rows = pd.concat(
        [_planned(store, level[place], place >= stores - by_hour) for place, store in enumerate(ids)],
        ignore_index=True,
    )
    lines = [_line(store, names[store], place, rows, place >= stores - by_hour) for place, store in enumerate(ids)]
    quarantined = [
        Quarantined(
            store_id=store,
            reason="not_finite",
            text=Sentences(ko="모델이 수가 아닌 값을 냈습니다.", en="The model gave no number."),
        )
        for store in ids[3:4]
    ]
    inputs = ReportInputs(
        run=week_run(lines, rows, quarantined),
        lines=lines,
        rows=rows,
        recent=recent.merge(made[["store_id", "ts", "yhat", "q10", "q90"]], how="left", on=["store_id", "ts"]),
        evaluation=_evaluation(recent, made) if stores else None,
        comparisons=(_comparison(stores),),
        edit_scores=pd.DataFrame(
            {
                "by": ["planner-1", ""],
                "edits": [4, 4],
                "helped": [3, 3],
                "hurt": [1, 1],
                "under_avoided": [2.5, 2.5],
                "over_avoided": [-0.5, -0.5],
            }
        ),
        staff_totals={
            "staff_days": 7.0 * stores,
            "needed_staff_days": 6.6 * stores,
            "under": 0.2 * stores,
            "over": 0.6 * stores,
            "understaffed_share": 0.034,
            "last_week_staff_days": 7.4 * stores,
            "last_week_under": 0.4 * stores,
            "last_week_over": 1.2 * stores,
        },
        quarantined=quarantined,
        names=names,
        generated_at=datetime(2026, 11, 24, 6, 20, tzinfo=ZoneInfo("Asia/Seoul")),
    )
    return replace(inputs, **changes)


def week_run(lines: Sequence[StoreLine], rows: pd.DataFrame, quarantined: Sequence[Quarantined], **changes: Any) -> Run:
    """A run whose checks all passed."""
    return Run(
        week=WEEK,
        attempt=1,
        state=RunState.RUNNING,
        revision=4,
        execution=f"{WEEK}-tuesday",
        started_at=datetime(2026, 11, 23, 21, 0, tzinfo=UTC),
        started_by="schedule",
        data_version="2026-11-24T05:58:03Z",
        release_version=3,
        models=("champion=ridge-ko/3", "candidate=ridge-ko/4"),
        shards=max(1, -(-len(lines) // 100)),
        quarantined=len(quarantined),
        plan_version=1,
        gate=(check("rules_kept", passed=True, blocking=True), check("coverage", passed=True, blocking=False)),
        totals=Totals(
            stores=len(lines),
            visitors=float(rows["yhat"].sum()) if len(rows) else 0.0,
            staff_days=sum(line.staff_days for line in lines),
            last_week_staff_days=sum(line.last_week_staff_days for line in lines),
        ),
    ).model_copy(update=changes)


def check(name: str, *, passed: bool, blocking: bool) -> GateVerdict:
    """One check of the gate."""
    text = Sentences(ko=f"{name} 점검 문장입니다.", en=f"The sentence of {name}.")
    return GateVerdict(name=name, passed=passed, blocking=blocking, value=0.5, limit=1.0, text=text)


def _recent(ids: Sequence[str], level: Any, draw: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    days = pd.date_range(MONDAY - pd.Timedelta(days=7 + KNOWN_DAYS), periods=KNOWN_DAYS, freq="D")
    expected = np.outer(level, SHAPE[days.day_of_week])
    came = np.round(expected * draw.lognormal(0, 0.12, expected.shape))
    recent = pd.DataFrame(
        {"store_id": np.repeat(list(ids), len(days)), "ts": np.tile(days, len(ids)), "visitors": came.ravel()}
    )
    recent.loc[recent["ts"].dt.day == 25, "visitors"] = np.nan
    made = recent.assign(yhat=expected.ravel(), q10=0.86 * expected.ravel(), q90=1.15 * expected.ravel())
    made = made[made["ts"] >= days[-7]].assign(
        q50=lambda rows: rows["yhat"], q80=lambda rows: 1.09 * rows["yhat"], open=True
    )
    arms = dict(zip(ids, np.where(np.arange(len(ids)) % 2, "candidate", "champion"), strict=True))
    return recent, made.assign(arm=made["store_id"].map(arms), method="model")


def _planned(store_id: str, level: float, by_hour: bool) -> pd.DataFrame:
    days = pd.date_range(MONDAY, periods=7, freq="D")
    rows = pd.DataFrame({"store_id": store_id, "ts": days, "open": True, "yhat": level * SHAPE})
    if by_hour:
        hours = pd.DataFrame({"hour": range(24)})
        rows = rows.merge(hours, how="cross")
        rows["ts"] += pd.to_timedelta(rows["hour"], unit="h")
        rows["open"] = rows["hour"].between(9, 20)
        rows["yhat"] = rows["yhat"] / 12
        rows = rows.drop(columns="hour")
    else:
        rows.loc[rows["ts"].dt.day_of_week == (int(store_id[1:]) % 40), "open"] = False
    share = {"q10": 0.86, "q50": 1.0, "q80": 1.09, "q90": 1.15}
    rows = rows.assign(**{name: rows["yhat"] * by for name, by in share.items()})
    needed = np.maximum(3, np.ceil(rows["q80"] / (60 if not by_hour else 8)))
    return rows.assign(
        staff=needed.where(rows["open"]),
        needed=needed.where(rows["open"]),
        risk=0.18,
        arm="candidate" if int(store_id[1:]) % 2 else "champion",
        method="model",
    )


def _line(store_id: str, name: str, place: int, rows: pd.DataFrame, by_hour: bool) -> StoreLine:
    plans_by: Literal["day", "hour"] = "hour" if by_hour else "day"
    staff = float(rows.loc[rows["store_id"] == store_id, "staff"].sum()) / (8 if by_hour else 1)
    moved = Sentences(ko="근무 인일이 지난주 방식보다 +38% 바뀌었습니다.", en="Staff-days change by +38%.")
    rules = Sentences(ko="근무조로 덮을 수 없는 시간이 있습니다.", en="No allowed shift covers some hours.")
    return StoreLine(
        store_id=store_id,
        name=name,
        shard=place // 100,
        plans_by=plans_by,
        staff_days=staff,
        last_week_staff_days=staff * (0.72 if place % 17 == 5 else 1.04),
        risk=0.18,
        method="model",
        arm="candidate" if place % 2 else "champion",
        look=moved if place % 17 == 5 else None,
        infeasible=rules if place == 8 else None,
    )


def _evaluation(recent: pd.DataFrame, made: pd.DataFrame) -> Evaluation:
    first = made["ts"].min()
    actual = recent[recent["ts"] >= first].assign(open=lambda rows: rows["visitors"].notna())
    before = recent[(recent["ts"] >= first - pd.Timedelta(days=14)) & (recent["ts"] < first - pd.Timedelta(days=7))]
    naive = before.assign(ts=before["ts"] + pd.Timedelta(days=14)).rename(columns={"visitors": "yhat"})
    return evaluate(made.drop(columns="visitors"), actual, naive)


def _comparison(stores: int) -> Comparison:
    return Comparison(
        design="shadow",
        arm_a="champion",
        arm_b="candidate",
        weeks=6,
        stores_a=stores,
        stores_b=stores,
        wape_a=0.102,
        wape_b=0.094,
        difference=-0.008,
        low=-0.014,
        high=-0.002,
        matters=0.002,
        verdict="b_is_better",
        ko="멈추세요. candidate 쪽이 더 정확합니다.",
        en="Stop, candidate is better.",
    )
