"""The CSV of labelled photos: what is read, and how what is wrong is told."""

from pathlib import Path

import pytest

from pawcast_ops.training import labels as reading
from pawcast_ops.training.labels import BadLabels, LabelledPhoto, read_labels

HEADER = "file,human_face,animal,tags,fold"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four (empty) photos; two of a kind are enough here."""
    monkeypatch.setattr(reading, "SMALLEST_SET", 1)
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"):
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


GOOD = ("a.jpg,1,1,portrait;mask,0", "b.jpg,0,1,,0", "c.jpg,1,0,,3", "d.jpg,0,0,object,3")


def test_a_row_becomes_a_labelled_photo(folder: Path) -> None:
    known = read_labels(write(folder, HEADER, *GOOD), folder)

    assert known.photos[0] == LabelledPhoto(
        path=folder / "a.jpg", name="a.jpg", human_face=True, animal=True, tags=("portrait", "mask"), fold=0
    )
    assert [photo.fold for photo in known.photos] == [0, 0, 3, 3]
    assert known.folds_by_source


def test_the_data_set_is_known_by_the_content_of_its_csv(folder: Path) -> None:
    first = read_labels(write(folder, HEADER, *GOOD), folder).data_set_id
    again = read_labels(write(folder, HEADER, *GOOD), folder).data_set_id
    other = read_labels(write(folder, HEADER, *reversed(GOOD)), folder).data_set_id

    assert first == again
    assert first != other


def test_two_columns_are_enough_and_the_folds_are_then_dealt_by_name(folder: Path) -> None:
    rows = [f"{number}.jpg,{number % 2}" for number in range(40)]
    for number in range(40):
        (folder / f"{number}.jpg").touch()

    known = read_labels(write(folder, "file,human_face", *rows), folder)

    assert not known.folds_by_source
    assert {photo.fold for photo in known.photos} == {0, 1, 2, 3, 4}
    assert not any(photo.animal or photo.tags for photo in known.photos)


@pytest.mark.parametrize(
    ("bad_row", "complaint"),
    [
        ("e.jpg,1,1,,0", "row 6, file = 'e.jpg': no such photo in the folder"),
        (",1,1,,0", "row 6, file = '': write a path inside the folder"),
        ("../a.jpg,1,1,,0", "row 6, file = '../a.jpg': write a path inside the folder"),
        ("/a.jpg,1,1,,0", "row 6, file = '/a.jpg': write a path inside the folder"),
        ("a.jpg,1,1,,0", "row 6, file = 'a.jpg': also in row 2; delete one of the two"),
        ("a.jpg,yes,1,,0", r"row 6, human_face = 'yes': write 1 \(yes\) or 0 \(no\)"),
        ("a.jpg,1,,,0", "row 6, animal = '': write 1"),
        ("a.jpg,1,1,,-1", "row 6, fold = '-1': write a whole number"),
        ("a.jpg", "row 6, human_face = None: write 1"),
    ],
)
def test_a_bad_row_is_named_with_its_column_value_and_what_to_do(folder: Path, bad_row: str, complaint: str) -> None:
    with pytest.raises(BadLabels, match=complaint):
        read_labels(write(folder, HEADER, *GOOD, bad_row), folder)


def test_many_problems_are_counted_after_the_first_ten(folder: Path) -> None:
    rows = [f"missing-{number}.jpg,1,1,,0" for number in range(15)]

    with pytest.raises(BadLabels, match=r"missing-9.*\n… and 5 more"):
        read_labels(write(folder, HEADER, *rows), folder)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (("file,face", "a.jpg,1"), "has no column human_face; it has file, face"),
        (("",), "has no column file, human_face"),
        ((HEADER, *GOOD[:1]), "has 1 photos with a face and 0 without; label at least 1 of each"),
        ((HEADER, *GOOD[:2]), "every photo is in one fold"),
        ((HEADER, GOOD[0], GOOD[1], "c.jpg,1,0,,3"), "without fold 0 only one kind of photo is left"),
    ],
)
def test_a_set_that_can_teach_nothing_is_refused(folder: Path, lines: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(BadLabels, match=complaint):
        read_labels(write(folder, *lines), folder)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "labels.csv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(BadLabels, match="can't be read as UTF-8 CSV"):
        read_labels(folder / "labels.csv", folder)
