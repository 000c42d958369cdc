"""Every hour: writes the snapshot of the hash banks that screening functions load when they start."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.bank_assembly import compactor
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import CompactBanksSettings

compacting = compactor(CompactBanksSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Event: EventBridge Scheduler; its content does not matter."""
    done = compacting.run()
    figures = {"entries": done.entries, "new_lines": done.new_lines}
    metrics.add_metric("BankEntries", MetricUnit.Count, done.entries)
    logger.info("hash banks compacted", extra=figures)
    return figures
