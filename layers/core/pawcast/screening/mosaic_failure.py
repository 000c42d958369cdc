"""A mosaic that could not be made: its post goes back to where it was, and its owner hears why.

Apart from `mosaics`, because the clean-up needs it too and has no picture libraries in its layers.
"""

from datetime import datetime
from typing import Literal

from pawcast.screening.post import Post, PostState, move, outbox_of

FailureReason = Literal["mosaic_no_face", "mosaic_failed"]


def given_back(post: Post, reason: FailureReason, now: datetime) -> Post:
    """`post`, which waits for its mosaic, rejected as before; `reason` is told, the rejection's own reason stays.

    Raises:
        Conflict: the post waits for no mosaic.
    """
    back = move(post, PostState.REJECTED, mosaic=None)
    outbox = outbox_of(back, now, event="MosaicFailed")
    told = outbox.event.model_copy(update={"reason": reason})
    return back.model_copy(update={"outbox": outbox.model_copy(update={"event": told})})
