"""Every error that Pawcast raises on purpose, in one tree.

    PawcastError
    ├── Retryable                       the same call may succeed later: leave the message in its queue
    │   ├── DependencyUnavailable         S3, DynamoDB, SSM throttles, times out or answers 5xx
    │   └── ReleaseUnavailable            no release policy or model could be loaded yet
    └── Permanent                       repeating the call cannot help
        ├── InvalidRequest                a caller sent something the API does not accept (HTTP 400)
        │   ├── InvalidVisits               a frame of visits can't be laid on a grid of stores and days
        │   └── InvalidStaffing             a store's staffing rules, a shift pattern or an edit can't be
        ├── NotSignedIn                   no or no valid token (HTTP 401)
        ├── NotAllowed                    signed in, but may not do this (HTTP 403)
        ├── NotFound                      unknown, or not visible to this caller (HTTP 404)
        ├── TooManyRequests               more of this than one person may do in an hour (HTTP 429)
        ├── Conflict                      the state of the thing forbids the move (HTTP 409)
        ├── UnreadablePhoto               the uploaded bytes are no photo that Pawcast takes
        │   ├── EmptyFile  NotAnImage  UnsupportedFormat  TruncatedImage
        │   └── TooManyPixels  TooLarge  TooSmall  AnimatedImage
        ├── InvalidPolicy                 a release policy breaks its schema or names what does not exist
        ├── ModelRejected                 a model's bytes, card or outputs are not what its card says
        │   └── HashMismatch                its SHA-256 differs from the card
        ├── RefusedDrop                   a file of visits or facts is no table at all, or too large
        ├── DataNotFresh                  a week can't be run because its visits have not arrived
        ├── VersionConflict               someone else wrote this version first
        ├── InvalidSettings               a function was deployed without a variable it needs
        └── PriceUnknown                  a bill needs a price that no price file has

`code` is contract: it stands in API answers, notices, metrics and logs. User-facing sentences for each code
are in `pawcast.screening.messages`.
"""

import json
from datetime import timedelta
from typing import ClassVar


class PawcastError(Exception):
    """Base of all; never raised itself."""

    code: ClassVar[str] = "internal_error"


class Retryable(PawcastError):
    """The same call may succeed later."""


class DependencyUnavailable(Retryable):
    """An AWS service throttled, timed out or failed."""

    code = "dependency_unavailable"


class ReleaseUnavailable(Retryable):
    """No release policy, or no model it names, could be loaded yet."""

    code = "release_unavailable"


class Permanent(PawcastError):
    """Repeating the call cannot help."""


class InvalidRequest(Permanent):
    """A caller sent something that the API does not accept."""

    code = "invalid_request"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.request_code = code or self.code


class InvalidVisits(InvalidRequest):
    """A frame of visits can't be laid on a grid; the message names the column, the value and what to do."""

    code = "invalid_visits"


class InvalidStaffing(InvalidRequest):
    """Staffing rules, a shift pattern or an edit can't be; says store, field, value and what to do, also in Korean."""

    code = "invalid_staffing"

    def __init__(self, en: str, ko: str, *, code: str, field: str, store_id: str = "", value: str = "") -> None:
        super().__init__(en, code=code, field=field)
        self.en = en
        self.ko = ko
        self.store_id = store_id
        self.value = value


class NotSignedIn(Permanent):
    """No token, or none that is valid here."""

    code = "not_signed_in"


class NotAllowed(Permanent):
    """Signed in, but may not do this."""

    code = "not_allowed"


class NotFound(Permanent):
    """Unknown, or not visible to this caller."""

    code = "not_found"


class Conflict(Permanent):
    """The present state of the thing forbids the move."""

    code = "conflict"


class TooManyRequests(Permanent):
    """More of this than one person may do; `retry_after` is how long to wait."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreadablePhoto(Permanent):
    """The uploaded bytes are no photo that Pawcast takes; the uploader is told why."""

    code = "unreadable_photo"


class EmptyFile(UnreadablePhoto):
    """The upload has no bytes."""

    code = "empty_file"


class NotAnImage(UnreadablePhoto):
    """The bytes begin like no image format at all."""

    code = "not_an_image"


class UnsupportedFormat(UnreadablePhoto):
    """An image, but neither JPEG, PNG, WebP nor HEIC."""

    code = "unsupported_format"


class TruncatedImage(UnreadablePhoto):
    """The image ends early or its data is damaged."""

    code = "truncated_image"


class TooManyPixels(UnreadablePhoto):
    """Decoded, it would pass the pixel limit (decompression bomb)."""

    code = "too_many_pixels"


class TooLarge(UnreadablePhoto):
    """More bytes than an upload may have."""

    code = "too_large"


class TooSmall(UnreadablePhoto):
    """Too few pixels to be screened."""

    code = "too_small"


class AnimatedImage(UnreadablePhoto):
    """More than one frame: what is shown later would not have been screened."""

    code = "animated_image"


class InvalidPolicy(Permanent):
    """A release policy breaks its schema or names what does not exist."""

    code = "invalid_policy"


class ModelRejected(Permanent):
    """A model's bytes, card or outputs are not what its card says."""

    code = "model_rejected"


class HashMismatch(ModelRejected):
    """The SHA-256 of a model's bytes differs from its card."""

    code = "hash_mismatch"


class RefusedDrop(Permanent):
    """A file of visits or facts is refused as a whole; `problem_code` says why (`forecasting.ingest.report`)."""

    code = "refused_drop"

    def __init__(self, problem_code: str, *, value: str = "", column: str | None = None, limit: str = "") -> None:
        super().__init__(": ".join(part for part in (problem_code, column, value, limit) if part))
        self.problem_code = problem_code
        self.value = value
        self.column = column
        self.limit = limit


class DataNotFresh(Permanent):
    """A week can't be run: visits are missing. `ko` and `en` say which and what to do."""

    code = "data_not_fresh"

    def __init__(self, problem: str, *, ko: str, en: str) -> None:
        # The state machine hands on the message alone, and the record of the week wants both languages.
        super().__init__(json.dumps({"problem": problem, "ko": ko, "en": en}, ensure_ascii=False))
        self.problem = problem


class VersionConflict(Permanent):
    """Someone else wrote this version first."""

    code = "version_conflict"


class InvalidSettings(Permanent):
    """The environment of a function lacks a variable, or one has no usable value."""

    code = "invalid_settings"


class PriceUnknown(Permanent):
    """A bill needs a price that neither the region's file nor its fallbacks have."""

    code = "price_unknown"
