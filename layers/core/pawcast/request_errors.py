"""What the API tells a caller whose request it refuses, in Korean and English, by code.

Codes are contract (see `pawcast.errors`); the words may change. A sentence says what happened and what to do.
"""

from pawcast.languages import texts

REQUEST_ERRORS = texts(
    {
        "invalid_request": ("요청 내용을 확인해 주세요.", "Please check the request."),
        "title_missing": ("제목을 입력해 주세요.", "Please give a title."),
        "title_too_long": ("제목은 100자까지 쓸 수 있습니다.", "A title may have up to 100 characters."),
        "title_invalid": ("제목에 제어 문자를 쓸 수 없습니다.", "A title may not hold control characters."),
        "description_too_long": (
            "설명은 2,000자까지 쓸 수 있습니다.",
            "A description may have up to 2,000 characters.",
        ),
        "description_invalid": (
            "설명에 제어 문자를 쓸 수 없습니다.",
            "A description may not hold control characters.",
        ),
        "too_many_tags": ("태그는 10개까지 붙일 수 있습니다.", "A post may have up to 10 tags."),
        "tag_invalid": (
            "태그는 1~30자의 글자, 숫자, 밑줄(_), 하이픈(-)만 쓸 수 있습니다.",
            "A tag has 1 to 30 letters, digits, underscores or hyphens.",
        ),
        "content_type_invalid": (
            "JPEG, PNG, WebP, HEIC 사진만 올릴 수 있습니다.",
            "Only JPEG, PNG, WebP and HEIC photos are accepted.",
        ),
        "size_invalid": ("사진은 1바이트 이상 20 MB 이하여야 합니다.", "A photo has 1 byte to 20 MB."),
        "locale_invalid": ("지원하는 언어는 ko와 en입니다.", "Languages are ko and en."),
        "cursor_invalid": (
            "잘못된 페이지 표시입니다. 처음부터 다시 불러와 주세요.",
            "The cursor is not valid. Start from the first page.",
        ),
        "limit_invalid": ("한 번에 불러올 수 있는 수가 아닙니다.", "A page can not have so many items."),
        "reason_missing": ("이유를 적어 주세요.", "Please give a reason."),
        "edit_closed": ("휴무인 날에는 인원을 넣을 수 없습니다.", "A closed day or hour can't be staffed."),
        "edit_below_minimum": (
            "매장의 최소 인원보다 적게 넣을 수 없습니다.",
            "The staff can't be below the store's minimum.",
        ),
        "edit_too_many": ("인원은 10,000명까지 넣을 수 있습니다.", "At most 10,000 people."),
        "text_missing": ("내용을 적어 주세요.", "Please write a few words."),
        "text_too_long": ("글이 너무 깁니다.", "The text is too long."),
        "text_invalid": ("제어 문자를 쓸 수 없습니다.", "The text may not hold control characters."),
        "claim_reason_invalid": ("신고 이유를 골라 주세요.", "Please choose a reason for the report."),
        "too_many_requests": (
            "짧은 시간에 너무 많이 요청했습니다. 잠시 후 다시 시도해 주세요.",
            "That was too much in a short time. Please try again later.",
        ),
        "not_signed_in": ("로그인해 주세요.", "Please sign in."),
        "not_allowed": ("권한이 없습니다.", "You may not do this."),
        "not_found": ("찾을 수 없습니다.", "Not found."),
        "conflict": ("지금 상태에서는 할 수 없는 작업입니다.", "This can't be done in the present state."),
        "dependency_unavailable": ("잠시 후 다시 시도해 주세요.", "Please try again in a moment."),
        "internal_error": (
            "문제가 생겼습니다. 잠시 후 다시 시도해 주세요.",
            "Something went wrong. Please try again in a moment.",
        ),
    }
)
