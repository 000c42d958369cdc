"""One month's AWS bill of the screening service, line by line.

`month_bill` turns what happened in a month (`MonthLoad`) into lines of quantity x price. Whether the month is
the worst one or an expected one is decided in `capacity`; nothing here knows about concurrency.

The factors behind the quantities (write units a photo, log bytes, other functions' seconds) are the constants
below, counted from template.yaml and the adapters, rounded up. Whoever adds a table, a log line or a metric
changes them here. Left out because they stay under 0.10 USD a month: EventBridge Scheduler (2,976 runs), the
model files in S3, SSM standard parameters (free), in-region transfer (free), and SNS to SQS delivery (free).
"""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from pawcast.mlops.prices import Price, PriceList
from pawcast.mlops.workload import Workload

MONTH_DAYS = 31
MONTH_HOURS = MONTH_DAYS * 24
MONTH_SECONDS = MONTH_HOURS * 3600
MB_PER_GB = 1024
KB_PER_GB = 1024**2

# API: create the post, look at it twice while it is screened, read the inbox; one feed page shows 20 photos.
API_CALLS_PER_UPLOAD = 4
PHOTOS_PER_FEED_PAGE = 20
API_SECONDS, API_ANSWER_KB, FEED_PAGE_KB = 0.08, 2, 24
OTHER_FUNCTION_GB = 512 / 1024
NOTICE_SECONDS, RESCUE_SHARE, RESCUE_SECONDS = 0.15, 0.001, 0.5
EXPIRY_RUNS, EXPIRY_SECONDS = MONTH_DAYS * 24 * 4, 2.0
COLD_START_SECONDS, COLD_START_SHARE = 1.2, 0.02  # of the small functions

# DynamoDB write units: one for each KB of the larger of an item before and after, again for each full index it is in,
# twice in a transaction. A post is about 2 KB, and 5 KB while its outbox carries the inference record. Create the post;
# decide it (transaction: 10 + 5 in by_user + 5 for the small indexes); clear its outbox (transaction).
WRITES_PER_UPLOAD = 5
WRITES_PER_PHOTO = 20 + 16
WRITES_PER_PUBLISHED, WRITES_PER_HELD, WRITES_PER_NOTICE = 6, 8, 3  # tags, review, notice put and marked as mailed
READS_PER_PHOTO, READS_PER_API_CALL, READS_PER_FEED_PAGE = 6, 2, 20
# The post in its table and its index, tags, notice. Point-in-time recovery charges for the same bytes again.
ITEM_KB_PER_UPLOAD = 6

# A queue mapping with a maximum concurrency keeps five long polls of 20 s open: screening, dead letters,
# notices.
IDLE_POLLS = 3 * 5 * MONTH_SECONDS / 20
SCREENING_LOG_KB, API_LOG_KB, NOTICE_LOG_KB = 2.0, 1.5, 1.0
INFERENCE_RECORD_KB, FIREHOSE_STEP_KB = 3.0, 5
INFERENCE_KEPT_MONTHS = 13  # LogsBucket expires records after 400 days; GZIP halves them at least
FIREHOSE_OBJECTS = MONTH_SECONDS / 60
# An alarm counts once for each metric it looks at, a composite alarm (0.50 USD) like five.
METRICS, ALARMS, DASHBOARDS = 60, 140, 1
TRACED_FUNCTIONS, TRACED_SHARE = 5, 0.05  # Lambda traces the first request each second and 5 % of the rest
KMS_REQUESTS = MONTH_SECONDS / 300  # SNS keeps its data key for five minutes


class MonthLoad(BaseModel):
    """What happened in one month of 31 days."""

    model_config = ConfigDict(frozen=True)

    uploads: float
    photos: float  # screened
    screening_seconds: float  # billed time of the screening function, cold starts included
    screening_requests: float
    earlier_uploads: float  # of all months before this one that are still within the horizon


class BillLine(BaseModel):
    """One line; `group` is what lines are summed by, `usd` is after the free tier if that was asked for."""

    model_config = ConfigDict(frozen=True)

    group: str
    item: str
    quantity: float
    price: Price
    usd: float


class Bill(BaseModel):
    """One month's lines and their sum."""

    model_config = ConfigDict(frozen=True)

    load: MonthLoad
    lines: tuple[BillLine, ...]

    @property
    def usd(self) -> float:
        """The month's sum."""
        return sum(line.usd for line in self.lines)

    @property
    def groups(self) -> dict[str, float]:
        """USD by group, largest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.group] = sums.get(line.group, 0.0) + line.usd
        return dict(sorted(sums.items(), key=lambda entry: -entry[1]))


def month_bill(load: MonthLoad, workload: Workload, prices: PriceList, *, free_tier: bool = False) -> Bill:
    """The bill of one month of 31 days."""
    quantities = (
        *_compute(load, workload),
        *_front(load, workload),
        *_photos(load, workload),
        *_records(load, workload),
        *_messages(load, workload),
        *_observability(load, workload),
    )
    lines = []
    left: dict[str, float] = {}  # of the free tier, which several lines of one price share
    for group, item, key, quantity in quantities:
        price = prices[key]
        free = min(quantity, left.get(key, price.free)) if free_tier else 0.0
        left[key] = left.get(key, price.free) - free
        lines.append(
            BillLine(group=group, item=item, quantity=quantity, price=price, usd=price.cost_usd(quantity - free))
        )
    return Bill(load=load, lines=tuple(lines))


type _Quantities = Iterator[tuple[str, str, str, float]]


def _feed_pages(load: MonthLoad, workload: Workload) -> float:
    return load.photos * workload.published_share * workload.views_per_published_photo / PHOTOS_PER_FEED_PAGE


def _api_calls(load: MonthLoad) -> float:
    return load.uploads * API_CALLS_PER_UPLOAD


def _compute(load: MonthLoad, workload: Workload) -> _Quantities:
    gb_seconds = f"lambda_gb_seconds_{workload.architecture}"
    api_calls = _api_calls(load) + _feed_pages(load, workload)
    others = api_calls + load.photos * (1 + RESCUE_SHARE) + EXPIRY_RUNS
    seconds = (
        api_calls * API_SECONDS
        + load.photos * (NOTICE_SECONDS + RESCUE_SHARE * RESCUE_SECONDS)
        + EXPIRY_RUNS * EXPIRY_SECONDS
        + others * COLD_START_SHARE * COLD_START_SECONDS
    )
    # Lambda rounds every request up to a millisecond.
    billed = load.screening_seconds + load.screening_requests * 0.001
    yield "Lambda, screening", "Screening, GB-seconds", gb_seconds, billed * workload.memory_gb
    yield "Lambda, screening", "Screening, requests", "lambda_requests", load.screening_requests
    yield "Lambda, other", "Other functions, GB-seconds", gb_seconds, seconds * OTHER_FUNCTION_GB
    yield "Lambda, other", "Other functions, requests", "lambda_requests", others


def _front(load: MonthLoad, workload: Workload) -> _Quantities:
    pages = _feed_pages(load, workload)
    views = load.photos * workload.published_share * workload.views_per_published_photo
    answers_gb = (_api_calls(load) * API_ANSWER_KB + pages * FEED_PAGE_KB) / KB_PER_GB
    yield "API and sign-in", "HTTP API requests", "http_api_requests", _api_calls(load) + pages
    yield "API and sign-in", "Cognito active users", "cognito_users", workload.monthly_active_users
    yield "Transfer out", "Renditions viewed", "data_out", views * workload.rendition_mb / MB_PER_GB
    yield "Transfer out", "API answers", "data_out", answers_gb


def _photos(load: MonthLoad, workload: Workload) -> _Quantities:
    published = load.photos * workload.published_share
    kept = load.uploads * (workload.retention_days + 1) / MONTH_DAYS
    renditions = published + load.earlier_uploads * workload.published_share
    yield "Photo storage", "Originals kept", "s3_storage", kept * workload.photo_mb / MB_PER_GB
    renditions_gb = renditions * workload.rendition_mb / MB_PER_GB
    yield "Photo storage", "Renditions, accumulated", "s3_storage", renditions_gb
    yield "S3 requests", "Photos and log files put", "s3_puts", load.uploads + published + FIREHOSE_OBJECTS
    yield "S3 requests", "Photos got", "s3_gets", load.photos + published * workload.views_per_published_photo


def _records(load: MonthLoad, workload: Workload) -> _Quantities:
    writes = (
        load.uploads * WRITES_PER_UPLOAD
        + load.photos * (WRITES_PER_PHOTO + WRITES_PER_NOTICE)
        + load.photos * workload.published_share * WRITES_PER_PUBLISHED
        + load.photos * workload.held_share * WRITES_PER_HELD
    )
    reads = (
        load.photos * READS_PER_PHOTO
        + _api_calls(load) * READS_PER_API_CALL
        + _feed_pages(load, workload) * READS_PER_FEED_PAGE
    )
    stored_gb = (load.uploads + load.earlier_uploads) * ITEM_KB_PER_UPLOAD / KB_PER_GB
    yield "DynamoDB", "Write units", "dynamodb_writes", writes
    yield "DynamoDB", "Read units", "dynamodb_reads", reads
    yield "DynamoDB", "Items, accumulated", "dynamodb_storage", stored_gb
    yield "DynamoDB", "Point-in-time recovery", "dynamodb_recovery", stored_gb


def _messages(load: MonthLoad, workload: Workload) -> _Quantities:
    # Uploads: one message sent. Each photo: received and deleted in a batch of at least one, and a notice
    # sent, received and deleted.
    sqs = load.uploads + 2 * load.screening_requests + 3 * load.photos + IDLE_POLLS
    yield "Messages and mails", "SQS requests", "sqs_requests", sqs
    yield "Messages and mails", "SNS publishes", "sns_publishes", load.photos
    yield "Messages and mails", "KMS requests", "kms_requests", KMS_REQUESTS
    yield "Messages and mails", "Mails", "ses_mails", load.photos * workload.mailed_share


def _observability(load: MonthLoad, workload: Workload) -> _Quantities:
    api_calls = _api_calls(load) + _feed_pages(load, workload)
    logs_gb = (
        load.photos * (SCREENING_LOG_KB + NOTICE_LOG_KB) + api_calls * API_LOG_KB + EXPIRY_RUNS * API_LOG_KB
    ) / KB_PER_GB
    steps = -(-INFERENCE_RECORD_KB // FIREHOSE_STEP_KB) * FIREHOSE_STEP_KB
    requests = api_calls + load.screening_requests + load.photos + EXPIRY_RUNS
    first_each_second = min(requests, TRACED_FUNCTIONS * MONTH_SECONDS)
    traces = first_each_second + TRACED_SHARE * (requests - first_each_second)
    records = min(load.photos * INFERENCE_KEPT_MONTHS, load.photos + load.earlier_uploads)
    kept = max(1.0, workload.log_retention_days / MONTH_DAYS)
    records_gb = records * INFERENCE_RECORD_KB / 2 / KB_PER_GB
    yield "Logs and watching", "Logs written", "logs_ingest", logs_gb
    yield "Logs and watching", "Logs kept", "logs_storage", logs_gb * kept
    yield "Logs and watching", "Inference log, Firehose", "firehose_ingest", load.photos * steps / KB_PER_GB
    yield "Logs and watching", "Inference log, kept", "s3_storage", records_gb
    yield "Logs and watching", "Metrics", "cloudwatch_metrics", METRICS
    yield "Logs and watching", "Alarms", "cloudwatch_alarms", ALARMS
    yield "Logs and watching", "Dashboards", "cloudwatch_dashboards", DASHBOARDS
    yield "Logs and watching", "Traces", "xray_traces", traces
