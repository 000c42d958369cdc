"""Puts the hash banks together: apart from `assembly`, because a snapshot needs numpy."""

from pawcast.adapters.assembly import client
from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.bank_snapshot import BankReader, Compactor, SnapshotStore
from pawcast.adapters.clock import utc_now
from pawcast.settings import CompactBanksSettings, ScreenPhotosSettings


def bank_reader(settings: ScreenPhotosSettings) -> BankReader:
    """For `functions/screen_photos`, which reads the banks anew for each batch."""
    log = BankLog(client("dynamodb"), settings.banks_table)
    return BankReader(log, SnapshotStore(client("s3"), settings.banks_bucket), utc_now)


def compactor(settings: CompactBanksSettings) -> Compactor:
    """For `functions/compact_banks`."""
    log = BankLog(client("dynamodb"), settings.banks_table)
    return Compactor(log, SnapshotStore(client("s3"), settings.banks_bucket), utc_now)
