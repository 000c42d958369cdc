"""What people read about a week, in Korean and English: steps of its history, notices to planners, errors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pawcast.forecasting.weekly.run import Sentences


def _all(texts: Mapping[str, tuple[str, str]]) -> Mapping[str, Sentences]:
    return MappingProxyType({code: Sentences(ko=ko, en=en) for code, (ko, en) in texts.items()})


def filled(text: Sentences, **facts: object) -> Sentences:
    """The sentences with facts put in."""
    return Sentences(ko=text.ko.format(**facts), en=text.en.format(**facts))


STEPS: Final = _all(
    {
        "opened": (
            "{attempt}차 실행을 시작했습니다. 매장 {stores}곳을 {shards}개 묶음으로 나눴습니다.",
            "Attempt {attempt} began: {stores} stores in {shards} shards.",
        ),
        "evaluated": (
            "{week} 주의 예측을 실제 방문과 비교했습니다. WAPE {wape:.1%}, 지난주 그대로 예측 {naive:.1%}.",
            "The forecast of {week} was compared with what came: WAPE {wape:.1%}, seasonal naive {naive:.1%}.",
        ),
        "nothing_to_evaluate": (
            "{week} 주에는 평가할 예측이 없습니다.",
            "No forecast was made for {week}, so there is nothing to evaluate.",
        ),
        "reported": (
            "보고서를 만들었습니다. 방문 {visitors:,.0f}명, 근무 {staff_days:,.0f}인일, 격리 매장 {quarantined}곳.",
            "The report is ready: {visitors:,.0f} visitors, {staff_days:,.0f} staff-days, {quarantined} set apart.",
        ),
        "asked": ("승인을 요청했습니다. 기한: {until}.", "Approval was asked for, until {until}."),
        "edited": (
            "{store_id} 매장에서 고친 칸: {cells}. {reason}",
            "Store {store_id}, edited cells: {cells}. {reason}",
        ),
        "commented": ("의견: {comment}", "Comment: {comment}"),
        "approved": (
            "계획 {plan_version}판을 승인했습니다. {reason}",
            "Plan version {plan_version} was approved. {reason}",
        ),
        "rejected": (
            "계획 {plan_version}판을 반려했습니다: {reason}",
            "Plan version {plan_version} was rejected: {reason}",
        ),
        "distributing": ("매장에 계획을 보내기 시작했습니다.", "Stores are being told."),
        "distributed": (
            "전달 {told}곳, 주소 없음 {no_address}곳, 메일 거부 {refused}곳, 확인 필요 {uncertain}곳.",
            "{told} stores told, {no_address} without an address, {refused} refused, {uncertain} to be checked.",
        ),
        "resent": ("남은 매장에 다시 보냈습니다.", "The plan was sent again to the stores that were missing."),
        "backfilled": (
            "이미 시작된 주라서 예측과 보고서만 만들었습니다. 매장에는 보내지 않았습니다.",
            "The week has begun already: forecast and report were made, no store was told.",
        ),
        "done": ("끝났습니다.", "Done."),
        "failed": ("실행이 실패했습니다: {error}", "The run failed: {error}"),
        "missed": ("기한까지 승인이 없었습니다.", "Nobody decided in time."),
        "superseded": (
            "새 실행이 이 실행을 대신합니다.",
            "A newer attempt takes this one's place.",
        ),
        "no_op": (
            "예약 실행: 할 일이 없습니다(상태 {state}).",
            "A scheduled start found nothing to do: the week is {state}.",
        ),
    }
)

ERRORS: Final = _all(
    {
        "data_not_fresh": (
            "{known_until}까지의 방문 데이터가 부족합니다: 매장 {stores}곳 중 {missing}곳이 빠졌습니다. "
            "데이터를 다시 보내면 수요일에 자동으로 다시 실행하며, 바로 실행할 수도 있습니다. 예: {examples}",
            "Visits up to {known_until} are missing for {missing} of {stores} stores, such as {examples}. "
            "Send them again: Wednesday's run takes them, or start the week by hand.",
        ),
        "no_stores": (
            "매장 표가 비어 있습니다. drops/stores/에 매장 파일을 먼저 올려 주세요.",
            "There is no store yet. Drop a file of stores into drops/stores/ first.",
        ),
        "no_visits": (
            "{known_until}까지의 방문 데이터가 하나도 없습니다. drops/visits/에 올려 주세요.",
            "There are no visits at all up to {known_until}. Drop them into drops/visits/.",
        ),
        "gate_failed": (
            "점검을 통과하지 못했습니다: {reasons} 데이터를 고친 뒤 다시 실행하거나, "
            "이유를 적고 점검 없이 실행해 주세요.",
            "The gate stopped the week: {reasons} Correct the data and start again, or give a reason to override it.",
        ),
        "missed": (
            "기한까지 승인되지 않아 매장에 계획이 가지 않았습니다. 주를 다시 실행해 승인해 주세요.",
            "Nobody approved in time, so no store has its plan. Start the week again and approve it.",
        ),
        "step_failed": (
            "한 단계가 실패했습니다({error}). 수요일에 자동으로 다시 실행하며, 직접 실행할 수도 있습니다.",
            "A step failed ({error}). Wednesday's run tries again; you can also start the week by hand.",
        ),
    }
)

NOTICES: Final = _all(
    {
        "approval_wanted": (
            "[Pawcast] {week} 계획이 승인을 기다립니다",
            "[Pawcast] The plan of {week} waits for your approval",
        ),
        "run_failed": ("[Pawcast] {week} 실행이 실패했습니다", "[Pawcast] The run of {week} failed"),
        "gate_failed": ("[Pawcast] {week} 점검을 통과하지 못했습니다", "[Pawcast] The gate stopped {week}"),
        "data_not_fresh": ("[Pawcast] {week} 데이터가 오지 않았습니다", "[Pawcast] Data for {week} is missing"),
        "deadline_at_risk": ("[Pawcast] {week} 기한이 위험합니다", "[Pawcast] The deadline of {week} is at risk"),
        "missed": ("[Pawcast] {week} 기한이 지났습니다", "[Pawcast] The deadline of {week} has passed"),
        "rejected": ("[Pawcast] {week} 계획이 반려되었습니다", "[Pawcast] The plan of {week} was rejected"),
        "done": ("[Pawcast] {week} 계획을 모두 보냈습니다", "[Pawcast] The plan of {week} is with the stores"),
    }
)

BODIES: Final = _all(
    {
        "approval_wanted": (
            "{until}까지 확인하고 승인해 주세요.",
            "Please look at it and decide until {until}.",
        ),
        "deadline_at_risk": (
            "지금 상태: {state}. 목요일 12:00까지 모든 매장이 계획을 받아야 합니다. {todo}",
            "It is {state}. Every store must have its plan by Thursday 12:00. {todo}",
        ),
        "done": (
            "전달 {told}곳, 주소 없음 {no_address}곳, 메일 거부 {refused}곳, 확인 필요 {uncertain}곳.",
            "{told} told, {no_address} without an address, {refused} refused, {uncertain} to be checked.",
        ),
        "rejected": ("이유: {reason}", "Reason: {reason}"),
    }
)

TODO: Final = _all(
    {
        "start": ("주를 직접 실행해 주세요.", "Start the week by hand."),
        "approve": ("보고서를 보고 승인해 주세요.", "Look at the report and approve it."),
        "wait": (
            "아직 실행 중입니다. 실패하면 바로 알려 드립니다.",
            "It still runs; you will hear at once if it fails.",
        ),
        "resend": ("남은 매장에 다시 보내 주세요.", "Send it again to the stores that are missing."),
    }
)

QUARANTINE: Final = _all(
    {
        "not_finite": (
            "모델이 수가 아닌 값을 냈습니다. 지난주 값으로 예측했습니다. 이 매장의 데이터를 확인해 주세요.",
            "The model gave no number. The store has last week's values; check its data.",
        ),
        "gone": (
            "4주 넘게 방문 데이터가 오지 않아 마지막으로 아는 값으로 예측했습니다. 데이터 전송을 확인해 주세요.",
            "No visits arrived for four weeks. The store has the last known values; check that it still sends.",
        ),
        "absurd": (
            "모델의 예측이 이 매장에 있을 수 없는 값이라 지난주 값으로 예측했습니다. 데이터를 확인해 주세요.",
            "The model's forecast was impossible for this store. It has last week's values; check its data.",
        ),
        "model_failed": (
            "이 매장의 데이터에서 모델이 멈춰 지난주 값으로 예측했습니다. 데이터를 확인해 주세요.",
            "The model stopped at this store's data. It has last week's values; check its data.",
        ),
        "shard_failed": (
            "이 묶음의 예측이 실패해 지난주 값으로 예측했습니다. 로그를 확인해 주세요.",
            "The forecast of this shard failed. The store has last week's values; look at the log.",
        ),
    }
)

UNPLANNED: Final = Sentences(
    ko="매장 규칙이 없거나 잘못되어 최소 인원만 넣었습니다. 매장 표를 확인해 주세요.",
    en="The store has no usable rules, so only its minimum is planned. Check the table of stores.",
)
