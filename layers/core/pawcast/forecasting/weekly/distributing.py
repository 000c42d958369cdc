"""An approved plan to every store, once.

For each store: its files in S3, a claimed receipt, one mail, the receipt settled. The claim is a conditional write,
so two workers at once, a retry, or a second distribution never mail a store twice. What a crash between mailing and
settling leaves behind is a receipt in state `sending` that nobody can explain: such a store is *uncertain*. It is not
mailed again by itself, because it may have its plan; it is counted, shown to the planners, and mailed again when they
say so.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final, Literal

from pawcast.errors import Conflict, DependencyUnavailable, VersionConflict
from pawcast.forecasting.weekly.approving import PlannerNotices, event_of
from pawcast.forecasting.weekly.messages import BODIES, STEPS, filled
from pawcast.forecasting.weekly.plan import ShardPlans, StorePlan, shard_key
from pawcast.forecasting.weekly.ports import Clock, Files, Json, Weeks
from pawcast.forecasting.weekly.run import Receipt, ReceiptState, Record, Run, RunState
from pawcast.forecasting.weekly.week import Week
from pawcast.mail import Mail, Mailer, MailRejected

CLAIM_FOR: Final = timedelta(minutes=2)
WEEKDAYS: Final = {"ko": "월화수목금토일", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


class Contact(Record):
    """Where a store is told; `mail` is empty where nobody gave one."""

    store_id: str
    mail: str = ""
    language: Literal["ko", "en"] = "ko"


@dataclass(frozen=True)
class Distributor:
    """Tells stores."""

    weeks: Weeks
    files: Files
    mailer: Mailer
    now: Clock
    warehouse_bucket: str

    def tell_shard(self, week: str, attempt: int, shard: int, *, include_uncertain: bool = False) -> Json:
        """Tell every store of a shard that has no receipt yet; counts by what became of them.

        Raises:
            Conflict: the attempt is not approved, or another one took its place.
            DependencyUnavailable: a service failed; what was told stays told, the rest is told by the next call.
        """
        run = self._distributing(week, attempt)
        approval = run.approval
        assert approval is not None  # noqa: S101 - an approved run has one
        version = approval.plan_version
        plans = ShardPlans.model_validate(self.files.get_json(shard_key(run.prefix, shard, "plans.json")))
        listed = self.files.get_json(shard_key(run.prefix, shard, "contacts.json"))
        contacts = {contact.store_id: contact for contact in map(Contact.model_validate, listed)}
        receipts = self.weeks.receipts(week, version)
        edits = self.weeks.edits(week)
        outcomes: Counter[str] = Counter()
        for plan in plans.stores:
            done = receipts.get(plan.store_id)
            if done is not None and not (include_uncertain and is_uncertain(done, self.now())):
                outcomes["told_before"] += 1
                continue
            if done is not None:
                self.weeks.release_receipt(done)
            final = plan.with_edits(edits)
            outcomes[self._tell(run, final, contacts.get(plan.store_id, Contact(store_id=plan.store_id)), version)] += 1
        for name, table in (("forecast.parquet", "forecasts"), ("plan.parquet", "plans")):
            target = f"{table}/week={week}/shard-{shard:04d}.parquet"
            self.files.copy(shard_key(run.prefix, shard, name), self.warehouse_bucket, target)
        return {"shard": shard, **outcomes}

    def _distributing(self, week: str, attempt: int) -> Run:
        """The run, moved on to `distributing` by whichever shard comes first."""
        run = self.weeks.get(week)
        if run is None or run.attempt != attempt:
            raise Conflict(f"attempt {attempt} of week {week} was superseded")
        if run.state in (RunState.APPROVED, RunState.FAILED) and run.approval is not None:
            moved = run.moved(RunState.DISTRIBUTING)
            try:
                self.weeks.save(moved)
            except VersionConflict:
                again = self.weeks.get(week)
                if again is None or again.state is not RunState.DISTRIBUTING:
                    raise
                return again
            self.weeks.add_event(event_of(moved, self.now(), "distributing", STEPS["distributing"]))
            return moved
        if run.state not in (RunState.DISTRIBUTING, RunState.DONE):
            raise Conflict(f"week {week} is {run.state}: only an approved plan goes to stores")
        return run

    def _tell(self, run: Run, plan: StorePlan, contact: Contact, version: int) -> ReceiptState | Literal["told_before"]:
        now = self.now()
        key = f"stores/{plan.store_id}/{run.week}/v{version}"
        document = {
            "week": run.week,
            "plan_version": version,
            "approved_at": _approved_at(run),
            **plan.model_dump(mode="json"),
        }
        self.files.put_json(f"{key}/plan.json", document)
        self.files.put_text(f"{key}/plan.csv", plan.csv(), "text/csv; charset=utf-8")
        receipt = Receipt(
            week=run.week,
            store_id=plan.store_id,
            plan_version=version,
            state="sending",
            at=now,
            key=f"{key}/plan.json",
            claimed_until=now + CLAIM_FOR,
        )
        if not self.weeks.claim_receipt(receipt):
            return "told_before"
        state: ReceiptState = "no_address"
        if contact.mail:
            try:
                self.mailer.send(mail_of(plan, contact, run.week, version))
                state = "told"
            except MailRejected:
                state = "refused"
            except DependencyUnavailable:
                self.weeks.release_receipt(receipt)  # the service said no: the mail surely did not leave
                raise
        self.weeks.settle_receipt(receipt, state)
        return state


@dataclass(frozen=True)
class Finisher:
    """Ends a run whose stores were all told."""

    weeks: Weeks
    notices: PlannerNotices
    now: Clock

    def finish(self, week: str, attempt: int) -> Json:
        """Write down that all shards were told, and tell the planners how it went."""
        run = self.weeks.get(week)
        if run is None or run.attempt != attempt or run.approval is None:
            raise Conflict(f"attempt {attempt} of week {week} is not the one that was approved")
        counts = receipt_counts(self.weeks.receipts(week, run.approval.plan_version), run, self.now())
        text = filled(STEPS["distributed"], **counts)
        now = self.now()
        if run.state is not RunState.DONE:
            run = run.moved(RunState.DONE, ended_at=now)
            self.weeks.save(run)
            self.weeks.add_event(event_of(run, now, "distributed", text, facts=counts))
        else:
            self.weeks.add_event(event_of(run, now, "resent", text, facts=counts))
        self.notices.tell(run, "done", filled(BODIES["done"], **counts))
        return counts


def is_uncertain(receipt: Receipt, now: datetime) -> bool:
    """Whether nobody knows if the store was told: claimed, and its worker gone."""
    return receipt.state == "sending" and (receipt.claimed_until is None or receipt.claimed_until < now)


def receipt_counts(receipts: Mapping[str, Receipt], run: Run, now: datetime) -> dict[str, int]:
    """How many stores were told, are being told, have no address, were refused by mail, are uncertain, and missing."""
    counts = Counter("uncertain" if is_uncertain(each, now) else each.state for each in receipts.values())
    stores = run.totals.stores if run.totals is not None else len(receipts)
    return {
        "told": counts["told"],
        "sending": counts["sending"],
        "no_address": counts["no_address"],
        "refused": counts["refused"],
        "uncertain": counts["uncertain"],
        "missing": max(0, stores - len(receipts)),
    }


def mail_of(plan: StorePlan, contact: Contact, week: str, version: int) -> Mail:
    """The plan as a mail in the store's language: a line a day, as text and as a table."""
    monday = Week.parse(week).monday.isoformat()
    korean = contact.language == "ko"
    subject = (
        f"[Pawcast] {plan.name} {week} 근무 계획 ({monday}부터, {version}판)"
        if korean
        else f"[Pawcast] {plan.name}: staffing plan of {week} (from {monday}, version {version})"
    )
    head = (
        ("날짜", "요일", "근무 인원", "예상 방문", "범위(80%)")
        if korean
        else ("Day", "", "Staff", "Visitors", "80 % range")
    )
    lines = _days(plan, contact.language)
    closed = "휴무" if korean else "closed"
    rows = [
        (day, weekday, str(staff) if is_open else closed, visitors if is_open else "", span if is_open else "")
        for day, weekday, is_open, staff, visitors, span in lines
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    )
    note = plan.infeasible.ko if korean and plan.infeasible else plan.infeasible.en if plan.infeasible else ""
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    header = "".join(f"<th align=left>{escape(cell)}</th>" for cell in head)
    html = (
        f'<!doctype html><html lang="{contact.language}"><body style="font-family:sans-serif">'
        f'<h1 style="font-size:1.2em">{escape(subject.removeprefix("[Pawcast] "))}</h1>'
        f'<table cellpadding=6 style="border-collapse:collapse"><tr>{header}</tr>{cells}</table>'
        f"<p>{escape(note)}</p></body></html>"
    )
    return Mail(to=contact.mail, subject=subject, text=f"{subject}\n\n{text}\n\n{note}".rstrip() + "\n", html=html)


def _days(plan: StorePlan, language: str) -> Sequence[tuple[str, str, bool, str, str, str]]:
    """One line a day: by day its staff, by hour the most people of the day and its person-hours."""
    by_day: dict[str, list[int]] = {}
    for index, row in enumerate(plan.rows):
        by_day.setdefault(row.ts.date().isoformat(), []).append(index)
    found = []
    for day, indexes in by_day.items():
        rows = [plan.rows[index] for index in indexes]
        staffed = [row.staff for row in rows]
        staff = str(staffed[0]) if plan.plans_by == "day" else f"{max(staffed)} ({sum(staffed)} h)"
        visitors = f"{sum(row.yhat for row in rows):,.0f}"
        span = f"{sum(row.q10 for row in rows):,.0f}-{sum(row.q90 for row in rows):,.0f}"
        weekday = WEEKDAYS[language][rows[0].ts.weekday()]
        found.append(
            (day, weekday, any(row.open for row in rows), staff, visitors, span if plan.plans_by == "day" else "")
        )
    return found


def _approved_at(run: Run) -> str | None:
    return run.approval.at.isoformat() if run.approval is not None else None
