"""Boxes from the detector's graph, on a network that finds bright squares."""

import numpy as np
import pytest

from pawcast.errors import ModelRejected
from pawcast.screening.detector import FaceDetector, without_doubles
from pawcast_ops.training.graph import build_detector, build_features
from tests.support.tiny_centerface import FACE_HEIGHT, FACE_WIDTH, OFFSET, TINY, night, tiny_centerface

SIDE = 128  # a 128 x 96 picture is then seen as it is


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(build_detector(tiny_centerface(), TINY), input_side=SIDE)


def test_a_bright_square_is_found_where_it_is(detector: FaceDetector) -> None:
    picture = night(128, 96)
    picture[40:44, 60:64] = 255

    (face,) = detector.detect(picture)

    x, y = (60 / 4 + 0.5 + OFFSET) * 4, (40 / 4 + 0.5 + OFFSET) * 4
    expected = (x - FACE_WIDTH / 2, y - FACE_HEIGHT / 2, x + FACE_WIDTH / 2, y + FACE_HEIGHT / 2)
    assert expected == pytest.approx((face.x0, face.y0, face.x1, face.y1), abs=1e-3)
    assert face.score > 0.99


def test_boxes_are_in_pixels_of_the_given_photo(detector: FaceDetector) -> None:
    picture = night(128, 96)
    picture[40:44, 60:64] = 255
    doubled = picture.repeat(4, axis=0).repeat(4, axis=1)

    (small,), (large,) = detector.detect(picture), detector.detect(doubled)

    assert 4 * small.x0 == pytest.approx(large.x0, abs=0.01)
    assert 4 * small.y1 == pytest.approx(large.y1, abs=0.01)


def test_faces_come_best_first(detector: FaceDetector) -> None:
    picture = night(128, 96)
    picture[20:24, 20:24] = 180
    picture[60:64, 100:104] = 250

    scores = [face.score for face in detector.detect(picture)]

    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_a_box_does_not_leave_the_photo(detector: FaceDetector) -> None:
    picture = night(128, 96)
    picture[:4, :4] = 255

    (face,) = detector.detect(picture)

    assert (face.x0, face.y0) == (0, 0)


def test_a_dark_photo_has_no_face(detector: FaceDetector) -> None:
    assert detector.detect(night(128, 96)) == []


def test_of_overlapping_boxes_the_best_stays() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]], np.float32)

    assert without_doubles(corners, np.array([0.6, 0.9, 0.5], np.float32)) == [1, 2]


def test_boxes_that_share_little_both_stay() -> None:
    corners = np.array([[0, 0, 10, 10], [6, 0, 16, 10]], np.float32)  # 40 shared of 160

    assert without_doubles(corners, np.array([0.6, 0.9], np.float32)) == [1, 0]


def test_a_graph_without_boxes_is_refused() -> None:
    with pytest.raises(ModelRejected, match="does not answer boxes, scores"):
        FaceDetector(build_features(tiny_centerface(), TINY), input_side=SIDE)
