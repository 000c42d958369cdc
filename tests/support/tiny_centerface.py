"""A network with CenterFace's outputs that finds bright squares: its heat is the brightness of 4 x 4 pixels.

It is exported as CenterFace is: weights listed as inputs, a fixed input size, opset 9. Its inner maps are plain
averages of the image, so tests can work every feature out with a loop.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pawcast_ops.training.graph import FeatureSpec, Layer

FACE_HEIGHT, FACE_WIDTH = 32, 24  # pixels of every face it finds
OFFSET = 0.25  # cells, of every centre, both ways
SHARPNESS = 0.05  # of the sigmoid, per grey level around 128

TINY = FeatureSpec(
    heat="heat",
    size="size",
    offset="offset",
    layers=(
        Layer(tensor="mean4", channels=3, stride=4),
        Layer(tensor="mean8", channels=3, stride=8),
        Layer(tensor="mean32", channels=3, stride=32),
    ),
    pools=("peak", "attention", "mean", "max", "std"),
)


def tiny_centerface() -> bytes:
    weights = {
        "grey": np.full((1, 3, 1, 1), SHARPNESS / 3),
        "grey_bias": np.array([-128 * SHARPNESS]),
        "nothing": np.zeros((2, 3, 1, 1)),
        "log_size": np.log([FACE_HEIGHT / 4, FACE_WIDTH / 4]),
        "centre": np.array([OFFSET, OFFSET]),
    }

    def mean(stride: int) -> onnx.NodeProto:
        side = [stride, stride]
        return helper.make_node("AveragePool", ["input.1"], [f"mean{stride}"], kernel_shape=side, strides=side)

    nodes = [
        mean(4),
        mean(8),
        mean(32),
        helper.make_node("Conv", ["mean4", "grey", "grey_bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["heat"]),
        helper.make_node("Conv", ["mean4", "nothing", "log_size"], ["size"]),
        helper.make_node("Conv", ["mean4", "nothing", "centre"], ["offset"]),
    ]
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    inputs = [
        helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [10, 3, 32, 32]),
        *(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in weights.items()),
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("heat", "size", "offset")]
    graph = helper.make_graph(nodes, "tiny-centerface", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)])
    model.ir_version = 4
    return bytes(model.SerializeToString())


def night(width: int, height: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """A dark picture with a little structure."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows % 40, columns % 40, (rows + columns) % 40], axis=2).astype(np.uint8)


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
