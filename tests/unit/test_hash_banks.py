"""The nearest judged photo is found exactly, among however many, whatever came and went since the snapshot."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.screening.banks import MATCH_BITS, MATCH_QUALITY, Bank, BankEntry, entry_id_of
from pawcast.screening.hash_banks import HashBanks
from pawcast.screening.hash_index import MAX_RADIUS, HashIndex, codes_of, distances
from tests.support.screening import NOW

HASHES = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
FLIPPED = st.sets(st.integers(0, 255), max_size=40)


def changed(pdq: str, bits: set[int] | range) -> str:
    """`pdq` with these bits the other way."""
    return f"{int(pdq, 16) ^ sum(1 << bit for bit in bits):064x}"


def entry(number: int, pdq: str, bank: Bank = "banned", quality: int = 100) -> BankEntry:
    added_at = NOW + timedelta(minutes=number)
    post_id, review_id = f"{number:032x}", f"{number:032x}-2"
    return BankEntry(entry_id_of(added_at, review_id), bank, "human_face", pdq, quality, post_id, review_id, added_at)


ZERO = "0" * 64


@settings(max_examples=60)
@given(st.lists(HASHES, max_size=30), st.lists(st.tuples(st.integers(0, 29), FLIPPED), min_size=1, max_size=8))
def test_the_index_finds_exactly_what_comparing_with_all_finds(
    hashes: list[str], asked: list[tuple[int, set[int]]]
) -> None:
    queries = codes_of([changed(hashes[number % len(hashes)] if hashes else ZERO, bits) for number, bits in asked])
    codes = codes_of(hashes)
    nearest = distances(codes[:, None], queries[None]).min(axis=1)

    rows, apart = HashIndex(codes).within(queries, MATCH_BITS)

    expected = [(row, bits) for row, bits in enumerate(nearest.tolist()) if bits <= MATCH_BITS]
    assert expected == list(zip(rows.tolist(), apart.tolist(), strict=True))


def test_bits_spread_over_every_chunk_are_found_up_to_the_radius_that_the_tables_allow() -> None:
    spread = [bit for chunk in range(16) for bit in (16 * chunk, 16 * chunk + 9)]
    index = HashIndex(codes_of([ZERO]))

    found = {
        count: len(index.within(codes_of([changed(ZERO, set(spread[:count]))]), MAX_RADIUS)[0]) for count in (31, 32)
    }

    assert {31: 1, 32: 0} == found


def test_a_radius_that_would_miss_some_is_refused() -> None:
    with pytest.raises(ValueError, match="radius 32"):
        HashIndex(codes_of([ZERO])).within(codes_of([ZERO]), 32)


@pytest.mark.parametrize(("bits", "found"), [(0, True), (MATCH_BITS, True), (MATCH_BITS + 1, False)])
@pytest.mark.parametrize("settled", [True, False], ids=["settled", "recent"])
def test_a_copy_matches_up_to_31_bits(bits: int, found: bool, settled: bool) -> None:
    known = entry(1, ZERO)
    banks = HashBanks([known]) if settled else HashBanks([]).with_changes([known], [])

    match = banks.nearest([changed(ZERO, range(bits))])

    assert ((known, bits) if found else None) == (match and (match.entry, match.distance))


def test_any_orientation_may_match() -> None:
    banks = HashBanks([entry(1, ZERO)])

    assert banks.nearest([changed(ZERO, range(100)), changed(ZERO, range(3))]) is not None


def test_the_nearest_decides_and_of_equally_near_ones_the_later() -> None:
    near, same, later = entry(1, changed(ZERO, {5})), entry(2, changed(ZERO, {6}), "cleared"), entry(3, ZERO)
    banks = HashBanks([later, near])

    assert later == banks.nearest([ZERO]).entry  # type: ignore[union-attr]
    assert same == HashBanks([near]).with_changes([same], []).nearest([ZERO]).entry  # type: ignore[union-attr]


def test_without_banned_asks_the_cleared_bank_only() -> None:
    cleared = entry(1, changed(ZERO, range(9)), "cleared")
    banks = HashBanks([cleared, entry(2, ZERO)])

    match = banks.nearest([ZERO], without_banned=True)

    assert match is not None
    assert cleared == match.entry


@pytest.mark.parametrize("settled", [True, False], ids=["settled", "recent"])
def test_what_was_taken_out_matches_nothing(settled: bool) -> None:
    known = entry(1, ZERO)
    banks = HashBanks([known] if settled else []).with_changes([] if settled else [known], [known.entry_id])

    assert banks.nearest([ZERO]) is None


def test_changes_leave_the_banks_before_them_alone() -> None:
    before = HashBanks([entry(1, ZERO)])
    before.with_changes([], [entry(1, ZERO).entry_id])

    assert before.nearest([ZERO]) is not None


def test_an_entry_without_structure_matches_nothing() -> None:
    flat = replace(entry(1, ZERO), quality=MATCH_QUALITY - 1)

    assert HashBanks([flat]).with_changes([flat], []).nearest([ZERO]) is None


def test_different_photos_do_not_match_by_chance() -> None:
    drawn = np.random.default_rng(7).integers(0, 2**64, (20_000, 4), dtype=np.uint64)

    rows, _ = HashIndex(drawn).within(np.random.default_rng(8).integers(0, 2**64, (8, 4), dtype=np.uint64), MATCH_BITS)

    assert 0 == len(rows)
