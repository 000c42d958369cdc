"""Graph surgery: from CenterFace's ONNX file to the graphs that Pawcast publishes.

    build_detector     image -> scores, boxes       local maxima of the heat map, corners in input pixels
    build_features     image -> embedding           used while fitting
    build_classifier   image -> probability, embedding   the same plus the fitted head

All of them take uint8 [1, 3, H, W], H and W multiples of 32. A `FeatureSpec` says which inner tensors of
the detector are pooled and how; it is part of the committed head, so an old head still builds its own
graph.

Pools, for each layer of C channels: `mean`, `max`, `std` over the whole photo; `peak`, the values in the
cell where the heat map is highest; `attention`, the mean weighted by the squared heat map. The last two
look at the most face-like places only, which is what tells a person's face from an ape's. To them come 18
statistics of the heat map: logits of its 4 highest local maxima, of its 1st, 4th, 16th and 64th highest
cell and of its mean, the logs of the share of cells above 7 levels, and the size of the face that the
detector sees at the highest peak.
"""

import hashlib
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, ConfigDict, Field

from pawcast.errors import ModelRejected

OPSET = 17
IR_VERSION = 8  # what OPSET came with: old runtimes still load the model
HEAT_STRIDE = 4
PEAKS = 4
RANKS = (0, 3, 15, 63)
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
HEAT_STATISTICS = PEAKS + len(RANKS) + 1 + len(LEVELS) + 2
SMALLEST = 1e-4  # probabilities are clipped to [1e-4, 1 - 1e-4] before a logit

type Pool = Literal["peak", "attention", "mean", "max", "std"]
type Weights = np.ndarray[tuple[int], np.dtype[np.float32]]


class Layer(BaseModel):
    """An inner tensor of the detector: its name in the ONNX file, channels and stride in input pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tensor: str
    channels: int = Field(ge=1)
    stride: int = Field(ge=HEAT_STRIDE)


class FeatureSpec(BaseModel):
    """Which features are taken from a detector, in the order of the embedding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heat: str
    size: str
    offset: str
    layers: tuple[Layer, ...] = Field(min_length=1)
    pools: tuple[Pool, ...] = Field(min_length=1)

    @property
    def dimensions(self) -> int:
        """Of the embedding."""
        return len(self.pools) * sum(layer.channels for layer in self.layers) + HEAT_STATISTICS


CENTERFACE = FeatureSpec(
    heat="537",
    size="538",
    offset="539",
    layers=(
        Layer(tensor="413", channels=32, stride=8),
        Layer(tensor="430", channels=64, stride=16),
        Layer(tensor="448", channels=64, stride=16),
        Layer(tensor="500", channels=160, stride=32),
        Layer(tensor="535", channels=24, stride=4),
    ),
    pools=("peak", "attention", "mean", "max", "std"),
)


def digest(detector: bytes) -> str:
    """By which a head knows the detector that it was fitted on."""
    return hashlib.sha256(detector).hexdigest()


class _Surgery:
    """A detector's graph that grows by nodes; `finish` cuts everything that its outputs do not need."""

    def __init__(self, detector: bytes, spec: FeatureSpec) -> None:
        try:
            self._graph = onnx.load_model_from_string(detector).graph
        except Exception as error:  # protobuf's DecodeError has moved between releases
            raise ModelRejected(f"the detector is no ONNX model: {error}") from error
        made = {name for node in self._graph.node for name in node.output}
        wanted = {spec.heat, spec.size, spec.offset, *(layer.tensor for layer in spec.layers)}
        if missing := sorted(wanted - made):
            raise ModelRejected(f"the detector has no tensors {', '.join(missing)}: another network or release")
        weights = {weight.name for weight in self._graph.initializer}
        images = [value.name for value in self._graph.input if value.name not in weights]
        if len(images) != 1:
            raise ModelRejected(f"the detector must take one image, it takes {images}")
        # Weights listed as inputs could be overridden by a caller: the runtime would fold nothing.
        del self._graph.input[:], self._graph.output[:], self._graph.value_info[:]
        self._graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 3, "height", "width"]))
        cast = helper.make_node("Cast", ["image"], images, to=TensorProto.FLOAT)
        self._graph.node.insert(0, cast)
        self._made = 0

    def constant(self, values: Any, kind: type = np.float32) -> str:
        self._made += 1
        name = f"pawcast_constant_{self._made}"
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """A node; the name of its last output."""
        self._made += 1
        names = [f"pawcast_{kind.lower()}_{self._made}_{index}" for index in range(outputs)]
        self._graph.node.append(helper.make_node(kind, inputs, names, **attributes))
        return names[-1]

    def rows(self, tensor: str, channels: int) -> str:
        """[1, C, h, w] as [C, h * w]."""
        return self.add("Reshape", tensor, self.constant([channels, -1], np.int64))

    def output(self, name: str, tensor: str, shape: list[int | str]) -> None:
        self._graph.node.append(helper.make_node("Identity", [tensor], [name]))
        self._graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def finish(self, name: str) -> bytes:
        needed = {value.name for value in self._graph.output}
        kept = []
        for node in reversed(self._graph.node):
            if needed & set(node.output):
                kept.append(node)
                needed.update(node.input)
        weights = [weight for weight in self._graph.initializer if weight.name in needed]
        graph = helper.make_graph(kept[::-1], name, self._graph.input, self._graph.output, weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="pawcast")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def _local_maxima(surgery: _Surgery, heat: str) -> str:
    """The heat map with everything but its local maxima (in 3 x 3 cells) set to zero."""
    highest = surgery.add("MaxPool", heat, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    is_peak = surgery.add("Cast", surgery.add("Equal", heat, highest), to=TensorProto.FLOAT)
    return surgery.add("Mul", heat, is_peak)


def _logit(surgery: _Surgery, tensor: str) -> str:
    clipped = surgery.add("Clip", tensor, surgery.constant(SMALLEST), surgery.constant(1 - SMALLEST))
    rest = surgery.add("Sub", surgery.constant(1), clipped)
    return surgery.add("Sub", surgery.add("Log", clipped), surgery.add("Log", rest))


class _Peak:
    """Where the heat map is highest: looks the values of any layer up in that cell."""

    def __init__(self, surgery: _Surgery, heat: str, peaks: str) -> None:
        self._surgery = surgery
        width = self._axis(heat, 3)
        flat = surgery.add("Reshape", peaks, surgery.constant([-1], np.int64))
        self.heights, self._index = self._best(flat)
        self._row, self._column = (
            surgery.add("Div", self._index, width),
            surgery.add("Mod", self._index, width),
        )

    def _best(self, flat: str) -> tuple[str, str]:
        index = self._surgery.add("TopK", flat, self._surgery.constant([PEAKS], np.int64), outputs=2, axis=0)
        heights = index.removesuffix("_1") + "_0"
        first = self._surgery.add("Slice", index, *(self._surgery.constant([n], np.int64) for n in (0, 1)))
        return heights, first

    def _axis(self, tensor: str, axis: int) -> str:
        return self._surgery.add("Gather", self._surgery.add("Shape", tensor), self._surgery.constant([axis], np.int64))

    def look_up(self, tensor: str, channels: int, stride: int) -> str:
        """[C]: the layer's values in its cell that holds the peak."""
        surgery, factor = self._surgery, self._surgery.constant([stride // HEAT_STRIDE], np.int64)
        row, column = surgery.add("Div", self._row, factor), surgery.add("Div", self._column, factor)
        cell = surgery.add("Add", surgery.add("Mul", row, self._axis(tensor, 3)), column)
        found = surgery.add("Gather", surgery.rows(tensor, channels), cell, axis=1)
        return surgery.add("Reshape", found, surgery.constant([-1], np.int64))


def _attention(surgery: _Surgery, heat: str, rows: str, stride: int) -> str:
    """[C]: mean of the layer's cells, weighted by the square of the highest heat within each."""
    factor = stride // HEAT_STRIDE
    if factor > 1:
        heat = surgery.add("MaxPool", heat, kernel_shape=[factor, factor], strides=[factor, factor])
    column = surgery.add("Reshape", heat, surgery.constant([-1, 1], np.int64))
    weights = surgery.add("Mul", column, column)
    total = surgery.add("ReduceSum", weights, keepdims=0)
    weighted = surgery.add(
        "Div", surgery.add("MatMul", rows, weights), surgery.add("Add", total, surgery.constant(1e-9))
    )
    return surgery.add("Reshape", weighted, surgery.constant([-1], np.int64))


def _deviation(surgery: _Surgery, rows: str) -> str:
    """[C]: standard deviation over the cells."""
    distance = surgery.add("Sub", rows, surgery.add("ReduceMean", rows, axes=[1], keepdims=1))
    return surgery.add("Sqrt", surgery.add("ReduceMean", surgery.add("Mul", distance, distance), axes=[1], keepdims=0))


def _heat_statistics(surgery: _Surgery, spec: FeatureSpec, peak: _Peak) -> list[str]:
    flat = surgery.add("Reshape", spec.heat, surgery.constant([-1], np.int64))
    last = surgery.add("TopK", flat, surgery.constant([RANKS[-1] + 1], np.int64), outputs=2, axis=0)
    ranked = surgery.add("Gather", last.removesuffix("_1") + "_0", surgery.constant(RANKS, np.int64))
    mean = surgery.add("ReduceMean", flat, axes=[0], keepdims=1)
    # [7, 1] levels against [cells]: the share of cells above each level
    above = surgery.add("Greater", flat, surgery.constant([[level] for level in LEVELS]))
    shares = surgery.add("ReduceMean", surgery.add("Cast", above, to=TensorProto.FLOAT), axes=[1], keepdims=0)
    return [
        *(_logit(surgery, tensor) for tensor in (peak.heights, ranked, mean)),
        surgery.add("Log", surgery.add("Add", shares, surgery.constant(SMALLEST))),
        peak.look_up(spec.size, 2, HEAT_STRIDE),
    ]


def _embedding(surgery: _Surgery, spec: FeatureSpec) -> str:
    """[1, D]: pool by pool, layer by layer, then the statistics of the heat map."""
    peak = _Peak(surgery, spec.heat, _local_maxima(surgery, spec.heat))
    rows = {layer.tensor: surgery.rows(layer.tensor, layer.channels) for layer in spec.layers}

    def pooled(pool: Pool, layer: Layer) -> str:
        match pool:
            case "peak":
                return peak.look_up(layer.tensor, layer.channels, layer.stride)
            case "attention":
                return _attention(surgery, spec.heat, rows[layer.tensor], layer.stride)
            case "mean":
                return surgery.add("ReduceMean", rows[layer.tensor], axes=[1], keepdims=0)
            case "max":
                return surgery.add("ReduceMax", rows[layer.tensor], axes=[1], keepdims=0)
            case "std":
                return _deviation(surgery, rows[layer.tensor])

    parts = [pooled(pool, layer) for pool in spec.pools for layer in spec.layers]
    everything = surgery.add("Concat", *parts, *_heat_statistics(surgery, spec, peak), axis=0)
    return surgery.add("Reshape", everything, surgery.constant([1, -1], np.int64))


def build_features(detector: bytes, spec: FeatureSpec = CENTERFACE) -> bytes:
    """The graph image -> embedding [1, D]."""
    surgery = _Surgery(detector, spec)
    surgery.output("embedding", _embedding(surgery, spec), [1, spec.dimensions])
    return surgery.finish("face-features")


def build_linear(detector: bytes, spec: FeatureSpec, weights: Weights, bias: float) -> bytes:
    """The graph image -> probability [1], embedding [1, D]: sigmoid(weights . embedding + bias)."""
    if weights.shape != (spec.dimensions,):
        raise ModelRejected(f"the head has {weights.size} weights for {spec.dimensions} features")
    surgery = _Surgery(detector, spec)
    embedding = _embedding(surgery, spec)
    product = surgery.add("MatMul", embedding, surgery.constant(weights.reshape(-1, 1)))
    logit = surgery.add(
        "Add", surgery.add("Reshape", product, surgery.constant([-1], np.int64)), surgery.constant([bias])
    )
    surgery.output("probability", surgery.add("Sigmoid", logit), [1])
    surgery.output("embedding", embedding, [1, spec.dimensions])
    return surgery.finish("face-classifier")


def build_detector(detector: bytes, spec: FeatureSpec = CENTERFACE) -> bytes:
    """The graph image -> scores [1, 1, h, w], boxes [1, 4, h, w] (left, top, right, bottom in input pixels).

    CenterFace gives the logarithm of a face's (height, width) in cells and its centre's (y, x) in the cell.
    """
    surgery = _Surgery(detector, spec)
    scores = _local_maxima(surgery, spec.heat)
    shape = surgery.add("Slice", surgery.add("Shape", spec.heat), *(surgery.constant([n], np.int64) for n in (2, 4)))
    cells = surgery.add(
        "NonZero",
        surgery.add("ConstantOfShape", shape, value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1])),
    )
    grid_shape = surgery.add("Concat", surgery.constant([1, 2], np.int64), shape, axis=0)
    grid = surgery.add("Cast", surgery.add("Reshape", cells, grid_shape), to=TensorProto.FLOAT)
    centre = surgery.add("Add", surgery.add("Add", grid, spec.offset), surgery.constant(0.5))
    half = surgery.add("Mul", surgery.add("Exp", spec.size), surgery.constant(0.5))
    sides = surgery.add("Concat", surgery.add("Sub", centre, half), surgery.add("Add", centre, half), axis=1)
    ordered = surgery.add("Gather", sides, surgery.constant([1, 0, 3, 2], np.int64), axis=1)
    boxes = surgery.add("Mul", ordered, surgery.constant(HEAT_STRIDE))
    surgery.output("scores", scores, [1, 1, "rows", "columns"])
    surgery.output("boxes", boxes, [1, 4, "rows", "columns"])
    return surgery.finish("face-detector")
