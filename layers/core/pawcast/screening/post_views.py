"""A post as the API shows it: what everybody may see of a published one, and what only its owner may."""

from dataclasses import dataclass
from typing import Any, Protocol

from pawcast.callers import Caller
from pawcast.screening.messages import REASONS
from pawcast.screening.post import Post, PostState
from pawcast.screening.remedies import remedies_of

EVERYBODY = {"post_id", "title", "description", "tags", "state", "created_at", "published_at"}
OWNER = EVERYBODY | {"decided_at", "decision", "content_type", "upload_expires_at", "appeal"}

type Json = dict[str, Any]


class Renditions(Protocol):
    """Links to renditions."""

    def rendition_url(self, key: str) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Views:
    """Shows posts; links are signed for an hour."""

    renditions: Renditions

    def of(self, post: Post, caller: Caller) -> Json:
        """What this caller may see of a post; whether they may see it at all is asked before."""
        own = post.user_id == caller.user_id
        view = post.model_dump(mode="json", include=OWNER if own else EVERYBODY)
        view["is_own"] = own
        # Owners see their photo in every state; to others a photo that is not published does not exist.
        view["photo_url"] = self._url(post.rendition_key) if own or post.state is PostState.PUBLISHED else None
        if own:
            view["reason"] = {"code": post.reason, "text": REASONS[post.reason]} if post.reason else None
            view["uploaded_at"] = post.upload.uploaded_at.isoformat() if post.upload else None
            view["remedies"] = list(remedies_of(post))
            view["mosaic"] = self._mosaic(post)
        return view

    def _mosaic(self, post: Post) -> Json | None:
        if post.state is not PostState.MOSAIC:
            return None
        mosaic = post.mosaic
        return {
            "state": "making" if mosaic is None else "ready",
            "before_url": self._url(post.rendition_key),
            "after_url": self._url(mosaic.preview_key) if mosaic else None,
            "faces": mosaic.faces if mosaic else None,
        }

    def _url(self, key: str | None) -> str | None:
        return self.renditions.rendition_url(key) if key else None
