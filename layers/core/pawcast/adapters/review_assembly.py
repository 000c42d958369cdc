"""Puts together what operators ask for: the review console's API and the operations page's."""

from typing import TYPE_CHECKING

from pawcast.adapters.assembly import client
from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.inference_stream import InferenceStream
from pawcast.adapters.messages_out import EventTopic, UploadQueue
from pawcast.adapters.operations_assembly import checks_limit, operations_api
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.photo_store import VIEW_SECONDS, PhotoStore
from pawcast.adapters.policy_store import PolicyStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.reviews_table import ReviewsTable
from pawcast.observability import logger
from pawcast.screening.operations import OperationsApi
from pawcast.screening.post import Post
from pawcast.screening.reviews import Reviewer
from pawcast.screening.reviews_api import ReviewsApi, Week
from pawcast.settings import ServeReviewsSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ReviewPhotos:
    """Links to what an operator may look at."""

    def __init__(self, s3: "S3Client", *, uploads: str, published: str) -> None:
        """Buckets by name."""
        self._s3 = s3
        self._uploads = uploads
        self._renditions = PhotoStore(s3, uploads=uploads, published=published)

    def rendition_url(self, key: str) -> str:
        """A link to a rendition that works for an hour."""
        return self._renditions.rendition_url(key)

    def original_url(self, post: Post) -> str | None:
        """A link to the version that was uploaded, for a photo that could not be rendered; None before there is one.

        It comes as the type that its upload was bound to, so a browser never runs what it finds in it.
        """
        if post.upload is None:
            return None
        parameters = {
            "Bucket": self._uploads,
            "Key": post.upload.key,
            "VersionId": post.upload.version_id,
            "ResponseContentType": post.content_type,
        }
        return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=VIEW_SECONDS)


def reviews_api(settings: ServeReviewsSettings) -> ReviewsApi:
    """The review console's API."""
    dynamodb, s3 = client("dynamodb"), client("s3")
    posts = PostsTable(dynamodb, posts=settings.posts_table, tags=settings.tags_table, reviews=settings.reviews_table)
    counts = CountsTable(dynamodb, settings.counts_table)
    return ReviewsApi(
        reviewer=Reviewer(
            reviews=ReviewsTable(
                dynamodb,
                settings.reviews_table,
                posts=posts,
                banks=BankLog(dynamodb, settings.banks_table),
                actions=OperatorActionsTable(dynamodb, settings.operator_actions_table),
            ),
            posts=posts,
            events=EventTopic(client("sns"), settings.post_events_topic_arn),
            inferences=InferenceStream(client("firehose"), settings.inference_stream),
            uploads=UploadQueue(client("sqs"), settings.screening_queue_url),
            counts=counts,
            now=utc_now,
        ),
        users=posts,
        photos=ReviewPhotos(s3, uploads=settings.uploads_bucket, published=settings.published_bucket),
        week=Week(counts, checks_limit(PolicyStore(client("ssm"), settings.release_policy_parameter))),
        trouble=lambda error: logger.warning("a verdict was written but not told or counted", exc_info=error),
    )


def operators_apis(settings: ServeReviewsSettings) -> tuple[ReviewsApi, OperationsApi]:
    """For `functions/serve_reviews`."""
    return reviews_api(settings), operations_api(settings)
