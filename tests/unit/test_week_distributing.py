"""Every store is told once, whatever breaks in between."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from pawcast.errors import Conflict, DependencyUnavailable
from pawcast.forecasting.weekly.approving import PlannerNotices
from pawcast.forecasting.weekly.distributing import Contact, Distributor, Finisher, mail_of, receipt_counts
from pawcast.forecasting.weekly.run import Edit, Run, RunState
from tests.support.week_fakes import TUESDAY, WEEK, FakeFiles, FakeMailer, FakePlanners, FakeWeeks, a_plan, a_run

MONDAY = datetime(2026, 11, 30)  # noqa: DTZ001 - a wall clock


class Chain:
    """Three stores with an approved plan."""

    def __init__(self, run: Run | None = None, **plan: Any) -> None:
        self.run = run or a_run(RunState.APPROVED)
        self.weeks, self.files, self.mailer, self.planners = (
            FakeWeeks(self.run),
            FakeFiles(),
            FakeMailer(),
            FakePlanners(),
        )
        self.files.hold(self.run, *(a_plan(store, **plan) for store in ("S1", "S2", "S3")))
        self.now = TUESDAY

    def tell(self, **options: bool) -> dict[str, Any]:
        distributor = Distributor(
            weeks=self.weeks,
            files=self.files,
            mailer=self.mailer,
            now=lambda: self.now,
            warehouse_bucket="warehouse",
        )
        return distributor.tell_shard(WEEK, 1, 0, **options)

    def finish(self) -> dict[str, Any]:
        notices = PlannerNotices(self.weeks, self.planners, "https://pawcast.example")
        return Finisher(weeks=self.weeks, notices=notices, now=lambda: self.now).finish(WEEK, 1)

    @property
    def told(self) -> list[str]:
        return [mail.to for mail in self.mailer.sent]


def test_each_store_gets_its_files_a_mail_and_a_receipt() -> None:
    chain = Chain()

    told = chain.tell()

    assert {"shard": 0, "told": 3} == told
    assert ["S1@example.com", "S2@example.com", "S3@example.com"] == chain.told
    assert {"told"} == {receipt.state for receipt in chain.weeks.kept.values()}
    assert 1 == chain.files.documents[f"stores/S1/{WEEK}/v1/plan.json"]["plan_version"]
    assert chain.files.texts[f"stores/S1/{WEEK}/v1/plan.csv"].startswith("\ufeffstore_id,ts,open,staff")
    assert {
        f"warehouse/forecasts/week={WEEK}/shard-0000.parquet",
        f"warehouse/plans/week={WEEK}/shard-0000.parquet",
    } == set(chain.files.copies)
    assert RunState.DISTRIBUTING is chain.weeks.runs[WEEK].state


def test_telling_again_tells_nobody_twice() -> None:
    chain = Chain()
    chain.tell()

    again = chain.tell()

    assert {"shard": 0, "told_before": 3} == again
    assert 3 == len(chain.told)


def test_a_mail_service_that_is_gone_halfway_costs_no_store_its_mail_and_none_gets_two() -> None:
    chain = Chain()
    chain.mailer.fails_after = 1

    with pytest.raises(DependencyUnavailable):
        chain.tell()
    told = chain.tell()

    assert {"shard": 0, "told_before": 1, "told": 2} == told
    assert ["S1@example.com", "S2@example.com", "S3@example.com"] == chain.told


def test_a_worker_that_dies_after_mailing_leaves_a_store_of_which_nobody_knows() -> None:
    chain = Chain()
    chain.mailer.dies_at = {"S2@example.com"}
    with pytest.raises(KeyboardInterrupt):
        chain.tell()

    chain.now += timedelta(minutes=5)
    resumed = chain.tell()

    assert {"shard": 0, "told_before": 2, "told": 1} == resumed
    assert ["S1@example.com", "S2@example.com", "S3@example.com"] == chain.told
    assert {"told": 2, "sending": 0, "no_address": 0, "refused": 0, "uncertain": 1, "missing": 0} == chain.finish()


def test_an_uncertain_store_is_told_again_only_when_a_person_says_so() -> None:
    chain = Chain()
    chain.mailer.dies_at = {"S2@example.com"}
    with pytest.raises(KeyboardInterrupt):
        chain.tell()
    chain.now += timedelta(minutes=5)

    told = chain.tell(include_uncertain=True)

    assert {"shard": 0, "told_before": 1, "told": 2} == told
    assert 2 == chain.told.count("S2@example.com")


def test_a_store_without_an_address_and_one_that_is_refused_do_not_stop_the_others() -> None:
    chain = Chain()
    chain.files.documents["runs/2026-W49/1/shards/0000/contacts.json"][0]["mail"] = ""
    chain.mailer.refuses = {"S3@example.com"}

    told = chain.tell()

    assert {"shard": 0, "no_address": 1, "told": 1, "refused": 1} == told
    assert {"told": 1, "sending": 0, "no_address": 1, "refused": 1, "uncertain": 0, "missing": 0} == chain.finish()


def test_stores_get_the_plan_as_it_was_edited() -> None:
    chain = Chain()
    edit = Edit(week=WEEK, store_id="S2", ts=MONDAY, staff=9, planned=3, by="planner-1", reason="fair", at=TUESDAY)
    chain.weeks.edited[WEEK, "S2", MONDAY] = edit

    chain.tell()

    rows = chain.files.documents[f"stores/S2/{WEEK}/v1/plan.json"]["rows"]
    assert (9, True) == (rows[0]["staff"], rows[0]["edited"])
    assert "9" in next(mail.text for mail in chain.mailer.sent if mail.to == "S2@example.com")


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING_FOR_APPROVAL, RunState.REJECTED, RunState.MISSED])
def test_a_plan_that_nobody_approved_goes_to_no_store(state: RunState) -> None:
    chain = Chain(a_run(state))

    with pytest.raises(Conflict, match="only an approved plan"):
        chain.tell()

    assert [] == chain.told


def test_an_attempt_that_was_replaced_tells_nobody() -> None:
    chain = Chain(a_run(RunState.APPROVED, attempt=2))

    with pytest.raises(Conflict, match="superseded"):
        chain.tell()


def test_the_planners_hear_once_how_it_went() -> None:
    chain = Chain()
    chain.tell()

    assert chain.finish() == chain.finish()
    assert ["done"] == chain.planners.kinds
    assert RunState.DONE is chain.weeks.runs[WEEK].state
    assert ["distributing", "distributed", "resent"] == [event.step for event in chain.weeks.history]


def test_stores_without_a_receipt_are_missing() -> None:
    counts = receipt_counts({}, a_run(RunState.DISTRIBUTING), TUESDAY)

    assert 3 == counts["missing"]


@pytest.mark.parametrize(
    ("language", "words"), [("ko", ["근무 계획", "월", "휴무"]), ("en", ["staffing plan", "Mon", "closed"])]
)
def test_a_mail_speaks_the_stores_language(language: str, words: list[str]) -> None:
    contact = Contact.model_validate({"store_id": "S1", "mail": "s1@example.com", "language": language})

    mail = mail_of(a_plan(), contact, WEEK, 1)

    assert all(word in mail.text + mail.subject and word in mail.html + mail.subject for word in words)
    assert "2026-11-30" in mail.text


def test_a_hostile_store_name_is_text_in_a_mail() -> None:
    mail = mail_of(a_plan(name="<script>x</script>"), Contact(store_id="S1", mail="a@example.com"), WEEK, 1)

    assert "<script>" not in mail.html
