"""Puts adapters and core together, one function for each Lambda. Nothing else knows how they fit.

Clients are made once for each cold start. Time-outs are short and retries few: a waiting Lambda is paid for, and the
queue brings every message back anyway.
"""

import uuid
from typing import Any

import boto3
from botocore.config import Config

from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.inference_stream import InferenceStream
from pawcast.adapters.messages_out import EventTopic, MosaicRequests, SesMailer, UploadQueue
from pawcast.adapters.notices_table import NoticesTable, UsersTable
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.photo_store import PhotoStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.rates_table import RatesTable
from pawcast.adapters.remedies_table import RemediesTable
from pawcast.observability import logger
from pawcast.screening.expire import Expirer
from pawcast.screening.notices import Notifier
from pawcast.screening.post_views import Views
from pawcast.screening.posts_api import PostsApi
from pawcast.screening.rates import Rates
from pawcast.screening.remedies_api import RemediesApi
from pawcast.screening.rescue import Rescuer
from pawcast.settings import (
    ExpireUploadsSettings,
    RescueFailedPhotosSettings,
    SendNoticesSettings,
    ServePostsSettings,
)

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=20,
    # Regional addresses: the global one answers with a redirect, which a browser's POST does not follow.
    s3={"addressing_style": "virtual"},
)


def client(service: str) -> Any:
    """A client of an AWS service, with our time-outs. Where it is comes from the environment."""
    return boto3.client(service, config=CONFIG)  # type: ignore[call-overload]


def posts_apis(settings: ServePostsSettings) -> tuple[PostsApi, RemediesApi]:
    """For `functions/serve_posts`."""
    dynamodb, sqs = client("dynamodb"), client("sqs")
    posts = PostsTable(dynamodb, posts=settings.posts_table, tags=settings.tags_table, reviews=settings.reviews_table)
    photos = PhotoStore(client("s3"), uploads=settings.uploads_bucket, published=settings.published_bucket)
    rates = Rates(RatesTable(dynamodb, settings.rates_table), settings.posts_an_hour)
    api = PostsApi(
        posts=posts,
        inboxes=NoticesTable(dynamodb, settings.notices_table),
        users=UsersTable(dynamodb, settings.users_table),
        photos=photos,
        views=Views(photos),
        rates=rates,
        now=utc_now,
        new_id=lambda: uuid.uuid4().hex,
    )
    remedies = RemediesApi(
        posts=posts,
        remedies=RemediesTable(
            dynamodb,
            posts=posts,
            reviews=settings.reviews_table,
            claims=settings.claims_table,
            banks=BankLog(dynamodb, settings.banks_table),
            actions=OperatorActionsTable(dynamodb, settings.operator_actions_table),
        ),
        events=EventTopic(client("sns"), settings.post_events_topic_arn),
        inferences=InferenceStream(client("firehose"), settings.inference_stream),
        mosaics=MosaicRequests(sqs, settings.mosaic_queue_url),
        uploads=UploadQueue(sqs, settings.screening_queue_url),
        photos=photos,
        rates=rates,
        counts=CountsTable(dynamodb, settings.counts_table),
        views=api.views,
        now=utc_now,
        trouble=lambda error: logger.warning("a deed was written but not finished", exc_info=error),
    )
    return api, remedies


def rescuer(settings: RescueFailedPhotosSettings) -> Rescuer:
    """For `functions/rescue_failed_photos`."""
    return Rescuer(
        posts=PostsTable(
            client("dynamodb"),
            posts=settings.posts_table,
            tags=settings.tags_table,
            reviews=settings.reviews_table,
        ),
        events=EventTopic(client("sns"), settings.post_events_topic_arn),
        inferences=InferenceStream(client("firehose"), settings.inference_stream),
        counts=CountsTable(client("dynamodb"), settings.counts_table),
        now=utc_now,
    )


def notifier(settings: SendNoticesSettings) -> Notifier:
    """For `functions/send_notices`."""
    dynamodb = client("dynamodb")
    return Notifier(
        notices=NoticesTable(dynamodb, settings.notices_table),
        users=UsersTable(dynamodb, settings.users_table),
        mailer=SesMailer(client("sesv2"), settings.sender_mail),
        base_url=settings.public_base_url,
        now=utc_now,
    )


def expirer(settings: ExpireUploadsSettings) -> Expirer:
    """For `functions/expire_uploads`."""
    return Expirer(
        posts=PostsTable(
            client("dynamodb"),
            posts=settings.posts_table,
            tags=settings.tags_table,
            reviews=settings.reviews_table,
        ),
        photos=PhotoStore(client("s3"), uploads=settings.uploads_bucket, published=settings.published_bucket),
        queue=UploadQueue(client("sqs"), settings.screening_queue_url),
        now=utc_now,
    )
