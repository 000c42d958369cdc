"""Puts the screener together: apart from `assembly`, because it needs numpy, Pillow and ONNX Runtime.

Only `functions/screen_photos` has those in its layers.
"""

import time
from collections.abc import Callable

from pawcast.adapters.assembly import client
from pawcast.adapters.bank_assembly import bank_reader
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.inference_stream import InferenceStream
from pawcast.adapters.messages_out import EventTopic
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.photo_store import PhotoStore
from pawcast.adapters.policy_store import PolicyStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.mlops.policy import ReleasePolicy, SerialStrategy
from pawcast.mlops.registry import ModelRef
from pawcast.mlops.release import ReleaseWatcher
from pawcast.screening.classifier import FaceClassifier
from pawcast.screening.detector import FaceDetector
from pawcast.screening.examine import Models
from pawcast.screening.screen import Screener
from pawcast.settings import ScreenPhotosSettings


def screener(settings: ScreenPhotosSettings, on_release_error: Callable[[Exception], None]) -> Screener:
    """For `functions/screen_photos`."""
    store = ModelStore(client("s3"), settings.models_bucket)
    policies = PolicyStore(client("ssm"), settings.release_policy_parameter)
    watcher = ReleaseWatcher(
        policies.read, lambda policy: load_models(policy, store), time.monotonic, on_error=on_release_error
    )
    return Screener(
        posts=PostsTable(
            client("dynamodb"),
            posts=settings.posts_table,
            tags=settings.tags_table,
            reviews=settings.reviews_table,
        ),
        photos=PhotoStore(client("s3"), uploads=settings.uploads_bucket, published=settings.published_bucket),
        events=EventTopic(client("sns"), settings.post_events_topic_arn),
        inferences=InferenceStream(client("firehose"), settings.inference_stream),
        counts=CountsTable(client("dynamodb"), settings.counts_table),
        release=watcher.current,
        banks=bank_reader(settings).current,
        now=utc_now,
        monotonic=time.monotonic,
    )


def load_models(policy: ReleasePolicy, store: ModelStore) -> Models:
    """The models that a policy names, loaded and hash-checked."""
    primary = policy.primary.model
    classifier = FaceClassifier(store.fetch(primary), input_side=store.card(primary).input_side)
    second = policy.strategy.detector if isinstance(policy.strategy, SerialStrategy) else None
    finder = policy.faces.model if policy.faces is not None else None
    # One session where both are the same model: it takes memory twice otherwise.
    detectors = {ref: load_detector(ref, store) for ref in {second, finder} if ref is not None}
    return Models(
        classifier,
        detector=detectors[second] if second is not None else None,
        face_finder=detectors[finder] if finder is not None else None,
    )


def load_detector(ref: ModelRef, store: ModelStore) -> FaceDetector:
    """A detector, loaded and hash-checked."""
    return FaceDetector(store.fetch(ref), input_side=store.card(ref).input_side)
