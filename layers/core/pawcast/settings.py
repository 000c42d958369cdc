"""What each function reads from its environment, once, at cold start.

One frozen model for each function; a field is the lower-case name of an environment variable that `template.yaml`
sets. No resource name has a default: a function that was deployed without one must fail at once and say which.
`tests/infrastructure` compares these models with the template.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pawcast.errors import InvalidSettings


class Settings(BaseModel):
    """Base: reads fields from environment variables of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Build the settings from `environment`; raises InvalidSettings naming every variable that is wrong."""
        values = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = ", ".join(f"{str(e['loc'][0]).upper()} ({e['msg']})" for e in error.errors())
            message = f"{cls.__name__}: {wrong}. Set them in template.yaml under this function's Environment."
            raise InvalidSettings(message) from error


class ServePostsSettings(Settings):
    """`functions/serve_posts`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    notices_table: str
    users_table: str
    banks_table: str
    operator_actions_table: str
    claims_table: str
    rates_table: str
    counts_table: str
    uploads_bucket: str
    published_bucket: str
    screening_queue_url: str
    mosaic_queue_url: str
    post_events_topic_arn: str
    inference_stream: str
    posts_an_hour: int


class ScreenPhotosSettings(Settings):
    """`functions/screen_photos`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    uploads_bucket: str
    published_bucket: str
    models_bucket: str
    banks_table: str
    banks_bucket: str
    counts_table: str
    post_events_topic_arn: str
    inference_stream: str
    release_policy_parameter: str


class RescueFailedPhotosSettings(Settings):
    """`functions/rescue_failed_photos`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    counts_table: str
    post_events_topic_arn: str
    inference_stream: str


class SendNoticesSettings(Settings):
    """`functions/send_notices`."""

    notices_table: str
    users_table: str
    sender_mail: str
    public_base_url: str


class ExpireUploadsSettings(Settings):
    """`functions/expire_uploads`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    uploads_bucket: str
    published_bucket: str
    screening_queue_url: str


class ServeReviewsSettings(Settings):
    """`functions/serve_reviews`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    banks_table: str
    operator_actions_table: str
    counts_table: str
    uploads_bucket: str
    published_bucket: str
    post_events_topic_arn: str
    inference_stream: str
    screening_queue_url: str
    release_policy_parameter: str
    monthly_budget_krw: float
    krw_per_usd: float
    screening_memory_mb: int
    architecture: Literal["arm64", "x86_64"]


class CompactBanksSettings(Settings):
    """`functions/compact_banks`."""

    banks_table: str
    banks_bucket: str


class MosaicPhotosSettings(Settings):
    """`functions/mosaic_photos`."""

    posts_table: str
    tags_table: str
    reviews_table: str
    counts_table: str
    uploads_bucket: str
    published_bucket: str
    models_bucket: str
    post_events_topic_arn: str
    inference_stream: str
    release_policy_parameter: str


class ApologiseSettings(Settings):
    """`functions/apologise`."""

    reviews_table: str
    posts_table: str
    tags_table: str
    counts_table: str
    post_events_topic_arn: str


# ---------------------------------------------------------------- forecasting: a week's run


class OpenWeekSettings(Settings):
    """`functions/open_week`."""

    weeks_table: str
    plans_bucket: str
    warehouse_bucket: str
    models_bucket: str
    forecast_release_parameter: str
    planning_time_zone: str
    minimum_fresh_percent: float


class ForecastShardSettings(Settings):
    """`functions/forecast_shard`."""

    plans_bucket: str


class PlanShardSettings(Settings):
    """`functions/plan_shard`."""

    plans_bucket: str


class EvaluateWeekSettings(Settings):
    """`functions/evaluate_week`."""

    weeks_table: str
    plans_bucket: str


class ReportWeekSettings(Settings):
    """`functions/report_week`."""

    weeks_table: str
    plans_bucket: str
    planning_time_zone: str


class AskApprovalSettings(Settings):
    """`functions/ask_approval`."""

    weeks_table: str
    forecast_events_topic_arn: str
    planning_time_zone: str
    public_base_url: str


class TellStoresSettings(Settings):
    """`functions/tell_stores`."""

    weeks_table: str
    plans_bucket: str
    warehouse_bucket: str
    sender_mail: str


class CloseWeekSettings(Settings):
    """`functions/close_week`."""

    weeks_table: str
    forecast_events_topic_arn: str
    planning_time_zone: str
    public_base_url: str


class WatchDeadlineSettings(Settings):
    """`functions/watch_deadline`."""

    weeks_table: str
    forecast_events_topic_arn: str
    planning_time_zone: str
    public_base_url: str


class ServeWeeksSettings(Settings):
    """`functions/serve_weeks`."""

    weeks_table: str
    plans_bucket: str
    state_machine_arn: str
    planning_time_zone: str


# ---------------------------------------------------------------- forecasting: data


class IngestDropsSettings(Settings):
    """`functions/ingest_drops`."""

    drops_bucket: str
    warehouse_bucket: str
    forecast_events_topic_arn: str


class CompactWarehouseSettings(Settings):
    """`functions/compact_warehouse`."""

    warehouse_bucket: str
