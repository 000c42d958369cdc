"""The classifier at run time, and how a photo becomes its input, on a network that finds bright squares."""

import base64
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from pawcast.errors import ModelRejected
from pawcast.screening.classifier import FaceClassifier, between
from pawcast.screening.network_input import network_input, network_size
from pawcast_ops.training.graph import build_linear, digest
from pawcast_ops.training.head import Head, build_classifier
from tests.support.tiny_centerface import TINY, night, tiny_centerface

SIDE = 128
PEAK_LOGIT = TINY.dimensions - 18  # the first statistic of the heat map


def a_head(**changes: object) -> Head:
    weights = np.zeros(TINY.dimensions, np.float32)
    weights[PEAK_LOGIT] = 1
    facts: dict[str, object] = {
        "features": TINY,
        "input_side": SIDE,
        "detector_sha256": digest(tiny_centerface()),
        "strength": 0.01,
        "bias": 0.5,
        "weights": base64.b64encode(weights.tobytes()).decode(),
    }
    return Head.model_validate({**facts, **changes})


@pytest.fixture(scope="module")
def classifier() -> FaceClassifier:
    return FaceClassifier(build_classifier(tiny_centerface(), a_head()), input_side=SIDE)


def test_the_probability_is_the_heads_sigmoid_of_the_embedding(classifier: FaceClassifier) -> None:
    picture = night(128, 96)
    picture[40:48, 60:68] = 150

    prediction = classifier.predict(picture)

    logit = float(prediction.embedding[PEAK_LOGIT]) + 0.5
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(prediction.probability, abs=1e-6)


def test_a_bright_square_is_likelier_a_face_than_the_dark(classifier: FaceClassifier) -> None:
    bright = night(128, 96)
    bright[40:44, 60:64] = 255

    assert classifier.predict(night(128, 96)).probability < 0.1
    assert classifier.predict(bright).probability > 0.9


def test_a_doubtful_photo_is_judged_together_with_its_mirror_image(classifier: FaceClassifier) -> None:
    left = night(128, 96)
    left[40:44, 0:4] = 118
    left[40:44, 124:128] = 60
    one, other = classifier.predict(left), classifier.predict(np.ascontiguousarray(left[:, ::-1]))

    assert 0.1 < one.probability < 0.97
    assert one.probability == pytest.approx(other.probability, abs=1e-6)


def test_two_looks_meet_at_the_mean_logit() -> None:
    assert between(0.5, 0.5) == pytest.approx(0.5)
    assert between(0.9, 0.1) == pytest.approx(0.5)
    assert between(0.2, 1.0) == pytest.approx(1 / (1 + (4e-7) ** 0.5), rel=1e-6)


def test_the_embedding_is_float32_with_a_fixed_length_for_every_size(classifier: FaceClassifier) -> None:
    sizes = [(128, 96), (31, 700), (1000, 40), (1, 1)]

    shapes = {classifier.predict(night(width, height)).embedding.shape for width, height in sizes}

    assert shapes == {(TINY.dimensions,)}
    assert classifier.predict(night(64, 64)).embedding.dtype == np.float32


def test_threads_may_share_a_classifier(classifier: FaceClassifier) -> None:
    pictures = [night(96 + 16 * n, 96) for n in range(8)]
    alone = [classifier.predict(picture).probability for picture in pictures]

    with ThreadPoolExecutor(4) as pool:
        together = [prediction.probability for prediction in pool.map(classifier.predict, pictures)]

    assert alone == together


def test_a_model_can_be_loaded_from_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("model") / "model.onnx"
    file.write_bytes(build_classifier(tiny_centerface(), a_head()))

    assert FaceClassifier(file, input_side=SIDE).predict(night(128, 96)).probability < 0.1


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_only_rgb_bytes_are_taken(picture: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \[H, W, 3\], got"):
        network_input(picture, SIDE)


@given(st.integers(1, 9000), st.integers(1, 9000), st.sampled_from([128, 480, 640]))
def test_the_network_always_sees_whole_strides_of_a_bounded_number_of_pixels(
    width: int, height: int, input_side: int
) -> None:
    seen_width, seen_height = network_size(width, height, input_side)

    assert seen_width % 32 == 0
    assert seen_height % 32 == 0
    assert 32 <= min(seen_width, seen_height)
    assert max(seen_width, seen_height) <= 1.5 * input_side + 16
    assert seen_width * seen_height <= 2 * input_side * input_side


@pytest.mark.parametrize(
    ("photo", "seen"),
    [
        ((4032, 3024), (480, 352)),
        ((3024, 4032), (352, 480)),
        ((200, 150), (480, 352)),
        ((800, 800), (416, 416)),
        ((6000, 500), (720 // 32 * 32, 64)),
    ],
    ids=["phone", "upright", "small", "square", "panorama"],
)
def test_the_network_sees_about_the_same_number_of_pixels_of_every_photo(
    photo: tuple[int, int], seen: tuple[int, int]
) -> None:
    assert network_size(*photo, 480) == seen


def test_a_photo_of_the_right_size_is_not_resampled() -> None:
    picture = night(128, 96)

    assert (network_input(picture, SIDE)[0].transpose(1, 2, 0) == picture).all()


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(ModelRejected, match="can't load the model"):
        FaceClassifier(b"no model", input_side=SIDE)


def test_a_model_with_another_input_is_refused() -> None:
    with pytest.raises(ModelRejected, match="must take one uint8 input `image`"):
        FaceClassifier(_identity("photo", "probability", TensorProto.FLOAT), input_side=SIDE)


def test_a_model_without_an_embedding_is_refused() -> None:
    with pytest.raises(ModelRejected, match="does not answer embedding"):
        FaceClassifier(_identity("image", "probability", TensorProto.UINT8), input_side=SIDE)


def test_a_model_that_answers_no_number_is_refused() -> None:
    model = build_linear(tiny_centerface(), TINY, np.full(TINY.dimensions, np.nan, np.float32), 0.0)

    with pytest.raises(ModelRejected, match="answered nan"):
        FaceClassifier(model, input_side=SIDE).predict(night(64, 64))


def _identity(given: str, answered: str, kind: int) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Identity", [given], [answered])],
        "identity",
        [helper.make_tensor_value_info(given, kind, [1])],
        [helper.make_tensor_value_info(answered, kind, [1])],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())
