"""Puts together the functions of a week that need no pandas: people's decisions, mails to stores, the planners' API."""

import uuid
from zoneinfo import ZoneInfo

from pawcast.adapters.assembly import client
from pawcast.adapters.clock import utc_now
from pawcast.adapters.messages_out import SesMailer
from pawcast.adapters.run_files import RunFiles
from pawcast.adapters.weeks_table import WeeksTable
from pawcast.adapters.workflow import ForecastTopic, StateMachine
from pawcast.forecasting.weekly.approving import Approver, Decider, PlannerNotices, Watcher
from pawcast.forecasting.weekly.closing import Closer
from pawcast.forecasting.weekly.distributing import Distributor, Finisher
from pawcast.forecasting.weekly.planner_api import PlannerApi
from pawcast.settings import (
    AskApprovalSettings,
    CloseWeekSettings,
    ServeWeeksSettings,
    TellStoresSettings,
    WatchDeadlineSettings,
)


def _weeks(table: str) -> WeeksTable:
    return WeeksTable(client("dynamodb"), table)


def _notices(weeks: WeeksTable, topic_arn: str, base_url: str) -> PlannerNotices:
    return PlannerNotices(weeks, ForecastTopic(client("sns"), topic_arn), base_url)


def approver(settings: AskApprovalSettings | CloseWeekSettings) -> Approver:
    """For `functions/ask_approval`."""
    weeks = _weeks(settings.weeks_table)
    return Approver(
        weeks=weeks,
        notices=_notices(weeks, settings.forecast_events_topic_arn, settings.public_base_url),
        zone=ZoneInfo(settings.planning_time_zone),
        now=utc_now,
    )


def watcher(settings: WatchDeadlineSettings) -> Watcher:
    """For `functions/watch_deadline`."""
    weeks = _weeks(settings.weeks_table)
    return Watcher(
        weeks=weeks,
        notices=_notices(weeks, settings.forecast_events_topic_arn, settings.public_base_url),
        zone=ZoneInfo(settings.planning_time_zone),
        now=utc_now,
    )


def closer(settings: CloseWeekSettings) -> Closer:
    """For `functions/close_week`."""
    approving = approver(settings)
    return Closer(approving, Finisher(weeks=approving.weeks, notices=approving.notices, now=utc_now))


def distributor(settings: TellStoresSettings) -> Distributor:
    """For `functions/tell_stores`."""
    return Distributor(
        weeks=_weeks(settings.weeks_table),
        files=RunFiles(client("s3"), settings.plans_bucket),
        mailer=SesMailer(client("sesv2"), settings.sender_mail),
        now=utc_now,
        warehouse_bucket=settings.warehouse_bucket,
    )


def planner_api(settings: ServeWeeksSettings) -> PlannerApi:
    """For `functions/serve_weeks`."""
    weeks, zone = _weeks(settings.weeks_table), ZoneInfo(settings.planning_time_zone)
    machine = StateMachine(client("stepfunctions"), settings.state_machine_arn)
    return PlannerApi(
        weeks=weeks,
        files=RunFiles(client("s3"), settings.plans_bucket),
        workflow=machine,
        decider=Decider(weeks=weeks, workflow=machine, now=utc_now),
        zone=zone,
        now=utc_now,
        new_id=lambda: uuid.uuid4().hex,
    )
