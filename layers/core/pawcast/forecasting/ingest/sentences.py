"""The codes of what can be wrong with a drop file, and a sentence for each in Korean and English.

Codes are contract, words may change. A sentence says what happened and what to do. Placeholders: value, column,
other_row, limit.
"""

from collections.abc import Mapping
from typing import Final

from pawcast.languages import Language

WARNINGS: Final = frozenset(
    {
        "column_ignored",
        "duplicate_disagrees",
        "duplicate_identical",
        "hour_ending_labels",
        "hour_repeated",
        "mail_unreadable",
        "time_not_over",
        "visitors_unknown",
        "visitors_unusual",
        "zero_without_open",
    }
)

SENTENCES: Final[Mapping[str, Mapping[Language, str]]] = {
    # --- the file as a whole is refused
    "file_too_large": {
        "ko": "파일이 {value}로 한도 {limit}를 넘습니다. 달이나 매장별로 나누어 다시 보내 주세요.",
        "en": (
            "The file has {value}, more than the limit of {limit}. Split it by month or by store and send the parts."
        ),
    },
    "file_empty": {
        "ko": "파일이 비어 있습니다. 내보내기가 끝났는지 확인하고 다시 보내 주세요.",
        "en": "The file is empty. Check that the export finished, then send it again.",
    },
    "no_rows": {
        "ko": "머리글만 있고 데이터 행이 없습니다. 데이터가 든 파일을 보내 주세요.",
        "en": "There is a header but no row of data. Send the file with its data.",
    },
    "spreadsheet": {
        "ko": "이름만 바꾼 스프레드시트 파일입니다. 스프레드시트에서 'CSV UTF-8'로 저장해 다시 보내 주세요.",
        "en": (
            "This is a spreadsheet, whatever its name says. Save it as "
            "'CSV UTF-8' in the spreadsheet program and send that."
        ),
    },
    "compressed_file": {
        "ko": "압축된 파일입니다. 압축을 풀어 CSV나 Parquet 파일로 보내 주세요.",
        "en": "The file is compressed. Unpack it and send the CSV or Parquet file.",
    },
    "web_page": {
        "ko": "표가 아니라 웹 페이지입니다. 내보내기 화면에서 CSV를 골라 다시 받아 주세요.",
        "en": "This is a web page, not a table. Choose CSV in the export and send that.",
    },
    "encoding_unknown": {
        "ko": "{value} 문자로 저장된 파일입니다. 'CSV UTF-8'로 저장해 다시 보내 주세요.",
        "en": "The file is written in {value}. Save it as 'CSV UTF-8' and send it again.",
    },
    "no_stores": {
        "ko": "등록된 매장이 없습니다. 매장 파일을 drops/stores/에 먼저 올린 뒤 이 파일을 다시 보내 주세요.",
        "en": (
            "No store is registered yet. Drop the file of stores into drops/stores/ first, then send this file again."
        ),
    },
    "kind_unknown": {
        "ko": "'{value}'에는 무엇이 오는지 정해져 있지 않습니다. {limit} 가운데 하나에 올려 주세요.",
        "en": "Nothing is expected below '{value}'. Drop the file into one of {limit}.",
    },
    "not_a_table": {
        "ko": "CSV나 Parquet 표로 읽을 수 없습니다. 파일을 확인하고 다시 보내 주세요.",
        "en": "This can't be read as a CSV or Parquet table. Check the file and send it again.",
    },
    "parquet_damaged": {
        "ko": "Parquet 파일이 손상되었거나 끝까지 오지 않았습니다. 다시 만들어 보내 주세요. ({value})",
        "en": "The Parquet file is damaged or incomplete. Write it again and send it. ({value})",
    },
    "header_missing": {
        "ko": "첫 행에 열 이름이 없습니다. 첫 행에 {limit} 열 이름을 넣어 주세요. 지금 첫 행: {value}",
        "en": "The first row has no column names. Put {limit} into it. It now reads: {value}",
    },
    "column_missing": {
        "ko": "'{column}' 열이 없습니다. 열을 넣어 다시 보내 주세요. 지금 있는 열: {value}",
        "en": "Column '{column}' is missing. Add it and send the file again. Columns found: {value}",
    },
    "column_twice": {
        "ko": "'{column}' 열이 두 번 있습니다({value}). 하나만 남겨 주세요.",
        "en": "Column '{column}' is there twice ({value}). Leave one of them.",
    },
    "too_many_rows": {
        "ko": "행이 {value}개로 한도 {limit}개를 넘습니다. 나누어 다시 보내 주세요.",
        "en": "The file has {value} rows, more than the limit of {limit}. Split it and send the parts.",
    },
    "too_many_values": {
        "ko": "'{column}' 열에 서로 다른 값이 {limit}개를 넘습니다. 열이 바뀌지 않았는지 확인해 주세요.",
        "en": "Column '{column}' has more than {limit} different values. Check that columns were not exchanged.",
    },
    "too_many_broken_rows": {
        "ko": (
            "절반이 넘는 행({value}개)의 칸 수가 머리글과 다르거나 읽을 수 없습니다. 구분자와 따옴표를 확인해 주세요."
        ),
        "en": (
            "More than half of the rows ({value}) can't be read or don't fit the header. Check separators and quotes."
        ),
    },
    # --- a line can't be taken apart
    "row_ragged": {
        "ko": "칸 수가 머리글({limit}칸)과 다릅니다({value}). 구분자를 확인해 행을 고쳐 주세요.",
        "en": "The row has another number of cells ({value}) than the header ({limit}). Correct the separators.",
    },
    "row_control_character": {
        "ko": "행에 글자가 아닌 바이트(NUL 등)가 있습니다. 다시 내보내 주세요.",
        "en": "The row holds bytes that are no text (NUL or a bare carriage return). Export it again.",
    },
    "row_quotes": {
        "ko": "행의 따옴표가 닫히지 않았습니다. 따옴표를 짝이 맞게 고쳐 주세요.",
        "en": "A quotation mark is not closed in this row. Quotation marks must come in pairs within a row.",
    },
    "row_undecodable": {
        "ko": "행의 글자를 읽을 수 없습니다. 'CSV UTF-8'로 저장해 다시 보내 주세요.",
        "en": "The characters of this row can't be read. Save the file as 'CSV UTF-8' and send it again.",
    },
    # --- a row is set aside
    "store_missing": {
        "ko": "매장 번호가 비어 있습니다. 매장 번호를 넣어 다시 보내 주세요.",
        "en": "The store is empty. Put the store's id and send the row again.",
    },
    "store_unknown": {
        "ko": "'{value}'은(는) 등록되지 않은 매장입니다.{limit} 번호를 고치거나 매장을 먼저 등록해 주세요.",
        "en": "Store '{value}' is not registered.{limit} Correct the id, or register the store first.",
    },
    "time_missing": {
        "ko": "날짜가 비어 있습니다. 2026-11-01 또는 2026-11-01 13:00처럼 적어 주세요.",
        "en": "The date is empty. Write it as 2026-11-01 or 2026-11-01 13:00.",
    },
    "time_unreadable": {
        "ko": "'{value}'을(를) 날짜로 읽을 수 없습니다. 2026-11-01 또는 2026-11-01 13:00처럼 적어 주세요.",
        "en": "'{value}' can't be read as a date. Write it as 2026-11-01 or 2026-11-01 13:00.",
    },
    "time_does_not_exist": {
        "ko": "{value}은(는) 서머타임이 시작되어 매장({limit})에 없는 시각입니다. 현지 시각을 확인해 주세요.",
        "en": "{value} does not exist at the store ({limit}): daylight saving starts there. Check the local hour.",
    },
    "time_between_hours": {
        "ko": "{value}은(는) 정시가 아닙니다. 시간별 방문자는 매시 정각 기준으로 모아 주세요.",
        "en": "{value} is not a full hour. Sum visitors by the hour, named by its start.",
    },
    "time_too_old": {
        "ko": "{value}은(는) {limit}년 이전입니다. 연도를 확인해 주세요.",
        "en": "{value} is before the year {limit}. Check the year.",
    },
    "time_future": {
        "ko": "{value}은(는) 매장 시각으로 아직 오지 않았습니다. 미리 아는 일정은 calendar 파일로 보내 주세요.",
        "en": "{value} is in the future at the store. Send facts known in advance in the calendar file.",
    },
    "time_not_over": {
        "ko": "{value}은(는) 매장에서 아직 끝나지 않았습니다. 끝난 뒤 전체 수를 다시 보내 주세요.",
        "en": "{value} is not over at the store. The row is kept; send the full count when it is over.",
    },
    "time_zone_mixed": {
        "ko": (
            "{value}은(는) 파일의 다른 행({limit})과 다른 시간대로 적혀 있습니다. 한 파일에는 한 가지로만 적어 주세요."
        ),
        "en": "{value} is written in another time zone than most rows ({limit}). Use one way of writing in a file.",
    },
    "time_step_differs": {
        "ko": "{value}: 이 매장의 plans_by는 {limit}입니다(day: 일별, hour: 시간별). 파일이나 매장 표를 고쳐 주세요.",
        "en": (
            "{value}: this store plans by {limit}. Send its visits by {limit}, or correct plans_by in the stores file."
        ),
    },
    "day_not_midnight": {
        "ko": "{value}은(는) 매장에서 하루의 시작이 아닙니다. 날짜만 적어 주세요(2026-11-01).",
        "en": "{value} is not the start of a day at the store. Write the date alone (2026-11-01).",
    },
    "hour_repeated": {
        "ko": (
            "{value}은(는) 서머타임이 끝나 두 번 있는 시각인데 한 행만 "
            "왔습니다. 첫 번째로 보았습니다. 시차를 붙여 주세요."
        ),
        "en": (
            "{value} happens twice as daylight saving ends, but came once. It was taken as the first; write the offset."
        ),
    },
    "hour_ending_labels": {
        "ko": (
            "24:00은 있고 00:00은 없습니다. 시각이 시간대의 시작을 뜻하는지 "
            "확인해 주세요. 24:00은 다음 날 00:00으로 넣었습니다."
        ),
        "en": (
            "There is 24:00 but never 00:00. Check that hours are named "
            "by their start; 24:00 was taken as 00:00 of the next day."
        ),
    },
    "visitors_missing": {
        "ko": "방문자 수가 비어 있습니다. 휴무면 open에 0을, 열었지만 모르면 open에 1을 적어 주세요.",
        "en": (
            "Visitors are empty. If the store was closed put 0 into open; if it was open and the count is lost, put 1."
        ),
    },
    "visitors_unknown": {
        "ko": "열었지만 방문자 수가 없습니다. '모름'으로 저장했습니다. 수를 찾으면 다시 보내 주세요.",
        "en": (
            "The store was open but its count is empty. It is kept "
            "as unknown; send the row again if the count turns up."
        ),
    },
    "visitors_unreadable": {
        "ko": "방문자 수 '{value}'을(를) 수로 읽을 수 없습니다. 숫자만 적어 주세요.",
        "en": "Visitors '{value}' can't be read as a number. Write digits only.",
    },
    "visitors_negative": {
        "ko": "방문자 수가 음수입니다({value}). 정정은 올바른 전체 수로 보내 주세요.",
        "en": "Visitors are negative ({value}). Send a correction as the full right count, not as a difference.",
    },
    "visitors_fractional": {
        "ko": "방문자 수가 정수가 아닙니다({value}). 센 사람 수를 그대로 보내 주세요.",
        "en": "Visitors are no whole number ({value}). Send the people counted, no mean or share.",
    },
    "visitors_impossible": {
        "ko": "방문자 수 {value}은(는) 한도 {limit}을 넘습니다. 열이 밀리지 않았는지 확인해 주세요.",
        "en": "{value} visitors are more than {limit}, which no store has. Check that columns have not shifted.",
    },
    "visitors_unusual": {
        "ko": (
            "방문자 {value}명은 이 매장의 보통 수(상한 {limit})보다 "
            "훨씬 많습니다. 맞는지 확인하고 틀리면 다시 보내 주세요."
        ),
        "en": (
            "{value} visitors are far above what this store has (bound "
            "{limit}). Kept; check it, and send it again if wrong."
        ),
    },
    "zero_without_open": {
        "ko": "방문자가 0이고 open 열이 없는 행이 있습니다. 휴무는 0이 아닙니다. open 열에 0 또는 1을 보내 주세요.",
        "en": (
            "Some rows have 0 visitors and don't say whether the store "
            "was open. Closed is not zero: send the column open."
        ),
    },
    "closed_with_visitors": {
        "ko": "휴무(open 0)인데 방문자가 {value}명입니다. 둘 중 하나를 고쳐 주세요.",
        "en": "The store is marked closed (open 0) but has {value} visitors. Correct one of the two.",
    },
    "flag_unreadable": {
        "ko": "'{column}' 칸의 '{value}'을(를) 알 수 없습니다. 1(예) 또는 0(아니요)을 적어 주세요.",
        "en": "'{value}' in '{column}' is not understood. Write 1 for yes or 0 for no.",
    },
    "duplicate_identical": {
        "ko": "{other_row}행과 같은 행입니다. 한 번만 셌습니다.",
        "en": "The same as row {other_row}. It was counted once.",
    },
    "duplicate_disagrees": {
        "ko": (
            "{other_row}행과 매장·시각이 같은데 값이 다릅니다(이 행: {value}). "
            "뒤의 {other_row}행을 썼습니다. 맞는지 확인해 주세요."
        ),
        "en": (
            "Row {other_row} has the same store and time but other values "
            "(here: {value}). The later row {other_row} counts; check."
        ),
    },
    # --- small tables
    "value_missing": {
        "ko": "'{column}' 칸이 비어 있습니다. 값을 넣어 다시 보내 주세요.",
        "en": "The cell '{column}' is empty. Fill it and send the row again.",
    },
    "number_unreadable": {
        "ko": "'{column}' 칸의 '{value}'은(는) {limit} 이상의 수가 아닙니다. 숫자로 고쳐 주세요.",
        "en": "'{value}' in '{column}' is no number of at least {limit}. Correct it.",
    },
    "choice_unknown": {
        "ko": "'{column}' 칸의 '{value}'은(는) 쓸 수 없습니다. {limit} 가운데 하나를 적어 주세요.",
        "en": "'{value}' can't stand in '{column}'. Write one of {limit}.",
    },
    "zone_unknown": {
        "ko": "'{value}'은(는) 시간대 이름이 아닙니다. Asia/Seoul처럼 적어 주세요.",
        "en": "'{value}' is no time zone. Write a name such as Asia/Seoul.",
    },
    "region_unknown": {
        "ko": "'{value}' 지역의 공휴일을 알 수 없습니다. KR, JP, DE-BY처럼 적어 주세요.",
        "en": "No public holidays are known for region '{value}'. Write it as KR, JP or DE-BY.",
    },
    "store_id_unusable": {
        "ko": "매장 번호 '{value}'은(는) 쓸 수 없습니다. 빈칸과 / # ? % \\ 없이 64자까지로 적어 주세요.",
        "en": "Store id '{value}' can't be used. Write up to 64 characters without spaces and / # ? % \\.",
    },
    "mail_unreadable": {
        "ko": (
            "'{value}'은(는) 메일 주소가 아닙니다. 주소 없이 받았으니 "
            "이 매장은 계획을 메일로 받지 못합니다. 고쳐 주세요."
        ),
        "en": "'{value}' is no mail address. The store was taken without one and gets no plan by mail. Correct it.",
    },
    "hours_reversed": {
        "ko": "여는 시각이 닫는 시각({value})보다 늦거나 한쪽만 있습니다. 두 시각을 확인해 주세요.",
        "en": "Opening is not before closing ({value}), or one of the two is missing. Check both.",
    },
    "promotion_without_end": {
        "ko": "행사 종료일이 없습니다. 종료일을 넣어 주세요. 그때까지 이 행사는 예측에 쓰지 않습니다.",
        "en": "The promotion has no end. Put its last day; until then the forecast leaves it out.",
    },
    "promotion_reversed": {
        "ko": "행사 종료일({value})이 시작일보다 빠릅니다. 두 날짜를 확인해 주세요.",
        "en": "The promotion ends ({value}) before it starts. Check both dates.",
    },
    "promotion_too_long": {
        "ko": "행사가 {limit}일을 넘습니다({value}까지). 종료일을 확인해 주세요.",
        "en": "The promotion lasts more than {limit} days (until {value}). Check its end.",
    },
    # --- notes on the whole file
    "column_ignored": {
        "ko": "'{column}' 열은 쓰지 않았습니다. 이름이 틀렸다면 고쳐 주세요.",
        "en": "Column '{column}' was not used. Correct its name if it was meant to be.",
    },
}
