"""`pawcast demo people`: what operators and uploaders do about photos that the model holds.

    wrongly held    a poster is held; an operator overturns; it is published, and its author is told
    never again     somebody posts the same poster, smaller: published at once, no model is asked
    rightly held    a portrait is held; an operator upholds; its author has the face covered, looks, and publishes that
    banned          somebody posts the same portrait, compressed harder: rejected at once, no model is asked; the appeal
                    goes to another operator
    second thoughts a visitor reports a published photo; its author withdraws it, and every copy is gone

Told twice, the banks know the photos already, and each part says so.
"""

import io
from dataclasses import dataclass
from typing import Any, Final, Literal

from PIL import Image

from pawcast_ops.api_types import NewPost, Post
from pawcast_ops.client import Missing, PawcastClient
from pawcast_ops.demo import scenes
from pawcast_ops.demo.steps import Steps, StoryFailed

DECIDED: Final = frozenset({"published", "in_review", "rejected"})
TAKE: Final = 5

type Json = dict[str, Any]


@dataclass
class PeopleStory:
    """Tells it, with two uploaders and two operators."""

    author: PawcastClient
    visitor: PawcastClient
    operators: tuple[PawcastClient, PawcastClient]
    steps: Steps

    def tell(self) -> Json:
        """The whole story; the queue's summary at its end."""
        self._wrongly_held()
        self._rightly_held()
        self._second_thoughts()
        return self.operators[0].get_json("/reviews/summary")

    def _wrongly_held(self) -> None:
        poster = scenes.poster_on_wall()
        with self.steps.step("a poster with a printed face is posted"):
            post = self._post(self.author, "The cat's favourite poster", jpeg(poster))
            self.steps.note(_told(post))
        if post.state == "in_review":
            with self.steps.step("an operator looks, and overturns"):
                self._decide(post, "overturn", "fine", self.operators[0])
                post = self._reaches(self.author, post, "published")
                self.steps.note(self._last_notice(self.author, post))
        with self.steps.step("a friend posts the same poster, half as large"):
            copy = self._post(self.visitor, "Look what I found", jpeg(poster.resize((600, 450))))
            self.steps.note(f"{copy.state} without asking a model: {_unasked(copy)}")

    def _rightly_held(self) -> None:
        portrait = scenes.person_beside_cat()
        with self.steps.step("a person beside a cat is posted"):
            post = self._post(self.author, "우리 둘", jpeg(portrait))
            self.steps.note(_told(post))
        if post.state == "in_review":
            with self.steps.step("an operator looks, and upholds"):
                self._decide(post, "uphold", "human_face", self.operators[0])
                post = self._reaches(self.author, post, "rejected")
                self.steps.note(self._last_notice(self.author, post))
        with self.steps.step("the author has the face covered, looks at it, and publishes that"):
            self.author.post_json(f"/posts/{post.post_id}/mosaic", {})
            shown = self.steps.until(lambda: self._mosaic(post))
            self.author.post_json(f"/posts/{post.post_id}/mosaic/accept", {})
            post = self.steps.until(lambda: self._in(self.author, post, DECIDED))
            self.steps.note(f"{shown['faces']} face covered, screened again: {post.state}")
        if post.state == "in_review":
            with self.steps.step("an operator finds nothing that shows a face"):
                self._decide(post, "overturn", "fine", self.operators[0])
                self._reaches(self.author, post, "published")
        with self.steps.step("a friend posts the uncovered photo again, compressed harder"):
            copy = self._post(self.visitor, "My friend", jpeg(portrait, quality=40))
            self.steps.note(f"{copy.state} without asking a model: {_unasked(copy)}")
        with self.steps.step("the friend appeals; the other operator looks, and upholds"):
            self.visitor.post_json(f"/posts/{copy.post_id}/appeal", {"text": "She is happy to be seen."})
            self._decide(copy, "uphold", "human_face", self.operators[1])
            copy = self._reaches(self.visitor, copy, "rejected")
            self.steps.note(self._last_notice(self.visitor, copy))

    def _second_thoughts(self) -> None:
        with self.steps.step("a visitor reports a cat; an operator sees nothing wrong with it"):
            post = self._post(self.author, "Six cats", jpeg(scenes.six_cats()))
            self._reaches(self.author, post, "published")
            self.visitor.post_json(f"/posts/{post.post_id}/claims", {"reason": "other", "text": "Too many cats."})
            self._decide(post, "overturn", "fine", self.operators[0])
        with self.steps.step("its author withdraws it"):
            self.author.post_json(f"/posts/{post.post_id}/withdraw", {})
            try:
                self.visitor.post(post.post_id)
            except Missing:
                self.steps.note("gone for everybody, and every copy of the photo with it")
            else:
                raise StoryFailed("a withdrawn post can still be seen")

    # ------------------------------------------------------------ what the steps are made of

    def _post(self, person: PawcastClient, title: str, data: bytes) -> Post:
        ticket = person.submit(NewPost(title=title, content_type="image/jpeg", size_bytes=len(data), tags=("cat",)))
        person.upload(ticket, data)
        return self.steps.until(lambda: self._in(person, ticket.post, DECIDED))

    def _in(self, person: PawcastClient, post: Post, states: frozenset[str]) -> Post | None:
        seen = person.post(post.post_id)
        return seen if seen.state in states else None

    def _reaches(self, person: PawcastClient, post: Post, state: Literal["published", "rejected"]) -> Post:
        return self.steps.until(lambda: self._in(person, post, frozenset({state})))

    def _mosaic(self, post: Post) -> Json | None:
        seen = self.author.get_json(f"/posts/{post.post_id}")
        if seen["state"] != "mosaic":
            raise StoryFailed(f"no mosaic was made: the post is {seen['state']}")
        mosaic: Json = seen["mosaic"]
        return mosaic if mosaic["state"] == "ready" else None

    def _decide(self, post: Post, verdict: str, label: str, operator: PawcastClient) -> None:
        """Take from the queue until this post's review comes; the others are given back."""
        taken = self.steps.until(lambda: self._taken(post, operator))
        operator.post_json(f"/reviews/{taken['review_id']}/verdict", {"verdict": verdict, "label": label})

    def _taken(self, post: Post, operator: PawcastClient) -> Json | None:
        """Skip what comes first; an operator's own locks come back with every take, so each is passed on."""
        while items := operator.post_json("/reviews/take", {"count": TAKE})["items"]:
            found: Json | None = next((item for item in items if item["post_id"] == post.post_id), None)
            if found is not None:
                for item in items:
                    if item is not found:
                        operator.post_json(f"/reviews/{item['review_id']}/release", {})
                return found
            for item in items:
                operator.post_json(f"/reviews/{item['review_id']}/skip", {"reason": "not this story's photo"})
        return None

    def _last_notice(self, person: PawcastClient, post: Post) -> str:
        """What the author reads of the latest event."""

        def look() -> str | None:
            told = [notice for notice in person.inbox().items if notice.post_id == post.post_id]
            wanted = {"published": "PostOverturned", "rejected": "PostRejected"}[post.state]
            return next((f"{each.title.en} {each.body.en}" for each in told if each.kind == wanted), None)

        return self.steps.until(look)


def jpeg(image: Image.Image, *, quality: int = 88) -> bytes:
    """The file that a phone would send."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def _told(post: Post) -> str:
    reason = post.reason.text.en if post.reason else ""
    return f"{post.state} {reason}".strip()


def _unasked(post: Post) -> str:
    if post.decision is not None:
        raise StoryFailed(f"a model was asked about a photo that a bank knows: {post.decision}")
    return "the bank of banned photos knows it" if post.state == "rejected" else "the bank of cleared photos knows it"
