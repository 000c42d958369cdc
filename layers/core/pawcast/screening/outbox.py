"""Tells the world what a move decided: the transactional outbox.

A decision and what it must tell are one write. Telling comes after it and may happen twice (a crash between telling
and removing the outbox), never zero times: notices have deterministic ids, inference records too.
"""

from collections.abc import Sequence

from pawcast.screening.ports import Events, Inferences, Posts
from pawcast.screening.post import Post


def announce(posts: Sequence[Post], store: Posts, events: Events, inferences: Inferences) -> frozenset[str]:
    """Publish and log what the outboxes of `posts` hold, then empty them; the post ids that remain to be told."""
    waiting = {post.post_id: post.outbox for post in posts if post.outbox is not None}
    records = [record for outbox in waiting.values() for record in outbox.inferences]
    if records:
        inferences.put(records)
    if not waiting:
        return frozenset()
    untold = events.publish_many([outbox.event for outbox in waiting.values()])
    store.clear_outboxes([post for post in posts if post.post_id in waiting and post.post_id not in untold])
    return untold
