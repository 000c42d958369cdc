"""Puts together what looks after the people in the loop: apologies, and the overview for operators."""

from collections.abc import Callable
from functools import partial

from pawcast.adapters.assembly import client
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.messages_out import EventTopic
from pawcast.adapters.policy_store import PolicyStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.queue_depth import QueueDepth
from pawcast.adapters.waiting_reviews import WaitingReviews
from pawcast.errors import InvalidPolicy, ReleaseUnavailable
from pawcast.mlops.month_cost import month_cost, prices_for
from pawcast.mlops.workload import Workload
from pawcast.screening.apologies import Apologiser
from pawcast.screening.operations import OperationsApi
from pawcast.settings import ApologiseSettings, ServeReviewsSettings


def apologiser(settings: ApologiseSettings) -> Apologiser:
    """For `functions/apologise`."""
    dynamodb = client("dynamodb")
    return Apologiser(
        reviews=WaitingReviews(dynamodb, settings.reviews_table),
        posts=PostsTable(
            dynamodb, posts=settings.posts_table, tags=settings.tags_table, reviews=settings.reviews_table
        ),
        events=EventTopic(client("sns"), settings.post_events_topic_arn),
        counts=CountsTable(dynamodb, settings.counts_table),
        now=utc_now,
    )


def operations_api(settings: ServeReviewsSettings) -> OperationsApi:
    """For `GET /operations` of `functions/serve_reviews`."""
    dynamodb = client("dynamodb")
    workload = Workload(architecture=settings.architecture, memory_mb=settings.screening_memory_mb)
    return OperationsApi(
        counts=CountsTable(dynamodb, settings.counts_table),
        reviews=WaitingReviews(dynamodb, settings.reviews_table),
        queue=QueueDepth(client("sqs"), settings.screening_queue_url),
        checks_limit=checks_limit(PolicyStore(client("ssm"), settings.release_policy_parameter)),
        month_cost=partial(
            month_cost,
            workload=workload,
            prices=prices_for(dynamodb.meta.region_name),
            krw_per_usd=settings.krw_per_usd,
        ),
        budget_krw=settings.monthly_budget_krw,
        now=utc_now,
    )


def checks_limit(policies: PolicyStore) -> Callable[[], int | None]:
    """Reads how many checks a week operators agreed to; None while no valid policy is there to say it."""

    def read() -> int | None:
        try:
            return policies.read().limits.operator_checks_per_week
        except (ReleaseUnavailable, InvalidPolicy):
            return None

    return read
