"""What the demo prints stays readable at 80 and 100 columns, on terminals and in logs."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from pawcast_ops.api_types import Decision, Post, Reason, Text
from pawcast_ops.demo import app, commands, display
from pawcast_ops.demo.mails import Mail
from pawcast_ops.demo.story import Outcome, PublishedPhoto, Snapshot, Verdict
from pawcast_ops.demo.upload import DemoUpload, Group, an_upload
from tests.support.fake_pawcast import CLIENT_ID, PASSWORD, FakePawcast, Fate, serving

NOW = datetime(2026, 5, 9, tzinfo=UTC)
BOTH = Text(ko="왜", en="why")


def rendered(thing: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(thing)
    return console.export_text()


def a_post(state: str, probability: float | None) -> Post:
    decision = Decision(
        outcome="flag",
        probability=probability or 0.0,
        threshold=0.41,
        model="face-classifier",
        model_version="1.2.0",
        policy_version=3,
    )
    return Post.model_validate({
        "post_id": "p", "title": "t", "description": "", "tags": (), "state": state, "created_at": NOW,
        "decision": decision if probability is not None else None,
    })  # fmt: skip


def an_outcome(
    verdict: Verdict,
    *,
    name: str = "cat.jpg",
    group: Group = "Animals",
    code: str | None = None,
    probability: float | None = None,
    photo: PublishedPhoto | None = None,
    private: bool = False,
) -> Outcome:
    upload = an_upload(group, name, b"x", title="t", note="n", expect="e", private_metadata=private)
    state = {"published": "published", "held": "in_review"}.get(verdict, "rejected")
    answered = verdict in {"published", "held", "rejected"}
    return Outcome(
        upload,
        "Mina",
        verdict,
        post=a_post(state, probability) if answered else None,
        reason=Reason(code=code, text=BOTH) if code else None,
        seconds=1.25 if answered else None,
        photo=photo,
        problem="no notice after 180 s (post p)" if verdict == "undecided" else None,
    )


CLEAN = PublishedPhoto(1600, 1200, 200_000, ())
OUTCOMES = [
    an_outcome("published", probability=0.0123, photo=CLEAN),
    an_outcome("held", name="portrait.jpg", group="People", code="human_face_suspected", probability=0.987),
    an_outcome(
        "published",
        name="phone-12-megapixels.jpg",
        group="Files and phones",
        probability=0.1,
        photo=CLEAN,
        private=True,
    ),
    an_outcome("rejected", name="letter.jpg", group="Broken and refused", code="not_an_image"),
    an_outcome("refused", name="empty-claims-1-byte.jpg", group="Broken and refused", code="EntityTooSmall"),
    an_outcome("undecided", name="lost.jpg", group="Broken and refused"),
]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(width: int) -> None:
    text = rendered(display.outcome_table(OUTCOMES, width), width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert [o.upload.name for o in OUTCOMES if o.upload.name not in text] == []


def test_the_table_shows_decision_probability_model_reason_and_seconds() -> None:
    lines = rendered(display.outcome_table(OUTCOMES, 100), 100).splitlines()

    portrait = next(line for line in lines if "portrait.jpg" in line)
    assert portrait.split() == ["portrait.jpg", "Mina", "held", "0.987", "1.2.0", "human", "face", "suspected", "1.2"]


def test_the_model_column_gives_way_at_80_columns() -> None:
    assert "1.2.0" in rendered(display.outcome_table(OUTCOMES, 100), 100)
    assert "1.2.0" not in rendered(display.outcome_table(OUTCOMES, 80), 80)


def test_reasons_are_words_and_an_undecided_photo_says_why() -> None:
    text = rendered(display.outcome_table(OUTCOMES, 120), 120)

    assert "entity too small" in text
    assert "GPS, owner, camera removed" in text
    assert "no notice after 180 s (post p)" in text


def test_a_leak_is_shown_in_the_table_and_in_the_summary() -> None:
    leaking = [an_outcome("published", probability=0.1, photo=PublishedPhoto(4, 4, 9, ("exif",)))]

    assert "still carries exif" in rendered(display.outcome_table(leaking, 100), 100)
    assert "1 STILL CARRY METADATA" in rendered(display.summary(leaking, 2.0), 100)


def test_the_summary_counts_waits_and_names_the_model_that_decided() -> None:
    lines = rendered(display.summary(OUTCOMES, 7.5), 100).splitlines()

    assert lines == [
        "6 uploads in 7.5 s: 2 published · 1 held · 1 rejected · 1 refused · 1 undecided",
        "Upload to notice: median 1.2 s, slowest 1.2 s (4 photos).",
        "3 decided by face-classifier 1.2.0, threshold 0.410, policy 3.",
        "2 published photos fetched again: none carries metadata.",
        "1 uploads have no answer: nobody was told.",
    ]


def test_mails_are_counted_by_receiver_and_the_first_are_shown() -> None:
    mails = [Mail(str(number), "jun@example.com", f"subject {number}", "") for number in range(8)]

    text = rendered(display.mail_table(mails, shown=2), 80)

    assert "8 mails sent: 8 to jun@example.com" in text
    assert "subject 1" in text
    assert "subject 2" not in text
    assert "and 6 more" in text


SNAPSHOT = Snapshot(
    seconds=3.21,
    total=12,
    stages={"queued": 2, "uploading": 1, "screening": 4, "done": 5},
    verdicts={"published": 3, "held": 2, "rejected": 0, "refused": 0, "undecided": 0},
    by_person={"Mina": (2, 6), "Jun": (3, 6)},
)


def test_progress_in_a_log_is_one_line() -> None:
    assert display.counts_line(SNAPSHOT) == (
        "   3.2 s   5 of 12 answered; 3 to upload, 4 being screened; 3 published, 2 held"
    )


def test_live_progress_shows_everybody_and_fits_80_columns() -> None:
    text = rendered(display.live_view(SNAPSHOT), 80)

    assert [
        part for part in ("Mina", "2/6", "Jun", "3/6", "5/12", "4 being screened", "2 held") if part not in text
    ] == []
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_live_progress_is_drawn_on_terminals_and_erased_at_the_end() -> None:
    out = io.StringIO()
    with commands.Watcher(Console(file=out, force_terminal=True, width=80)) as watcher:
        watcher.show(SNAPSHOT)

    assert "Mina" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")


# ---------------------------------------------------------------- the command


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakePawcast]:
    """A fake stack, its files in an empty folder, and three uploads instead of all."""
    photo = io.BytesIO()
    Image.new("RGB", (60, 40)).save(photo, "JPEG")

    def few() -> list[DemoUpload]:
        return [
            an_upload("Animals", "cat.jpg", b"cat", title="cat", note="n", expect="e"),
            an_upload("People", "portrait.jpg", b"face", title="portrait", note="n", expect="e"),
            an_upload("Broken and refused", "empty.jpg", b"", title="empty", note="n", expect="e"),
        ]

    fates = {"cat": Fate("published", probability=0.1), "portrait": Fate("in_review", "human_face_suspected", 0.9)}
    with serving(FakePawcast(fate=lambda title, _data: fates[title], rendition=photo.getvalue())) as running:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(commands, "build_uploads", few)
        write_stack(running.url)
        yield running


def write_stack(url: str) -> None:
    folder = Path(".pawcast")
    folder.mkdir(exist_ok=True)
    outputs = {"ApiUrl": url, "UserPoolClientId": CLIENT_ID}
    stack = {"outputs": outputs, "endpoint_url": url, "region": "us-east-1"}
    (folder / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    people = [("boss", ["operators"]), ("mina", []), ("jun", []), ("sora", [])]
    users = [{"username": n, "email": f"{n}@example.com", "password": PASSWORD, "groups": g} for n, g in people]
    (folder / "users.json").write_text(json.dumps(users), encoding="utf-8")


@pytest.mark.usefixtures("fake")
def test_the_demo_tells_the_story_of_everybody_and_ends_with_0() -> None:
    result = CliRunner().invoke(app, ["run"])

    assert (result.exit_code, result.exception) == (0, None)
    assert "3 uploads by Mina, Jun, Sora" in result.stdout
    assert "1 published · 1 held · 1 refused" in result.stdout
    assert "2 mails sent" in result.stdout
    assert "every mail in full: http://127.0.0.1" in result.stdout


@pytest.mark.usefixtures("fake")
def test_json_holds_the_whole_outcome_and_nothing_else_on_standard_output() -> None:
    document = json.loads(CliRunner().invoke(app, ["run", "--json"]).stdout)

    photos = {photo["name"]: photo for photo in document["photos"]}
    assert {name: photo["decision"] for name, photo in photos.items()} == {
        "cat.jpg": "published", "portrait.jpg": "held", "empty.jpg": "refused",
    }  # fmt: skip
    assert photos["portrait.jpg"]["reason"] == {"code": "human_face_suspected", "text": {"ko": "[ko] why", "en": "why"}}
    assert photos["cat.jpg"]["published_photo"]["metadata"] == []
    assert len(document["mails"]) == 2


def test_the_demo_ends_with_1_when_somebody_was_not_told(fake: FakePawcast) -> None:
    fake.fate = lambda _title, _data: Fate(None)

    result = CliRunner().invoke(app, ["run", "--patience", "1"])

    assert result.exit_code == 1
    assert "2 uploads have no answer" in result.stdout


@pytest.mark.usefixtures("fake")
def test_the_drawing_of_the_output_loads_nothing_from_the_web() -> None:
    CliRunner().invoke(app, ["run", "--svg", "demo.svg"])

    drawing = Path("demo.svg").read_text(encoding="utf-8")
    assert "portrait.jpg" in drawing
    assert "@font-face" not in drawing
    assert "url(http" not in drawing


def test_without_a_stack_the_demo_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["run"])

    assert result.exit_code == 2
    assert "make up" in result.stdout


@pytest.mark.usefixtures("fake")
def test_a_wrong_password_is_no_story_but_a_message() -> None:
    users = Path(".pawcast/users.json")
    users.write_text(users.read_text(encoding="utf-8").replace(PASSWORD, "old"), encoding="utf-8")

    result = CliRunner().invoke(app, ["run"])

    assert result.exit_code == 2
    assert "Incorrect username or password" in result.stdout


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "not a list of users"),
        (
            '[{"username":"a","email":"a@b","password":"p","groups":["x"]}]',
            "0 people who are in no group, 1 must be there",
        ),
    ],
)
def test_a_useless_list_of_users_is_named(content: str, said: str) -> None:
    Path(".pawcast/users.json").write_text(content, encoding="utf-8")

    result = CliRunner().invoke(app, ["run"])

    assert result.exit_code == 2
    assert said in " ".join(result.stdout.split())


@pytest.mark.usefixtures("fake")
def test_the_pictures_can_be_written_out_to_look_at() -> None:
    result = CliRunner().invoke(app, ["pictures", "--out", "look"])

    assert result.exit_code == 0
    assert sorted(path.name for path in Path("look").iterdir()) == [
        "cat.jpg", "contact-sheet.jpg", "empty.jpg", "portrait.jpg",
    ]  # fmt: skip
