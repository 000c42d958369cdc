"""All that is behind the review console and the operations page but AWS: reviews in dictionaries, drawn photos."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from tests.support.fake_api import Asked, Json, answering, refusal, token
from tests.support.pictures import encoded, scene

OPERATOR, OPERATORS = "operator-1", ("operators",)
# The box of the face that every photo has, drawn in FACE_COLOUR, as shares of its sides.
FACE = {"x0": 0.3, "y0": 0.2, "x1": 0.55, "y1": 0.62, "score": 0.93}
FACE_COLOUR = (255, 0, 255)
HOSTILE = "<img src=x onerror=alert(1)> “quoted” & long " + "word " * 12
REASONS = ("flagged", "appeal", "claim", "audit", "disagreement", "failed")
PASSWORD = "Operator-2026-pw"
Refuse = Callable[[str, str, Json], tuple[int, Json] | None]


LOST = refusal(409, "conflict", "Another operator has this photo.")


@dataclass
class Reviews:
    """A queue as the API shows it; `delay` seconds for each answer, `refuse` may say no instead."""

    views: dict[str, Json] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    delay: float = 0.0
    photo_delay: float = 0.0
    refuse: Refuse = lambda *_: None
    operations: Json = field(default_factory=dict)
    url: str = ""
    session_ends: bool = False
    limit: int = 1200

    def posts(self, what: str) -> list[tuple[str, Json]]:
        """What was posted to `/reviews/{id}/{what}`, as (review id, body), in order of arrival."""
        return [
            (path.split("/")[2], body)
            for path, body in self.calls
            if path.startswith("/reviews/") and path.endswith(what)
        ]

    def answer(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        """One call of the API."""
        if method == "POST":
            self.calls.append((path, body))
        if (said_no := self.refuse(method, path, body)) is not None:
            return said_no
        match (method, *path.strip("/").split("/")):
            case ("GET", "operations"):
                return 200, self.operations | {"days": int(query.get("days", "7"))}
            case ("GET", "reviews", "summary"):
                return 200, self.summary()
            case ("GET", "reviews", "shift"):
                return 200, self.shift()
            case ("POST", "reviews", "take"):
                return 200, {"items": self.take(int(body["count"]))}
            case ("GET", "reviews", review_id):
                return 200, self.views[review_id]
            case ("POST", "reviews", review_id, what):
                return self.act(review_id, what, body)
        return refusal(404, "not_found", "There is no such thing.")

    def take(self, count: int) -> list[Json]:
        while len(self.locked) < count and self.waiting:
            self.locked.append(self.waiting.pop(0))
        until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
        for review_id in self.locked:
            self.views[review_id]["locked_until"] = until
        return [self.views[review_id] for review_id in self.locked[:count]]

    def act(self, review_id: str, what: str, body: Json) -> tuple[int, Json]:
        view = self.views[review_id]
        now = datetime.now(UTC)
        if what == "undo":
            if view["verdict"] is None:
                return refusal(409, "conflict", "There is no verdict.")
            view |= {"verdict": None, "undo_until": None}
            self.done.remove(review_id)
            self.locked.insert(0, review_id)
            self._history(view, "undo", now)
            return 200, {"review": view}
        if review_id not in self.locked:
            return LOST
        if what == "seen":
            return 200, {}
        if what == "comment":
            self._history(view, "comment", now, comment=body["text"])
            return 200, {"review": view}
        self.locked.remove(review_id)
        if what == "release":
            self.waiting.insert(0, review_id)
            return 200, {}
        if what == "skip":
            view["skips"] += 1
            return 200, {}
        view |= {"verdict": body, "undo_until": (now + timedelta(minutes=10)).isoformat()}
        self.done.append(review_id)
        self._history(view, body["verdict"], now, label=body["label"], comment=body.get("comment", ""))
        return 200, {"review": view, "capacity": self.capacity()}

    def _history(self, view: Json, kind: str, at: datetime, label: str | None = None, comment: str = "") -> None:
        line = {"at": at.isoformat(), "kind": kind, "label": label, "comment": comment, "operator": "you"}
        view["history"] = [*view["history"], line]

    def capacity(self) -> Json:
        done = 412 + len(self.done)
        return {"week": "2026-W48", "checks_done": done, "checks_predicted": 930, "checks_limit": self.limit}

    def summary(self) -> Json:
        open_ids = [*self.waiting, *self.locked]
        reasons = [self.views[one]["reason"] for one in open_ids]
        return {
            "waiting": len(open_ids),
            "mine_blocked": 0,
            "by_reason": {reason: reasons.count(reason) for reason in set(reasons)},
            "oldest_seconds": 3120 if open_ids else None,
            "overdue": sum(1 for one in open_ids if self.views[one]["due_at"] < datetime.now(UTC).isoformat()),
            "locked": len(self.locked),
            "capacity": self.capacity(),
        }

    def shift(self) -> Json:
        verdicts = [self.views[one]["verdict"]["verdict"] for one in self.done]
        last = [
            {
                "review_id": one,
                "at": self.views[one]["history"][-1]["at"],
                **{name: self.views[one]["verdict"][name] for name in ("verdict", "label")},
                "undo_until": self.views[one]["undo_until"],
            }
            for one in reversed(self.done)
        ]
        return {
            "checked": len(verdicts),
            "upheld": verdicts.count("uphold"),
            "overturned": verdicts.count("overturn"),
            "skipped": len(self.posts("/skip")),
            "undone": len(self.posts("/undo")),
            "seconds_median": 14 if verdicts else None,
            "last": last[:20],
        }


def queue_of(size: int, reasons: Sequence[str] = REASONS) -> Reviews:
    """A queue of `size` photos; every second one is upright, the reasons take turns, the second title is hostile."""
    made = Reviews(operations=figures())
    now = datetime.now(UTC)
    for number in range(size):
        review_id = f"{number:032x}-2"
        made.views[review_id] = _view(review_id, number, reasons[number % len(reasons)], now)
        made.waiting.append(review_id)
    return made


def _view(review_id: str, number: int, reason: str, now: datetime) -> Json:
    upright = number % 2 == 1
    rejected = {
        "at": (now - timedelta(hours=3)).isoformat(),
        "kind": "uphold",
        "label": "printed_face",
        "comment": "A poster on the wall behind the cat.",
        "operator": "another operator",
    }
    return {
        "review_id": review_id,
        "post_id": review_id[:32],
        "reason": reason,
        "text": {"appeal": "Only the poster shows a face.\nThe cat is alive!", "claim": "I am in this photo."}.get(
            reason, ""
        ),
        "title": HOSTILE if number == 1 else f"Photo {number}",
        "description": "Nabi sleeps on the windowsill, as she does every afternoon.",
        "tags": ["cat", "nabi", "창가"],
        "created_at": (now - timedelta(minutes=40)).isoformat(),
        "due_at": (now + timedelta(minutes=20 - 25 * (number % 3 == 2))).isoformat(),
        "uploaded_at": (now - timedelta(minutes=41)).isoformat(),
        "locked_until": None,
        "photo_url": f"/api/photos/{'portrait' if upright else 'landscape'}-{number % 4}.jpg?{number}",
        "width": 3024 if upright else 4032,
        "height": 4032 if upright else 3024,
        "faces": [FACE],
        "decision": {
            "probability": 0.12 if reason == "audit" else 0.87,
            "threshold": 0.62,
            "model": "face-classifier",
            "model_version": "7",
            "detector_score": 0.93,
            "outcome": "pass" if reason == "audit" else "flag",
        },
        "bank_match": None,
        "sampling_probability": 0.02 if reason == "audit" else None,
        "skips": 1 if reason == "claim" else 0,
        "uploader": {
            "posts": 41,
            "published": 38,
            "rejected": 2,
            "upheld": 2,
            "overturned": 1,
            "since": "2026-03",
        },
        "history": [rejected] if reason == "appeal" else [],
        "verdict": None,
        "undo_until": None,
    }


@cache
def photo(name: str) -> bytes:
    """A JPEG with a painted face box, `landscape-N` or `portrait-N`."""
    shape, _, seed = name.partition("-")
    width, height = (1280, 960) if shape == "landscape" else (960, 1280)
    picture = scene(10 + int(seed), width, height)
    rows = slice(int(FACE["y0"] * height), int(FACE["y1"] * height))
    picture[rows, int(FACE["x0"] * width) : int(FACE["x1"] * width)] = FACE_COLOUR
    return encoded(picture, quality=88, subsampling=0)


@contextmanager
def serving(behind: Reviews) -> Iterator[Reviews]:
    """The HTTP API, the photos and a Cognito that knows every operator, in a thread of their own."""

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.startswith("/photos/"):
            time.sleep(behind.photo_delay)
            return 200, photo(asked.path.removeprefix("/photos/").removesuffix(".jpg"))
        if asked.cognito:
            return _cognito(behind, asked.body)
        if behind.session_ends or not asked.authorization:
            return 401, {"message": "Unauthorized"}
        time.sleep(behind.delay)
        return behind.answer(asked.method, asked.path, asked.query, asked.body)

    with answering(answer) as behind.url:
        yield behind


def _cognito(behind: Reviews, body: Json) -> tuple[int, Json]:
    given = body.get("AuthParameters", {})
    if given.get("PASSWORD") == PASSWORD:
        behind.session_ends = False
        user = given["USERNAME"].partition("@")[0]
        return 200, {"AuthenticationResult": {"IdToken": token(OPERATORS, user), "RefreshToken": "refresh"}}
    if given.get("REFRESH_TOKEN") == "refresh" and not behind.session_ends:
        return 200, {"AuthenticationResult": {"IdToken": token(OPERATORS, OPERATOR)}}
    return 400, {"__type": "NotAuthorizedException", "message": "no"}


def figures(days: int = 7, empty: bool = False) -> Json:
    """What the operations page is told; `empty`: the first minute of a new stack."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours: list[Json] = []
    for back in range(24 * days - 1, -1, -1):
        at = now - timedelta(hours=back)
        uploads = 0 if empty else 40 + 35 * (9 <= (at.hour + 9) % 24 <= 22) + back % 7
        held = uploads // 12
        hours.append(
            {
                "at": at.isoformat(),
                "uploads": uploads,
                "published": uploads - held - uploads // 40,
                "held": held,
                "rejected": uploads // 40,
                "decided_late": 1 if uploads and back % 50 == 7 else 0,
            }
        )
    decided, late = sum(hour["uploads"] for hour in hours), sum(hour["decided_late"] for hour in hours)
    return {
        "generated_at": now.isoformat(),
        "days": days,
        "hours": hours,
        "slo": {
            "target": 0.999,
            "decided": decided,
            "late": late,
            "share_in_time": 1 - late / decided if decided else 1.0,
            "budget_left": 1 - late / (0.001 * decided) if decided else 1.0,
        },
        "queues": {
            "screening_messages": 0 if empty else 4,
            "reviews_waiting": 0 if empty else 128,
            "oldest_review_seconds": None if empty else 3120,
        },
        "operators": {
            "week": "2026-W48",
            "checks_done": 0 if empty else 412,
            "checks_predicted": 0 if empty else 930,
            "checks_limit": 1200,
            "seconds_mean": None if empty else 14.2,
            "overturn_rate": None if empty else 0.31,
            "upheld": 0 if empty else 284,
            "overturned": 0 if empty else 128,
        },
        "recall": []
        if empty
        else [
            _recall("face-classifier/6", 0.913, 0.861, 0.952, 412, 3, 2110),
            _recall("face-classifier/7", 0.947, 0.902, 0.976, 388, 2, 2301),
            _recall("face-classifier/8", None, 0.0, 1.0, 0, 0, 0),
        ],
        "cost": {"month": "2026-11", "krw_estimated": 812_400, "krw_month_end": 1_090_000, "budget_krw": 1_500_000},
        "banks": {
            "cleared": 0 if empty else 812,
            "banned": 0 if empty else 443,
            "inferences_avoided": 0 if empty else 1204,
            "checks_avoided": 0 if empty else 371,
            "operator_minutes_saved": 0 if empty else 87.4,
        },
    }


def _recall(
    version: str, estimate: float | None, low: float, high: float, audited: int, missed: int, upheld: int
) -> Json:
    return {
        "model_version": version,
        "estimate": estimate,
        "low": low,
        "high": high,
        "audited": audited,
        "missed": missed,
        "flagged_upheld": upheld,
        "passed": 20_000,
    }
