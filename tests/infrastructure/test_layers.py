"""What goes to Lambda: small enough, complete, and nothing in it that no handler imports.

Needs `make build`, which `make test` does first.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from pawcast_ops.local.sam import ARCHITECTURES, build_directory, inputs_fingerprint, machine_architecture
from tests.support.template import ROOT, Template, load

LIMIT_BYTES = 250_000_000  # Lambda's own is 262,144,000 for a function with its layers, unzipped
UNWANTED_FOLDERS = {"__pycache__", "tests", "testing", "boto3", "botocore"}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def built(request: pytest.FixtureRequest) -> Path:
    """The artefacts for one processor."""
    directory = build_directory(ROOT, request.param)
    done = directory.parent / "fingerprint"
    if not done.exists() or done.read_text(encoding="utf-8") != inputs_fingerprint(ROOT):
        pytest.fail(f"no fresh build for {request.param}: run `make build`")
    return directory


def test_every_function_fits_into_lambda_with_its_layers(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("function", "own", "layers", "unzipped bytes", title=f"Sizes, {built.parent.name}")
    sizes = {}
    for function, layers in functions_with_layers(load()):
        own, shared = size(built / function), {layer: size(built / layer) for layer in layers}
        sizes[function] = own + sum(shared.values())
        named = ", ".join(f"{layer} {each:,}" for layer, each in shared.items())
        table.add_row(function, f"{own:,}", named, f"{sizes[function]:,}")
    with capsys.disabled():
        Console(width=110).print("\n", table)

    assert {} == {function: bytes_ for function, bytes_ in sizes.items() if bytes_ > LIMIT_BYTES}


def test_layers_carry_nothing_that_no_handler_imports(built: Path) -> None:
    found = {
        str(path.relative_to(built))
        for layer in layers_of(load())
        for path in (built / layer).rglob("*")
        if path.name in UNWANTED_FOLDERS or path.suffix in {".pyi", ".pyc", ".h", ".a"}
    }

    assert set() == found


def test_every_native_module_is_for_the_layers_processor(built: Path) -> None:
    machine = {"x86_64": 62, "arm64": 183}[built.parent.name]  # e_machine of the ELF header

    foreign = [path.name for path in (built / "ImagingLayer").rglob("*.so*") if elf_machine(path) != machine]

    assert [] == foreign


@pytest.mark.parametrize("architecture", [machine_architecture()])
def test_the_layers_alone_import_everything_a_function_needs(architecture: str) -> None:
    layers = [build_directory(ROOT, architecture) / layer / "python" for layer in ("CoreLayer", "ImagingLayer")]
    program = f"import sys; sys.path[:0] = {list(map(str, layers))!r}\n" + (
        "import numpy, onnxruntime, PIL.Image, pillow_heif, pydantic, aws_lambda_powertools.utilities.batch\n"
        "import pawcast.settings, pawcast.screening.intake, pawcast.screening.classifier\n"
        "print(pawcast.__path__[0])"
    )

    ran = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert (f"{layers[0] / 'pawcast'}\n", "") == (ran.stdout, ran.stderr)


def functions_with_layers(template: Template) -> Iterator[tuple[str, list[str]]]:
    common = template["Globals"]["Function"].get("Layers", [])
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            layers = {layer["Ref"]: None for layer in [*common, *resource["Properties"].get("Layers", [])]}
            yield name, list(layers)


def layers_of(template: Template) -> list[str]:
    return [
        name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::Serverless::LayerVersion"
    ]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def elf_machine(path: Path) -> int:
    with path.open("rb") as file:
        header = file.read(20)
    assert header[:4] == b"\x7fELF", path
    return int.from_bytes(header[18:20], "little")
