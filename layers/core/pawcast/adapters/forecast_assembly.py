"""Puts together the functions of a week that compute: they need the forecasting layer."""

from typing import Any
from zoneinfo import ZoneInfo

from pawcast.adapters.assembly import client
from pawcast.adapters.clock import utc_now
from pawcast.adapters.forecast_releases import ForecastReleases
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.run_files import RunFiles
from pawcast.adapters.run_frames import RunFrames
from pawcast.adapters.warehouse_store import WarehouseStore
from pawcast.adapters.weeks_table import WeeksTable
from pawcast.forecasting.weekly.evaluating import Evaluator
from pawcast.forecasting.weekly.opening import Opener
from pawcast.forecasting.weekly.planning import ShardPlanner
from pawcast.forecasting.weekly.reporting import Reporter
from pawcast.forecasting.weekly.shards import ShardForecaster
from pawcast.observability import logger
from pawcast.settings import (
    EvaluateWeekSettings,
    ForecastShardSettings,
    OpenWeekSettings,
    PlanShardSettings,
    ReportWeekSettings,
)


def _log(message: str, error: BaseException, **facts: Any) -> None:
    logger.warning(message, extra=facts, exc_info=error)


def opener(settings: OpenWeekSettings) -> Opener:
    """For `functions/open_week`."""
    s3 = client("s3")
    files = RunFiles(s3, settings.plans_bucket)
    return Opener(
        weeks=WeeksTable(client("dynamodb"), settings.weeks_table),
        files=files,
        frames=RunFrames(files),
        warehouse=WarehouseStore(s3, settings.warehouse_bucket),
        releases=ForecastReleases(
            client("ssm"), settings.forecast_release_parameter, ModelStore(s3, settings.models_bucket)
        ),
        zone=ZoneInfo(settings.planning_time_zone),
        now=utc_now,
        minimum_share=settings.minimum_fresh_percent / 100,
    )


def shard_forecaster(settings: ForecastShardSettings) -> ShardForecaster:
    """For `functions/forecast_shard`."""
    files = RunFiles(client("s3"), settings.plans_bucket)
    return ShardForecaster(files=files, frames=RunFrames(files), log=_log)


def shard_planner(settings: PlanShardSettings) -> ShardPlanner:
    """For `functions/plan_shard`."""
    files = RunFiles(client("s3"), settings.plans_bucket)
    return ShardPlanner(files=files, frames=RunFrames(files), log=_log)


def evaluator(settings: EvaluateWeekSettings) -> Evaluator:
    """For `functions/evaluate_week`."""
    files = RunFiles(client("s3"), settings.plans_bucket)
    weeks = WeeksTable(client("dynamodb"), settings.weeks_table)
    return Evaluator(weeks=weeks, files=files, frames=RunFrames(files), now=utc_now)


def reporter(settings: ReportWeekSettings) -> Reporter:
    """For `functions/report_week`."""
    files = RunFiles(client("s3"), settings.plans_bucket)
    return Reporter(
        weeks=WeeksTable(client("dynamodb"), settings.weeks_table),
        files=files,
        frames=RunFrames(files),
        zone=ZoneInfo(settings.planning_time_zone),
        now=utc_now,
    )
