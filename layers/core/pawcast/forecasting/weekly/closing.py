"""How a run ends, whichever way: the state machine's last step, or an execution that ended without reaching it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pawcast.forecasting.weekly.approving import Approver
from pawcast.forecasting.weekly.distributing import Finisher
from pawcast.forecasting.weekly.ports import Json


@dataclass(frozen=True)
class Closer:
    """Ends runs."""

    approver: Approver
    finisher: Finisher

    def close(self, order: Mapping[str, Any]) -> Json:
        """End a run as `order` says.

        It has execution, ending (done, backfilled, rejected, missed, gate_failed, failed), and as far as they are known
        week, attempt and error (what the state machine caught: Error and Cause); where the week was not opened, the
        execution's `request`, which names it if a person started it.
        """
        ending, execution = str(order["ending"]), str(order["execution"])
        week = order.get("week") or order.get("request", {}).get("week")
        if ending == "done":
            return self.finisher.finish(str(week), int(order["attempt"]))
        if ending == "backfilled":
            return self.approver.backfilled(execution, str(week))
        return self.approver.end(execution, ending, order.get("error") or {}, week, order.get("attempt"))


def ended_elsewhere(event: Mapping[str, Any]) -> Json:
    """EventBridge's word on an execution that was aborted, failed or timed out, as an order to close its week.

    The week's own last steps have mostly closed it by then; closing again changes nothing.
    """
    detail = event["detail"]
    request = json.loads(detail.get("input") or "{}")
    order = request.get("resend") or request
    cause = str(detail.get("cause") or detail["status"])
    return {
        "execution": detail["name"],
        "ending": "failed",
        "week": order.get("week"),
        "error": {"Error": detail.get("error") or detail["status"], "Cause": cause},
        **{name: order[name] for name in ("attempt",) if name in order},
    }
