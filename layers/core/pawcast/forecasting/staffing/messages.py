"""What people read about staffing, in Korean and English: refused rules and edits, plans that can't be."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.weekly.run import Sentences


def _all(texts: Mapping[str, tuple[str, str]]) -> Mapping[str, Sentences]:
    return MappingProxyType({code: Sentences(ko=ko, en=en) for code, (ko, en) in texts.items()})


REFUSALS: Final = _all(
    {
        "missing_value": (
            "매장 {store_id}: {field} 값이 없습니다. 매장 표에 {field} 값을 적어 주세요.",
            "Store {store_id}: {field} is missing. Write it in the table of stores.",
        ),
        "not_a_number": (
            "매장 {store_id}: {field} 값 {value}은(는) 쓸 수 있는 수가 아닙니다. {limit}로 적어 주세요.",
            "Store {store_id}: {field} is {value}, which is no usable number. Give {limit}.",
        ),
        "out_of_range": (
            "매장 {store_id}: {field} 값 {value}은(는) 범위를 벗어납니다. {limit}로 적어 주세요.",
            "Store {store_id}: {field} is {value}, out of range. Give {limit}.",
        ),
        "max_below_min": (
            "매장 {store_id}: {field} 값 {value}이(가) min_staff보다 작습니다. "
            "{limit}로, 또는 0(제한 없음)으로 적어 주세요.",
            "Store {store_id}: {field} is {value}, below min_staff. Give {limit}, or 0 for no limit.",
        ),
        "unknown_value": (
            "매장 {store_id}: {field} 값 {value}을(를) 알 수 없습니다. {limit} 중에서 골라 주세요.",
            "Store {store_id}: {field} is {value}, which is unknown. Choose one of {limit}.",
        ),
        "two_rows": (
            "매장 {store_id}: 매장 표에 두 번 나옵니다. 한 줄만 남겨 주세요.",
            "Store {store_id} stands twice in the table of stores. Keep one row.",
        ),
        "bad_pattern": (
            "근무조 {store_id}: {field} 값 {value}을(를) 쓸 수 없습니다. {limit} 적어 주세요.",
            "Shift pattern {store_id}: {field} is {value}. Give {limit}.",
        ),
        "unknown_forecast": (
            "매장 {store_id}: {value}의 예측이 수가 아닙니다. 예측을 다시 만들거나 지난주 값으로 대신해 주세요.",
            "Store {store_id}: the forecast at {value} is no number. Forecast again, or use the fallback.",
        ),
        "two_rows_of_a_cell": (
            "매장 {store_id}: {value} 값이 두 번 나옵니다. 한 줄만 남겨 주세요.",
            "Store {store_id} has two rows for {value}. Keep one.",
        ),
        "wrong_grain": (
            "매장 {store_id}: 예측 간격이 plans_by 값 {value}과(와) 다릅니다. "
            "매장 표를 고치거나 예측을 다시 만들어 주세요.",
            "Store {store_id} plans by {value}, but its forecast does not. "
            "Correct the table of stores or forecast again.",
        ),
        "missing_column": (
            "표에 {field} 열이 없습니다. 있는 열: {value}. {field} 열을 넣어 주세요.",
            "The table has no column {field}, only {value}. Add it.",
        ),
        "below_minimum": (
            "매장 {store_id}: {value}의 인원을 {limit}명보다 적게 고칠 수 없습니다. {limit}명 이상을 적어 주세요.",
            "Store {store_id}: the edit at {value} is below the store's minimum. Give at least {limit} people.",
        ),
        "not_whole": (
            "매장 {store_id}: {field} 값 {value}은(는) 사람 수가 아닙니다. 0 이상의 정수를 적어 주세요.",
            "Store {store_id}: {field} is {value}, which is no number of people. Give a whole number.",
        ),
        "closed": (
            "매장 {store_id}: {value}에는 문을 닫아 고친 인원을 쓸 수 없습니다. 휴무일을 확인해 주세요.",
            "Store {store_id} is closed at {value}, so the edit has no effect. Check the calendar.",
        ),
        "outside_hours": (
            "매장 {store_id}: {value} 근무조가 영업시간 {limit}시를 벗어납니다. 영업시간 안에서 정해 주세요.",
            "Store {store_id}: the shift {value} leaves the opening hours {limit}. Keep it within them.",
        ),
        "shifts_replaced": (
            "매장 {store_id}: 그날 근무조를 직접 정했으므로 {value}의 인원 수정은 쓰지 않았습니다. "
            "근무조를 고쳐 주세요.",
            "Store {store_id}: the shifts of that day were replaced, so the edit at {value} was left out. "
            "Edit the shifts.",
        ),
        "not_planned": (
            "매장 {store_id}: 계획에 {value}이(가) 없습니다. 매장과 시각을 확인해 주세요.",
            "Store {store_id} has nothing planned at {value}. Check store and time.",
        ),
    }
)

INFEASIBLE: Final = _all(
    {
        "hours_not_covered": (
            "{day} {hours}시를 맡을 근무조가 없습니다. {shift} 근무조를 허용하거나 {close}.",
            "No shift covers {hours} on {day}: allow a shift {shift}, or {close}.",
        ),
        "max_staff": (
            "최대 {limit}명인데 {at}에 {needed}명이 필요합니다. 최대 인원을 {raise_to}명으로 올려 주세요.",
            "At most {limit} people, {needed} needed at {at}: raise max_staff to {raise_to}.",
        ),
        "max_staff_or_quantile": (
            "최대 {limit}명인데 {at}에 {needed}명이 필요합니다. 최대 인원을 {raise_to}명으로 올리거나 "
            "서비스 분위수를 {quantile}(으)로 낮춰 주세요.",
            "At most {limit} people, {needed} needed at {at}: raise max_staff to {raise_to}, or lower service_quantile "
            "to {quantile}.",
        ),
        "max_people": (
            "하루 최대 {limit}명인데 {at}에 {needed}명이 필요합니다. 하루 최대 인원을 {raise_to}명으로 올려 주세요.",
            "At most {limit} people a day, {needed} needed on {at}: raise max_people_per_day to {raise_to}.",
        ),
        "max_people_or_quantile": (
            "하루 최대 {limit}명인데 {at}에 {needed}명이 필요합니다. 하루 최대 인원을 {raise_to}명으로 올리거나 "
            "서비스 분위수를 {quantile}(으)로 낮춰 주세요.",
            "At most {limit} people a day, {needed} needed on {at}: raise max_people_per_day to {raise_to}, or lower "
            "service_quantile to {quantile}.",
        ),
        "no_rules": (
            "매장 규칙이 없어 계획하지 못했습니다. 매장 표를 확인해 주세요.",
            "The store has no usable rules, so nothing was planned. Check the table of stores.",
        ),
    }
)


def refusal(
    code: str, *, field: str, store_id: str = "", value: object = "", limit: Sentences | object = ""
) -> InvalidStaffing:
    """The error of a code, with its facts put in; `limit` says what may be given."""
    facts = {"store_id": store_id, "field": field, "value": value}
    ko, en = (limit.ko, limit.en) if isinstance(limit, Sentences) else (limit, limit)
    text = REFUSALS[code]
    return InvalidStaffing(
        text.en.format(**facts, limit=en),
        text.ko.format(**facts, limit=ko),
        code=code,
        field=field,
        store_id=store_id,
        value=str(value),
    )
