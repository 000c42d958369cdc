"""Puts the maker of mosaics together: apart from `assembly`, because it needs numpy, Pillow and ONNX Runtime."""

import time
from collections.abc import Callable

from pawcast.adapters.assembly import client
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.inference_stream import InferenceStream
from pawcast.adapters.messages_out import EventTopic
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.mosaic_store import MosaicStore
from pawcast.adapters.policy_store import PolicyStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.screener_assembly import load_detector
from pawcast.mlops.policy import ReleasePolicy
from pawcast.mlops.release import ReleaseWatcher
from pawcast.screening.mosaic import Detector
from pawcast.screening.mosaics import MosaicMaker
from pawcast.settings import MosaicPhotosSettings


def mosaic_maker(settings: MosaicPhotosSettings, on_release_error: Callable[[Exception], None]) -> MosaicMaker:
    """For `functions/mosaic_photos`."""
    store = ModelStore(client("s3"), settings.models_bucket)
    policies = PolicyStore(client("ssm"), settings.release_policy_parameter)
    watcher = ReleaseWatcher(
        policies.read, lambda policy: load_face_finder(policy, store), time.monotonic, on_error=on_release_error
    )
    return MosaicMaker(
        posts=PostsTable(
            client("dynamodb"),
            posts=settings.posts_table,
            tags=settings.tags_table,
            reviews=settings.reviews_table,
        ),
        photos=MosaicStore(client("s3"), uploads=settings.uploads_bucket, published=settings.published_bucket),
        events=EventTopic(client("sns"), settings.post_events_topic_arn),
        inferences=InferenceStream(client("firehose"), settings.inference_stream),
        counts=CountsTable(client("dynamodb"), settings.counts_table),
        release=watcher.current,
        now=utc_now,
    )


def load_face_finder(policy: ReleasePolicy, store: ModelStore) -> Detector | None:
    """The detector that finds faces to cover, loaded and hash-checked; None where the policy names none."""
    return load_detector(policy.faces.model, store) if policy.faces is not None else None
