"""How a photo becomes the input of an image network, the same for the classifier and the detector.

Both networks are fully convolutional with strides up to 32, so each side must be a multiple of 32. The
photo is resized to about `input_side` x 3/4 `input_side` pixels in all, whatever its aspect: time a photo
is then nearly constant (a square photo is not a third slower than a 4:3 one), and a panorama keeps enough
height for its faces. Each side is rounded to its nearest multiple of 32 rather than padded: the few per
cent of stretch cost nothing, while bars of padding shift every pooled mean. Small photos are enlarged, so
that the network sees faces at the sizes that its head was fitted on.

The training code calls `network_input` too. Whoever changes this module must refit the head.
"""

import math
from os import PathLike

import numpy as np
import onnxruntime
from PIL import Image

from pawcast.errors import ModelRejected

STRIDE = 32
ASPECT = 3 / 4  # of the photos that phones take: their longer side becomes exactly input_side
LONGEST = 1.5  # times input_side: bounds the side of a panorama

type Rgb = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
type Batch = np.ndarray[tuple[int, int, int, int], np.dtype[np.uint8]]


def network_size(width: int, height: int, input_side: int) -> tuple[int, int]:
    """(width, height) that the network sees of a photo of this size, multiples of 32."""
    by_area = math.sqrt(input_side * input_side * ASPECT / (width * height))
    scale = min(by_area, LONGEST * input_side / max(width, height))

    def rounded(side: int) -> int:
        return max(1, round(side * scale / STRIDE)) * STRIDE

    return rounded(width), rounded(height)


def network_input(rgb: Rgb, input_side: int) -> Batch:
    """`rgb` uint8 [H, W, 3] as uint8 [1, 3, h, w].

    Pillow's bilinear filter widens as it shrinks, so nothing aliases.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise ValueError(f"expected uint8 [H, W, 3], got {rgb.dtype} {list(rgb.shape)}")
    height, width = rgb.shape[:2]
    size = network_size(width, height, input_side)
    resized = (
        rgb if size == (width, height) else np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
    )
    return np.ascontiguousarray(resized.transpose(2, 0, 1))[np.newaxis]


def open_session(
    model: bytes | str | PathLike[str], *, threads: int, outputs: frozenset[str]
) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session for an image graph with one input `image`; `ModelRejected` says what it lacks.

    Spinning is off: on shared processors a spinning thread takes the time that the next operator needs.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class below Exception
        raise ModelRejected(f"ONNX Runtime can't load the model: {str(error)[:300]}") from error
    inputs = [(node.name, node.type) for node in session.get_inputs()]
    if inputs != [("image", "tensor(uint8)")]:
        raise ModelRejected(f"the model must take one uint8 input `image`, it takes {inputs}")
    missing = sorted(outputs - {node.name for node in session.get_outputs()})
    if missing:
        raise ModelRejected(f"the model does not answer {', '.join(missing)}")
    return session
