"""Graph surgery, against features worked out by loops."""

import math

import numpy as np
import onnx
import pytest

from pawcast.errors import ModelRejected
from pawcast.screening.network_input import Rgb, open_session
from pawcast_ops.training.graph import CENTERFACE, Layer, build_detector, build_features, build_linear
from tests.support.tiny_centerface import SHARPNESS, TINY, night, sigmoid, tiny_centerface


def loop_features(picture: Rgb) -> list[float]:
    """What the feature graph must answer for a picture that the network sees as it is."""
    height, width = picture.shape[:2]
    pixels = picture.astype(float)

    def cells(stride: int) -> dict[tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float64]]]:
        return {
            (row, column): pixels[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride].mean(
                axis=(0, 1)
            )
            for row in range(height // stride)
            for column in range(width // stride)
        }

    heat = {cell: sigmoid(SHARPNESS * (float(grey.mean()) - 128)) for cell, grey in cells(4).items()}

    def around(cell: tuple[int, int]) -> list[float]:
        near = [(cell[0] + down, cell[1] + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        return [heat[one] for one in near if one in heat]

    peaks = {cell: value for cell, value in heat.items() if value == max(around(cell))}
    top = max(peaks, key=lambda cell: peaks[cell])
    parts: dict[str, list[float]] = {pool: [] for pool in TINY.pools}
    for layer in TINY.layers:
        factor, values = layer.stride // 4, cells(layer.stride)
        hottest = {
            cell: max(
                heat[cell[0] * factor + down, cell[1] * factor + right]
                for down in range(factor)
                for right in range(factor)
            )
            for cell in values
        }
        stacked = np.array(list(values.values()))
        parts["peak"] += values[top[0] // factor, top[1] // factor].tolist()
        squares = np.array([value**2 for value in hottest.values()])
        parts["attention"] += (squares @ stacked / squares.sum()).tolist()
        parts["mean"] += stacked.mean(axis=0).tolist()
        parts["max"] += stacked.max(axis=0).tolist()
        parts["std"] += stacked.std(axis=0).tolist()

    def logit(share: float) -> float:
        clipped = min(max(share, 1e-4), 1 - 1e-4)
        return math.log(clipped) - math.log(1 - clipped)

    ranked = sorted(heat.values(), reverse=True)
    levels = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    statistics = [
        *(logit(value) for value in sorted(peaks.values(), reverse=True)[:4]),
        *(logit(ranked[rank]) for rank in (0, 3, 15, 63)),
        logit(sum(ranked) / len(ranked)),
        *(math.log(sum(value > level for value in ranked) / len(ranked) + 1e-4) for level in levels),
        math.log(8),  # the network's faces are 8 cells high and 6 wide
        math.log(6),
    ]
    return [value for pool in TINY.pools for value in parts[pool]] + statistics


def a_noisy_picture(width: int, height: int) -> Rgb:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("width", "height"), [(64, 96), (160, 32)])
def test_features_are_what_a_loop_works_out(width: int, height: int) -> None:
    picture = a_noisy_picture(width, height)
    session = open_session(build_features(tiny_centerface(), TINY), threads=1, outputs=frozenset({"embedding"}))

    (answer,) = session.run(["embedding"], {"image": picture.transpose(2, 0, 1)[np.newaxis]})

    assert loop_features(picture) == pytest.approx(answer[0].tolist(), rel=2e-4, abs=2e-3)


def test_the_embedding_is_as_long_as_the_specification_says() -> None:
    assert TINY.dimensions == len(loop_features(night(64, 64)))


def test_centerface_gives_1738_features() -> None:
    assert CENTERFACE.dimensions == 5 * (32 + 64 + 64 + 160 + 24) + 18


def test_no_weight_stays_among_the_inputs_and_nothing_unused_stays_in_the_graph() -> None:
    graph = onnx.load_model_from_string(build_features(tiny_centerface(), TINY)).graph

    used = {name for node in graph.node for name in node.input}
    assert [value.name for value in graph.input] == ["image"]
    assert {weight.name for weight in graph.initializer} <= used
    assert "offset" not in {name for node in graph.node for name in node.output}


def test_the_same_sources_give_the_same_bytes() -> None:
    weights = np.linspace(-1, 1, TINY.dimensions, dtype=np.float32)

    first, second = (build_linear(tiny_centerface(), TINY, weights, 0.5) for _ in range(2))

    assert first == second


def test_a_detector_without_the_wanted_tensors_is_refused() -> None:
    spec = TINY.model_copy(update={"layers": (Layer(tensor="mean64", channels=3, stride=4),)})

    with pytest.raises(ModelRejected, match="has no tensors mean64"):
        build_features(tiny_centerface(), spec)


def test_bytes_that_are_no_network_are_refused() -> None:
    with pytest.raises(ModelRejected, match="no ONNX model"):
        build_detector(b"\xff\xff", TINY)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(ModelRejected, match="the head has 3 weights for 63 features"):
        build_linear(tiny_centerface(), TINY, np.zeros(3, np.float32), 0)
