"""Puts together the functions that feed the warehouse: they need the forecasting layer."""

from pawcast.adapters.assembly import client
from pawcast.adapters.clock import utc_now
from pawcast.adapters.drop_files import DropFiles
from pawcast.adapters.warehouse_store import WarehouseStore
from pawcast.adapters.workflow import ForecastTopic
from pawcast.forecasting.ingest.intake import Ingester
from pawcast.settings import CompactWarehouseSettings, IngestDropsSettings


def ingester(settings: IngestDropsSettings) -> Ingester:
    """For `functions/ingest_drops`."""
    s3 = client("s3")
    return Ingester(
        drops=DropFiles(s3, settings.drops_bucket),
        tables=WarehouseStore(s3, settings.warehouse_bucket),
        listeners=ForecastTopic(client("sns"), settings.forecast_events_topic_arn),
        now=utc_now,
    )


def warehouse(settings: CompactWarehouseSettings) -> WarehouseStore:
    """For `functions/compact_warehouse`."""
    return WarehouseStore(client("s3"), settings.warehouse_bucket)
