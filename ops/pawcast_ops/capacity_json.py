"""What `pawcast capacity --json` prints: for CI, and for the cost page of the site."""

from typing import Any

from pawcast.mlops.bill import Bill
from pawcast.mlops.capacity import Plan
from pawcast.mlops.load_gate import GateRun
from pawcast.mlops.prices import PriceList
from pawcast.mlops.workload import Workload


def plan_json(plan: Plan, workload: Workload, prices: PriceList, needed: int | None) -> dict[str, Any]:
    """For machines. Money carries its currency in its name."""
    return {
        "maximum_concurrency": plan.concurrency,
        "fits": plan.concurrency is not None,
        "budget": plan.budget.model_dump(),
        "region": prices.region,
        "needed_for_twice_the_peak": needed,
        "peak_uploads_per_hour": workload.peak,
        "affordable_uploads_per_hour": plan.affordable_uploads_per_hour,
        "usd_per_1000_photos": plan.usd_per_1000_photos,
        "usd_per_million_photos": plan.usd_per_1000_photos * 1_000,
        "screening_usd_per_million_photos": plan.screening_usd_per_million_photos,
        "waiting_usd_per_1000_uploads": plan.waiting_usd_per_1000_uploads,
        "months": {
            "worst": _bill_json(plan, plan.worst),
            "worst_with_one_more": _bill_json(plan, plan.next_worst) if plan.next_worst else None,
            "saturated": _bill_json(plan, plan.saturated),
            "expected": _bill_json(plan, plan.expected),
        },
        "borrowed_prices": {price.key: price.region for price in prices.borrowed},
        "workload": workload.model_dump(exclude={"arrivals": {"hour_of_week"}, "service": {"samples"}}),
    }


def gate_json(run: GateRun, needed: int | None) -> dict[str, Any]:
    """For machines. Waits are in seconds."""
    return {
        "verdict": run.verdict.model_dump(),
        "concurrency": run.test.concurrency,
        "needed_concurrency": needed,
        "uploads_per_hour": run.test.uploads_per_hour,
        "hours": run.test.hours,
        "longest_queue": run.longest_queue,
        "drained_after_seconds": run.drained_after_seconds,
        "utilisation": run.utilisation,
        "functions_started": run.functions_started,
        "test": run.test.model_dump(exclude={"service": {"samples"}}),
    }


def _bill_json(plan: Plan, bill: Bill) -> dict[str, Any]:
    return {
        "usd": bill.usd,
        "krw": plan.krw(bill),
        "fits": plan.fits(bill),
        "load": bill.load.model_dump(),
        "groups_usd": bill.groups,
        "lines": [
            {
                "group": line.group,
                "item": line.item,
                "quantity": line.quantity,
                "unit": line.price.unit,
                "unit_price_usd": line.price.usd / line.price.per,
                "price_region": line.price.region,
                "price_as_of": line.price.as_of,
                "price_source": line.price.source,
                "usd": line.usd,
                "krw": plan.budget.krw(line.usd),
            }
            for line in bill.lines
        ],
    }
