"""Hash banks: how fast a copy is found among 100,000 entries, and which edits a copy may have gone through.

    OMP_NUM_THREADS=1 python benchmarks/hash_banks.py

Speed: entries are drawn at random; a query is one photo in its eight orientations, compared with the entries by our
index and, in the same run, with all of them. The bits of a real photo are not that even, which makes an index slower:
so once more among entries whose chunks are each drawn from the same chunk of real photos' hashes. Edits: photos of
../shared/photos, or where PAWCAST_PHOTOS says, are edited, encoded and opened as an upload is, and the nearest
orientation is compared with the hash of the photo as it was; a copy is found when it is near enough and has structure
enough itself. Unlike photos: each photo in its eight orientations beside every other one as it is.

Times depend on the machine; the ratio hardly does. Writes docs/benchmarks/hash-banks.md.
"""

import argparse
import io
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from rich.progress import track

from pawcast.adapters.bank_snapshot import Snapshot
from pawcast.errors import UnreadablePhoto
from pawcast.screening.banks import MATCH_BITS, MATCH_QUALITY, BankEntry, entry_id_of
from pawcast.screening.hash_banks import HashBanks
from pawcast.screening.hash_index import CHUNKS, Codes, HashIndex, codes_of, distances
from pawcast.screening.hashing import pdq_variants
from pawcast.screening.intake import IntakeLimits, open_photo

REPOSITORY = Path(__file__).parents[1]
PHOTOS = Path(os.environ.get("PAWCAST_PHOTOS", REPOSITORY.parent / "shared" / "photos"))
REPORT = REPOSITORY / "docs" / "benchmarks" / "hash-banks.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ASKED = 100_000  # issue 4: found in under 5 ms
TARGET_MS = 5.0
QUERIES = 200
# How many photos each edit is tried on, at least: the figures are shares of them.
SAMPLE = 300
LIMITS = IntakeLimits()

type Edit = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Known:
    """A photo of the collection, and the hashes of its eight orientations."""

    file: Path
    hashes: list[str]


@dataclass(frozen=True)
class EditRow:
    """Bits between copies and their originals, and the share of copies that are found."""

    name: str
    median: float
    high: float
    found: float


@dataclass(frozen=True)
class Unlike:
    """Pairs of photos that are no copies, the nearest of them, and how many match."""

    pairs: int
    nearest: int
    matched: int


def resized(share: float) -> Edit:
    """To `share` of the width and height."""
    return lambda image: image.resize(
        (max(64, round(image.width * share)), max(64, round(image.height * share))), Image.Resampling.BICUBIC
    )


def cropped(share: float) -> Edit:
    """Without `share` of the width and height, taken from all sides alike."""

    def crop(image: Image.Image) -> Image.Image:
        x, y = image.width * share / 2, image.height * share / 2
        return image.crop((round(x), round(y), round(image.width - x), round(image.height - y)))

    return crop


def turned(degrees: float) -> Edit:
    """By a few degrees, black corners."""
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC)


def with_text(image: Image.Image) -> Image.Image:
    """A line of text over the lower tenth."""
    copy = image.copy()
    draw = ImageDraw.Draw(copy)
    height = image.height // 10
    draw.rectangle((0, image.height - height, image.width, image.height), fill="white")
    draw.text((10, image.height - height + 2), "my cat, best cat", fill="black", font_size=max(10, height - 6))
    return copy


def with_border(image: Image.Image) -> Image.Image:
    """A white frame, a twentieth of the shorter side wide."""
    return ImageOps.expand(image, border=max(1, min(image.size) // 20), fill="white")


EDITS: Mapping[str, tuple[Edit, int]] = {
    "none, encoded again (JPEG 90)": (lambda image: image, 90),
    "JPEG 50": (lambda image: image, 50),
    "JPEG 20": (lambda image: image, 20),
    "half the size": (resized(0.5), 90),
    "a quarter of the size": (resized(0.25), 90),
    "twice the size": (resized(2.0), 90),
    "rotated by 90°": (lambda image: image.transpose(Image.Transpose.ROTATE_90), 90),
    "rotated by 180°": (lambda image: image.transpose(Image.Transpose.ROTATE_180), 90),
    "mirrored": (ImageOps.mirror, 90),
    "mirrored and rotated by 90°": (
        lambda image: ImageOps.mirror(image).transpose(Image.Transpose.ROTATE_90),
        90,
    ),
    "gray": (lambda image: image.convert("L").convert("RGB"), 90),
    "brighter by 30 %": (lambda image: ImageEnhance.Brightness(image).enhance(1.3), 90),
    "darker by 30 %": (lambda image: ImageEnhance.Brightness(image).enhance(0.7), 90),
    "contrast up by 50 %": (lambda image: ImageEnhance.Contrast(image).enhance(1.5), 90),
    "blurred, radius 2": (lambda image: image.filter(ImageFilter.GaussianBlur(2)), 90),
    "cropped by 1 %": (cropped(0.01), 90),
    "cropped by 2 %": (cropped(0.02), 90),
    "cropped by 3 %": (cropped(0.03), 90),
    "cropped by 5 %": (cropped(0.05), 90),
    "cropped by 10 %": (cropped(0.10), 90),
    "turned by 1°": (turned(1), 90),
    "turned by 2°": (turned(2), 90),
    "turned by 5°": (turned(5), 90),
    "a line of text over the lower tenth": (with_text, 90),
    "a white border of 5 %": (with_border, 90),
}


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, help="measure only this many entries and print one line (own process)")
    arguments = parser.parse_args()
    if arguments.entries:
        print(*measure(arguments.entries))
        return
    # Each size in a process of its own: the peak of memory is that of this size.
    rows = []
    for size in SIZES:
        command = [sys.executable, __file__, "--entries", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append((size, *map(float, done.stdout.split())))
    known = known_photos()
    sample = known[:: max(1, len(known) // SAMPLE)]
    uneven = uneven_ms(known)
    REPORT.write_text(report(rows, uneven, edit_rows(sample), len(sample), unlike(known)), encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"))


def drawn_entries(count: int) -> tuple[BankEntry, ...]:
    """Entries with random hashes, one a minute."""
    hashes = np.random.default_rng(0).bytes(32 * count).hex()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    entries = []
    for number in range(count):
        added_at = begin + timedelta(minutes=number)
        post_id = f"{number:032x}"
        review_id = f"{post_id}-2"
        entries.append(
            BankEntry(
                entry_id=entry_id_of(added_at, review_id),
                bank="banned" if number % 2 else "cleared",
                label="human_face",
                pdq=hashes[64 * number : 64 * (number + 1)],
                quality=100,
                post_id=post_id,
                review_id=review_id,
                added_at=added_at,
            )
        )
    return tuple(entries)


def measure(count: int) -> tuple[float, float, float, float, float, float]:
    """Median and 99th percentile of a query, of comparing with all (ms); load (s), snapshot (MB), memory (MB)."""
    entries = drawn_entries(count)
    content = Snapshot(entries[-1].added_at, entries).encoded()
    codes = codes_of([entry.pdq for entry in entries])
    generator = np.random.default_rng(1)
    queries = []
    for _ in range(QUERIES):
        variants = generator.bytes(32 * 8)
        # One orientation is a copy that 20 bits were flipped in, as an edit does.
        known = bytearray(bytes.fromhex(entries[generator.integers(count)].pdq))
        for bit in generator.choice(256, 20, replace=False):
            known[bit // 8] ^= 1 << bit % 8
        queries.append([known.hex(), *(variants[32 * index : 32 * (index + 1)].hex() for index in range(1, 8))])
    del entries
    before = memory_mb()
    started = time.perf_counter()
    banks = HashBanks(Snapshot.decoded(content).entries)
    load_seconds = time.perf_counter() - started
    used = memory_mb() - before
    ours = []
    for query in queries:
        started = time.perf_counter()
        match = banks.nearest(query)
        ours.append(1_000 * (time.perf_counter() - started))
        assert match is not None
    all_of_them = []
    for query in queries[:5]:
        started = time.perf_counter()
        distances(codes[:, None], codes_of(query)[None]).min(axis=1).argmin()
        all_of_them.append(1_000 * (time.perf_counter() - started))
    percentile = float(np.percentile(ours, 99))
    return (
        statistics.median(ours),
        percentile,
        statistics.median(all_of_them),
        load_seconds,
        len(content) / 1e6,
        used,
    )


def memory_mb() -> float:
    """Memory in use now; on systems without /proc, its peak."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def known_photos() -> list[Known]:
    """The photos that have structure enough to match."""
    files = sorted(PHOTOS.glob("*.jpg"))
    if not files:
        sys.exit(f"no photos in {PHOTOS}: set PAWCAST_PHOTOS")
    known = []
    for file in track(files, "hashing"):
        try:
            variants = pdq_variants(open_photo(file.read_bytes(), limits=LIMITS).rgb)
        except UnreadablePhoto:
            continue
        if variants[0].quality >= MATCH_QUALITY:
            known.append(Known(file, [variant.hex for variant in variants]))
    return known


def uneven_ms(known: Sequence[Known]) -> tuple[float, float]:
    """Median and 99th percentile of a look-up among `ASKED` entries that are as uneven as real photos."""
    generator = np.random.default_rng(2)
    chunks: NDArray[np.uint16] = codes_of([pdq for photo in known for pdq in photo.hashes]).view(np.uint16)
    drawn = [chunks[generator.integers(len(chunks), size=ASKED), chunk] for chunk in range(CHUNKS)]
    codes: Codes = np.stack(drawn, axis=1).view(np.uint64)
    index = HashIndex(codes)
    taken = []
    for row in generator.integers(len(known), size=QUERIES):
        query = codes_of(known[row].hashes)
        started = time.perf_counter()
        index.within(query, MATCH_BITS)
        taken.append(1_000 * (time.perf_counter() - started))
    return statistics.median(taken), float(np.percentile(taken, 99))


def edit_rows(photos: Sequence[Known]) -> list[EditRow]:
    """What becomes of each edit's copies."""
    apart: dict[str, list[int]] = {name: [] for name in EDITS}
    found = dict.fromkeys(EDITS, 0)
    for photo in track(photos, "editing"):
        original = codes_of(photo.hashes[:1])
        with Image.open(photo.file) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        for name, (edit, quality) in EDITS.items():
            encoded = io.BytesIO()
            edit(image).save(encoded, "JPEG", quality=quality)
            variants = pdq_variants(open_photo(encoded.getvalue(), limits=LIMITS).rgb)
            bits = int(distances(codes_of([variant.hex for variant in variants]), original).min())
            apart[name].append(bits)
            found[name] += bits <= MATCH_BITS and variants[0].quality >= MATCH_QUALITY
    return [
        EditRow(name, statistics.median(bits), float(np.percentile(bits, 95)), found[name] / len(bits))
        for name, bits in apart.items()
    ]


def unlike(known: Sequence[Known]) -> Unlike:
    """How near photos come that are no copies, in any orientation of one of them."""
    codes = codes_of([pdq for photo in known for pdq in photo.hashes]).reshape(len(known), -1, 4)
    nearest, matched = 256, 0
    for row in range(1, len(known)):
        bits = distances(codes[:row, :1], codes[row]).min(axis=1)
        nearest = min(nearest, int(bits.min()))
        matched += int((bits <= MATCH_BITS).sum())
    return Unlike(math.comb(len(known), 2), nearest, matched)


def report(
    rows: Sequence[tuple[float, ...]],
    uneven: tuple[float, float],
    edits: Sequence[EditRow],
    photos: int,
    apart: Unlike,
) -> str:
    """The page."""
    asked = next(row for row in rows if row[0] == ASKED)
    speed = "\n".join(
        f"| {int(size):,} | {ours:.2f} | {worst:.2f} | {brute:.1f} | {brute / ours:.0f} | {load:.2f} | {mb:.1f} "
        f"| {ram:.0f} |"
        for size, ours, worst, brute, load, mb, ram in rows
    )
    table = "\n".join(
        f"| {row.name} | {row.median:.0f} | {row.high:.0f} | {row.found:.0%} | {_verdict(row.found)} |" for row in edits
    )
    return f"""# Hash banks: time and edits

`OMP_NUM_THREADS=1 python benchmarks/hash_banks.py`, {platform.machine()}, Python {platform.python_version()}, one
thread. Method: head of that file; why it is built so: [decision 14](../decisions/0014-hash-banks.md).

## Finding a copy

A query is one photo in its eight orientations. Goal: {TARGET_MS:.0f} ms among {ASKED:,} entries; measured
**{asked[1]:.2f} ms** (99th percentile {asked[2]:.2f} ms).

| entries | ms, median | ms, 99th percentile | ms, comparing with all | ratio | load, s | snapshot, MB | memory, MB |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{speed}

Among {ASKED:,} entries whose chunks are drawn from those of real photos, asked with real photos: {uneven[0]:.2f} ms
(99th percentile {uneven[1]:.2f} ms). Loading happens at a cold start and once an hour. Memory is what the entries and
the index take.

## Which copies are found

{photos} photos, each edited, encoded as JPEG and opened like an upload. Bits apart of 256, in the nearest of the eight
orientations; found is what is at most {MATCH_BITS} bits apart and has a quality of at least {MATCH_QUALITY} after the
edit.

| edit | bits apart, median | 95th percentile | found | |
| --- | ---: | ---: | ---: | --- |
{table}

## Photos that are no copies

Of {apart.pairs:,} pairs of different photos, one of them in eight orientations, {apart.matched:,} are within
{MATCH_BITS} bits; the nearest two are {apart.nearest} bits apart.
"""


def _verdict(found: float) -> str:
    if found >= 0.99:
        return "found"
    return "mostly found" if found >= 0.9 else "found or not" if found >= 0.1 else "**stops here**"


if __name__ == "__main__":
    main()
