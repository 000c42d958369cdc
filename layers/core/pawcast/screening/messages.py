"""Every sentence that an uploader reads, in Korean and English, by code.

Codes are contract (see `pawcast.errors`); the words may change. A sentence says what happened and what to do.
A test holds that every code that can reach a user has both languages.
"""

from pawcast.languages import Text, texts

REASONS = texts(
    {
        # ---- a person is looking
        "human_face_suspected": (
            "사진에 사람 얼굴이 보이는 것 같아 담당자가 확인하고 있습니다. 결과를 곧 알려 드릴게요.",
            "Your photo may show a human face, so a person is checking it. We will tell you the result.",
        ),
        "screening_failed": (
            "사진을 자동으로 확인하지 못해 담당자가 직접 확인하고 있습니다. 다시 올리지 않으셔도 됩니다.",
            "We could not check your photo automatically, so a person is checking it. No need to upload it again.",
        ),
        "claimed": (
            "여러 분이 이 사진을 신고해 잠시 숨기고 담당자가 확인하고 있습니다. 문제가 없으면 바로 다시 게시합니다.",
            "Several people reported this photo. It is hidden while a person checks it, and comes back if all is well.",
        ),
        "checked_again": (
            "담당자가 조금 전의 결정을 취소하고 사진을 다시 확인하고 있습니다. 따로 하실 일은 없습니다.",
            "The operator took the last decision back and is checking your photo again. You need not do anything.",
        ),
        # ---- what a person, or a person's verdict on the same photo, found
        "human_face": (
            "사진에서 알아볼 수 있는 사람 얼굴이 확인되었습니다.",
            "A person's face can be recognised in your photo.",
        ),
        "printed_face": (
            "사진 속 포스터, 화면 또는 인쇄물에서 사람 얼굴이 확인되었습니다.",
            "A human face can be seen on a poster, a screen or a print in your photo.",
        ),
        "no_living_animal": (
            "사진에서 살아 있는 동물을 찾지 못했습니다. 이곳은 동물 사진을 나누는 곳입니다.",
            "We found no living animal in your photo. This is a place for photos of animals.",
        ),
        "gruesome": (
            "보는 분들이 놀랄 수 있는 장면이 있어 사진을 게시하지 않았습니다.",
            "The photo shows something that may shock the people who see it.",
        ),
        "other_violation": (
            "사진이 커뮤니티 규칙에 맞지 않습니다.",
            "The photo does not follow the community's rules.",
        ),
        "banned_repeat": (
            "담당자가 이전에 게시할 수 없다고 결정한 사진과 같은 사진입니다.",
            "This is the same photo as one that an operator decided can't be published.",
        ),
        # ---- covering faces
        "mosaic_no_face": (
            "가릴 얼굴을 찾지 못해 모자이크 사진을 만들지 못했습니다.",
            "We found no face to cover, so there is no copy with faces covered.",
        ),
        "mosaic_failed": (
            "모자이크 사진을 만들지 못했습니다. 원본 사진은 그대로 있습니다.",
            "The copy with faces covered could not be made. Your original photo is unchanged.",
        ),
        # ---- the file itself
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
        "PostOverturned": (
            "담당자가 확인한 “{title}” 사진이 게시되었습니다.",
            "A person checked your photo “{title}”, and it is published.",
        ),
        "PostLate": (
            "“{title}” 사진의 확인이 늦어져 죄송합니다.",
            "We are sorry: checking your photo “{title}” takes longer.",
        ),
        "MosaicReady": (
            "“{title}” 사진의 얼굴을 가렸습니다. 확인해 주세요.",
            "The faces in your photo “{title}” are covered. Please have a look.",
        ),
        "MosaicFailed": (
            "“{title}” 사진의 얼굴을 가리지 못했습니다.",
            "The faces in your photo “{title}” could not be covered.",
        ),
    }
)

# What follows from an event, after its reason where it has one; a rejection's is among `REMEDIES` instead.
BODIES = texts(
    {
        "PostPublished": (
            "이제 모두가 피드에서 볼 수 있습니다. 함께해 주셔서 고맙습니다.",
            "Everybody can see it in the feed now. Thank you for sharing.",
        ),
        "PostOverturned": (
            "사진에 문제가 없음을 담당자가 확인했고, 이제 모두가 피드에서 볼 수 있습니다. 기다려 주셔서 고맙습니다. "
            "같은 사진을 다시 올리셔도 더는 멈추지 않습니다.",
            "A person found nothing wrong with it, and everybody can see it in the feed now. Thank you for waiting. "
            "The same photo will not be stopped again.",
        ),
        "PostLate": (
            "한 시간 안에 알려 드리기로 했지만 아직 확인이 끝나지 않았습니다. 사진은 안전하게 보관되어 있고 순서대로 "
            "확인하고 있으니 다시 올리지 않으셔도 됩니다. 결과가 나오는 대로 알려 드리겠습니다.",
            "We promised an answer within an hour and are not done yet. Your photo is safe and in line, so there is no "
            "need to upload it again. We will tell you as soon as there is a result.",
        ),
        "MosaicReady": (
            "‘내 게시물’에서 가리기 전과 후를 비교해 보세요. 마음에 드시면 이 사진으로 게시를 요청하고, 아니면 그대로 "
            "둘 수 있습니다. 요청하시기 전에는 아무에게도 보이지 않습니다.",
            "Compare before and after in “My posts”. Ask us to publish the covered copy if you like it, or decline it. "
            "Nobody sees it before you ask.",
        ),
        "MosaicFailed": (
            "다른 사진을 올리시거나, ‘내 게시물’에서 아직 할 수 있는 일을 확인해 주세요.",
            "You can upload another photo, or look in “My posts” what else you can do.",
        ),
    }
)

# What can be done about a rejection, in "my posts".
REMEDIES = texts(
    {
        "appeal": (
            "결정이 잘못되었다고 생각하시면 ‘내 게시물’에서 한 번 이의를 제기하실 수 있습니다. 다른 담당자가 다시 "
            "확인합니다.",
            "If you think this is wrong, you can appeal once from “My posts”: another person will look at it.",
        ),
        "mosaic": (
            "‘내 게시물’에서 얼굴을 가려 게시하실 수도 있습니다.",
            "You can also publish it with the faces covered, from “My posts”.",
        ),
    }
)

# What leads from a mail to the site.
LOOK_AT_POST = Text(ko="게시물 보기", en="See the post")
OPEN_MY_POSTS = Text(ko="‘내 게시물’ 열기", en="Open “My posts”")
