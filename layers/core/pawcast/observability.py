"""Logger and metrics of all functions: structured, without personal data.

Logs carry ids (post_id, request id), codes and numbers. Titles, descriptions, mail addresses, tokens and photo bytes
never enter a log line. Metric names are contract: `stacks/observability.yaml` builds alarms on them.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "logger", "metrics"]

logger = Logger()
metrics = Metrics()
