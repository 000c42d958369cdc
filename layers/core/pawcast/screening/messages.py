"""Every sentence that an uploader reads, in Korean and English, by code.

Codes are contract (see `pawcast.errors`); the words may change. A sentence says what happened and what to do.
A test holds that every code that can reach a user has both languages.
"""

from pawcast.languages import Text, texts

REASONS = texts(
    {
        "human_face_suspected": (
            "사진에 사람 얼굴이 보이는 것 같아 담당자가 확인하고 있습니다. 결과를 곧 알려 드릴게요.",
            "Your photo may show a human face, so a person is checking it. We will tell you the result.",
        ),
        "screening_failed": (
            "사진을 자동으로 확인하지 못해 담당자가 직접 확인하고 있습니다. 다시 올리지 않으셔도 됩니다.",
            "We could not check your photo automatically, so a person is checking it. No need to upload it again.",
        ),
        "photo_missing": (
            "올리신 사진 파일을 찾을 수 없습니다. 새 게시물로 다시 올려 주세요.",
            "The uploaded file is gone. Please upload the photo again in a new post.",
        ),
        "empty_file": (
            "빈 파일이 올라왔습니다. 사진을 다시 선택해 올려 주세요.",
            "The file was empty. Please choose the photo again.",
        ),
        "not_an_image": (
            "사진 파일이 아닙니다. JPEG, PNG, WebP 또는 HEIC 사진을 올려 주세요.",
            "The file is not a photo. Please upload a JPEG, PNG, WebP or HEIC photo.",
        ),
        "unsupported_format": (
            "지원하지 않는 사진 형식입니다. JPEG, PNG, WebP 또는 HEIC로 저장해 다시 올려 주세요.",
            "We do not take this image format. Please save the photo as JPEG, PNG, WebP or HEIC.",
        ),
        "truncated_image": (
            "사진 파일이 손상되었거나 끝까지 올라오지 않았습니다. 원본으로 다시 올려 주세요.",
            "The file is damaged or incomplete. Please upload the original again.",
        ),
        "too_many_pixels": (
            "사진의 해상도가 너무 큽니다. 크기를 줄여 다시 올려 주세요.",
            "The photo has too many pixels. Please make it smaller and upload it again.",
        ),
        "too_large": (
            "파일이 20 MB보다 큽니다. 더 작은 파일로 올려 주세요.",
            "The file is larger than 20 MB. Please upload a smaller one.",
        ),
        "too_small": (
            "사진이 너무 작아 확인할 수 없습니다. 더 큰 사진을 올려 주세요.",
            "The photo is too small to be checked. Please upload a larger one.",
        ),
        "animated_image": (
            "움직이는 이미지는 올릴 수 없습니다. 한 장의 사진으로 올려 주세요.",
            "Animated images are not accepted. Please upload a still photo.",
        ),
    }
)

NOTICES = texts(
    {
        "PostPublished": ("“{title}” 사진이 게시되었습니다.", "Your photo “{title}” is published."),
        "PostHeld": (
            "“{title}” 사진을 담당자가 확인하고 있습니다.",
            "A person is checking your photo “{title}”.",
        ),
        "PostRejected": (
            "“{title}” 사진을 게시하지 못했습니다.",
            "Your photo “{title}” could not be published.",
        ),
    }
)

PUBLISHED_BODY = Text(
    ko="이제 모두가 피드에서 볼 수 있습니다. 함께해 주셔서 고맙습니다.",
    en="Everybody can see it in the feed now. Thank you for sharing.",
)
