"""The words of the report, in Korean and English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pawcast.forecasting.weekly.run import Sentences


def _all(table: Mapping[str, tuple[str, str]]) -> Mapping[str, Sentences]:
    return MappingProxyType({code: Sentences(ko=ko, en=en) for code, (ko, en) in table.items()})


WEEKDAYS: Final = (
    Sentences(ko="월", en="Mon"),
    Sentences(ko="화", en="Tue"),
    Sentences(ko="수", en="Wed"),
    Sentences(ko="목", en="Thu"),
    Sentences(ko="금", en="Fri"),
    Sentences(ko="토", en="Sat"),
    Sentences(ko="일", en="Sun"),
)

SAFE: Final = _all(
    {
        "yes": ("승인해도 안전합니다", "Safe to approve"),
        "look": ("먼저 확인해 주세요", "Look first"),
        "no": ("승인하지 마세요", "Not safe to approve"),
    }
)

METHODS: Final = _all(
    {
        "model": ("모델", "model"),
        "cold_start": ("신규 매장", "cold start"),
        "seasonal_naive": ("지난주 값", "seasonal naive"),
    }
)

DESIGNS: Final = _all({"split": ("매장 나누기", "split"), "shadow": ("같은 매장 비교", "shadow")})

WORDS: Final = _all(
    {
        "title": ("{week} 방문 예측과 인원 계획", "{week}: visitors and staff"),
        "days": ("{first} ~ {last}", "{first} to {last}"),
        "attempt": ("{attempt}차 실행", "attempt {attempt}"),
        "question": ("이번 주 계획을 승인해도 될까요?", "Is this week safe to approve?"),
        "language": ("언어", "Language"),
        "no_reason": ("모든 점검을 통과했습니다.", "Every check passed."),
        "checks": ("점검", "Checks"),
        "check": ("항목", "Check"),
        "result": ("결과", "Result"),
        "value": ("값", "Value"),
        "limit": ("기준", "Limit"),
        "passed": ("통과", "passed"),
        "warned": ("주의", "warning"),
        "stopped": ("중단", "stopped"),
        "changes": ("지난주와 달라진 점", "What changed"),
        "figure": ("지표", "Figure"),
        "this_week": ("이번 계획", "This plan"),
        "before": ("이전", "Before"),
        "change": ("변화", "Change"),
        "visitors": ("방문자", "Visitors"),
        "visitors_known": ("방문자(이전: 확인된 마지막 주)", "Visitors (before: newest known week)"),
        "staff_days": ("근무 인일", "Staff-days"),
        "staff_days_before": ("근무 인일(이전: 지난주 방식)", "Staff-days (before: last week's practice)"),
        "moved": ("근무 인일이 가장 많이 바뀐 매장", "Stores whose staff-days changed most"),
        "look_title": ("먼저 볼 매장", "Stores to look at first"),
        "look_more": (
            "볼 이유가 있는 매장 {count}곳 중 처음 {shown}곳입니다. 나머지는 look.csv에 있습니다.",
            "The first {shown} of {count} stores with a reason; look.csv has the others.",
        ),
        "first_of": (
            "매장 {count}곳 중 처음 {shown}곳입니다. 전체는 {file}에 있습니다.",
            "The first {shown} of {count} stores; {file} has all.",
        ),
        "look_none": ("특별히 볼 매장이 없습니다.", "No store stands out."),
        "look_all": ("볼 이유가 있는 매장 전부입니다({count}곳).", "Every store with a reason ({count})."),
        "why": ("이유", "Why"),
        "store": ("매장", "Store"),
        "chain": ("전체 매장", "All stores"),
        "chain_caption": ("일별 방문자: 실제와 예측", "Visitors by day: actual and forecast"),
        "as_table": ("표로 보기", "As a table"),
        "day": ("날짜", "Day"),
        "hour": ("시간", "Hour"),
        "actual": ("실제", "Actual"),
        "forecast": ("예측", "Forecast"),
        "interval": ("80 % 구간", "80 % interval"),
        "staff": ("인원", "Staff"),
        "needed": ("필요", "Needed"),
        "risk": ("부족 확률", "Risk of too few"),
        "band_note": (
            "전체 매장과 시간별 매장의 하루 구간은 각 구간의 합입니다. "
            "모두 같은 쪽으로 빗나갈 때의 폭이라 실제보다 넓습니다.",
            "Intervals of all stores, and of the days of a store that plans by hour, are sums of intervals: "
            "as wide as if all were wrong in the same direction, so wider than 80 %.",
        ),
        "gap_note": (
            "계획 주 바로 앞 한 주는 예측할 때 아직 알 수 없어 비어 있습니다.",
            "The week before the planned one is empty: nobody knew it yet when the forecast was made.",
        ),
        "by_store": ("매장별", "By store"),
        "choose": ("매장 고르기", "Choose a store"),
        "choose_hint": ("이름이나 ID로 찾기", "Find by name or id"),
        "not_charted": (
            "차트는 먼저 볼 매장과 큰 매장에만 있습니다. 이 매장의 일별 계획은 plan.csv에 있습니다.",
            "Charts are kept for the stores to look at and the largest; plan.csv has this store's days.",
        ),
        "shown_of": ("{count}곳 중 {shown}곳. 더 입력하면 좁혀집니다.", "{shown} of {count}. Type more to narrow it."),
        "not_found": ("그런 매장이 없습니다.", "There is no such store."),
        "needs_script": (
            "차트와 매장 선택은 스크립트가 켜져 있어야 보입니다. 모든 값은 표와 CSV에 있습니다.",
            "Charts and the choice of a store need scripts. All figures are in the tables and CSV files.",
        ),
        "store_days": ("선택한 매장의 계획 주, 일별", "The chosen store's planned week by day"),
        "store_hours": ("선택한 매장의 계획 주, 시간별", "The chosen store's planned week by hour"),
        "closed": ("휴무", "closed"),
        "errors": ("예측 오차", "Forecast errors"),
        "errors_of": (
            "{weeks} 예측을 실제와 비교했습니다. 막대: 모델과 지난주 그대로 예측(seasonal naive)의 WAPE.",
            "The forecast of {weeks} against what came. Bars: WAPE of the forecast and of seasonal naive.",
        ),
        "errors_none": (
            "아직 평가할 예측이 없습니다.",
            "There is no forecast yet to evaluate.",
        ),
        "overall": ("전체", "All"),
        "weekday": ("요일", "Weekday"),
        "arm": ("모델 버전(arm)", "Arm"),
        "method": ("방법", "Method"),
        "wape": ("WAPE", "WAPE"),
        "naive_wape": ("지난주 그대로 WAPE", "Naive WAPE"),
        "skill": ("개선율", "Skill"),
        "bias": ("편향", "Bias"),
        "coverage": ("구간 적중률", "Coverage"),
        "mae": ("MAE", "MAE"),
        "rmse": ("RMSE", "RMSE"),
        "pinball": ("핀볼 80", "Pinball 80"),
        "bars": ("비교", "Beside naive"),
        "legend_model": ("예측", "forecast"),
        "legend_naive": ("지난주 그대로", "seasonal naive"),
        "measures": (
            "WAPE: 오차 합 ÷ 방문자 합. 개선율: 지난주 그대로 예측보다 오차가 준 비율. 편향: +면 많게 예측. "
            "구간 적중률: 80 %에 가까울수록 좋습니다.",
            "WAPE: sum of errors over sum of visitors. Skill: errors saved against seasonal naive. "
            "Bias: above 0, too many forecast. Coverage should be near 80 %.",
        ),
        "not_scored": (
            "점수에서 뺀 행: 휴무 {closed}, 방문 미상 {unknown}, 계획에 없던 영업 {opened}, 예측 없음 {without}.",
            "Rows left out: {closed} closed, {unknown} unknown, {opened} opened unplanned, "
            "{without} without a forecast.",
        ),
        "experiments": ("모델 비교 실험", "Comparisons of arms"),
        "design": ("방식", "Design"),
        "arms": ("비교", "Arms"),
        "weeks": ("주", "Weeks"),
        "difference": ("WAPE 차이(B−A)", "WAPE difference (B less A)"),
        "confidence": ("95 % 구간", "95 % interval"),
        "verdict": ("결론", "Verdict"),
        "staffing": ("근무 인일", "Staff-days"),
        "staffing_caption": ("{weeks} 계획과 실제로 필요했던 인원", "The plan of {weeks} against what was needed"),
        "staff_plan": ("이번 주 계획", "Planned for this week"),
        "staff_last": ("지난주 방식이면", "By last week's practice"),
        "staff_saved": ("지난주 방식보다 절약", "Saved against last week's practice"),
        "staff_none": ("평가한 주의 인원 값이 없습니다.", "There are no staff figures of an evaluated week."),
        "practice": ("지난주 방식", "Last week's practice"),
        "the_plan": ("계획", "Plan"),
        "edits": ("사람이 고친 계획의 점수", "What people's edits were worth"),
        "who": ("누가", "Who"),
        "everybody": ("전체", "everybody"),
        "edit_count": ("수정", "Edits"),
        "helped": ("도움", "Helped"),
        "hurt": ("손해", "Hurt"),
        "under_avoided": ("줄인 부족(인일)", "Too few avoided (staff-days)"),
        "over_avoided": ("줄인 초과(인일)", "Too many avoided (staff-days)"),
        "quarantined": ("모델 대신 지난주 값을 쓴 매장", "Stores set apart"),
        "quarantined_none": ("없습니다.", "None."),
        "provenance": ("이 보고서의 출처", "Provenance"),
        "week": ("주", "Week"),
        "execution": ("실행", "Execution"),
        "started": ("시작", "Started"),
        "started_by": ("시작한 사람", "Started by"),
        "generated": ("만든 시각", "Made"),
        "data_version": ("데이터 버전", "Data version"),
        "release": ("모델 릴리스", "Model release"),
        "models": ("모델", "Models"),
        "stores": ("매장", "Stores"),
        "shards": ("묶음", "Shards"),
        "backfill": ("지난 주를 다시 계산", "Backfill"),
        "yes": ("예", "yes"),
        "no": ("아니요", "no"),
        "tables_note": (
            "같은 폴더에 모든 표가 CSV와 Parquet으로 있습니다.",
            "All tables lie beside this page as CSV and Parquet.",
        ),
    }
)

STAFF_TOTALS: Final = _all(
    {
        "staff_days": ("계획한 인일", "Staff-days planned"),
        "needed_staff_days": ("실제로 필요했던 인일", "Staff-days needed"),
        "perfect_staff_days": ("미리 알았다면 짰을 인일", "Staff-days with perfect foresight"),
        "regret": ("미리 안 경우와의 차이", "Above perfect foresight"),
        "under": ("부족", "Too few"),
        "over": ("초과", "Too many"),
        "understaffed_rows": ("부족했던 행", "Rows with too few people"),
        "understaffed_share": ("부족했던 행의 비율", "Share of rows with too few people"),
    }
)

# What the page's script writes itself.
PAGE_WORDS: Final = MappingProxyType(
    {
        code: WORDS[code]
        for code in (
            "actual", "arm", "as_table", "before", "chain_caption", "closed", "day", "forecast", "hour", "interval",
            "method", "needed", "not_charted", "not_found", "risk", "shown_of", "staff", "staff_days", "store_days",
            "store_hours",
        )
    }
    | {f"method_{code}": words for code, words in METHODS.items()}
    | {f"weekday_{place}": words for place, words in enumerate(WEEKDAYS)}
)  # fmt: skip
