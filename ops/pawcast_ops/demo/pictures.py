"""The demo's uploads: what people, phones and attackers send, from a plain cat to a decompression bomb.

`build_uploads()` is deterministic and makes everything in memory within seconds. `expect` tells a reader
what should happen in words; nothing checks it, because the decision about a face is the model's, and the
demo shows what the model that is running really says.
"""

from pawcast_ops.demo import files, scenes
from pawcast_ops.demo.oddities import broken_and_refused, files_and_phones
from pawcast_ops.demo.upload import HELD, PUBLISHED, DemoUpload, Group, an_upload


def _animals() -> list[DemoUpload]:
    group: Group = "Animals"
    return [
        an_upload(
            group,
            "cat.jpg",
            files.jpeg(scenes.plain("cat")),
            title="Chelsea by the window",
            note="a cat alone",
            expect=PUBLISHED,
            description="She waits for the first bird.",
        ),
        an_upload(
            group,
            "cat-in-garden.jpg",
            files.jpeg(scenes.cat_in_garden()),
            title="정원의 고양이",
            tags=("cat", "정원"),
            note="a cat before flowers; Korean title and tag",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "grey-cat-at-dusk.jpg",
            files.jpeg(scenes.grey_cat_at_dusk()),
            title="Grey cat at dusk",
            tags=("cat", "night"),
            note="little colour, lamps behind",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "cat-and-coffee.jpg",
            files.jpeg(scenes.cat_and_coffee()),
            title="Coffee with company",
            tags=("cat", "coffee"),
            note="round shapes beside an animal's face",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "cat-eye.jpg",
            files.jpeg(scenes.cat_eye()),
            title="That look",
            note="an eye so near that no face is left",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "six-cats.jpg",
            files.jpeg(scenes.six_cats()),
            title="The whole litter",
            tags=("cat", "kittens"),
            note="six animal faces in one photo",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "horse-at-moonrise.jpg",
            files.jpeg(scenes.horse_at_moonrise()),
            title="Horse at moonrise",
            tags=("horse", "night"),
            note="a silhouette",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "dahlia.jpg",
            files.jpeg(scenes.plain("flower")),
            title="Where the bees were",
            tags=("bee", "garden"),
            note="no animal to be seen: allowed",
            expect=PUBLISHED,
        ),
    ]


def _people() -> list[DemoUpload]:
    group: Group = "People"
    return [
        an_upload(
            group,
            "portrait.jpg",
            files.jpeg(scenes.plain("astronaut")),
            title="Me before work",
            tags=("me",),
            note="a portrait, no animal",
            expect=HELD,
        ),
        an_upload(
            group,
            "person-beside-cat.jpg",
            files.jpeg(scenes.person_beside_cat()),
            title="우리 둘",
            tags=("cat", "friends"),
            note="a person beside a cat",
            expect=HELD,
        ),
        an_upload(
            group,
            "small-face-far-away.jpg",
            files.jpeg(scenes.small_face_far_away()),
            title="Birds at the lake",
            tags=("birds", "trip"),
            note="a face 30 of 1,600 pixels wide",
            expect="held if the model finds so small a face",
        ),
        an_upload(
            group,
            "face-half-hidden.jpg",
            files.jpeg(scenes.face_half_hidden()),
            title="For the rabbits",
            tags=("rabbit",),
            note="a dahlia before mouth and nose",
            expect="held if enough of the face is left to find",
        ),
        an_upload(
            group,
            "face-in-mirror.jpg",
            files.jpeg(scenes.face_in_mirror()),
            title="Who is that in there?",
            note="a person in a mirror",
            expect=HELD,
        ),
        an_upload(
            group,
            "poster-on-wall.jpg",
            files.jpeg(scenes.poster_on_wall()),
            title="The cat's favourite wall",
            note="a printed face goes to the operators too",
            expect=HELD,
        ),
        an_upload(
            group,
            "photographer.jpg",
            files.jpeg(scenes.plain("camera").convert("L")),
            title="Waiting for gulls",
            tags=("gull",),
            note="grey, a face from the side behind a camera",
            expect="either: hard to recognise",
        ),
        an_upload(
            group,
            "old-coins.jpg",
            files.jpeg(scenes.plain("coins")),
            title="The fox found these",
            tags=("fox",),
            note="heads on coins are no faces",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "sideways-portrait.jpg",
            files.turned(scenes.plain("astronaut"), 6),
            title="Selfie",
            tags=("me",),
            note="a face stored lying, EXIF says upright",
            expect=HELD,
        ),
    ]


def build_uploads() -> list[DemoUpload]:
    """All uploads in the order of `GROUPS`."""
    return [*_animals(), *_people(), *files_and_phones(), *broken_and_refused()]
