"""Staffing rules: a rule that exists is usable, and a bad one says which store, field and value, and what to do."""

import numpy as np
import pandas as pd
import pytest

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.messages import INFEASIBLE, REFUSALS
from pawcast.forecasting.staffing.rules import PATTERNS, Shift, ShiftPattern, rules_from_stores, rules_of

GOOD = {"store_id": "S1", "plans_by": "hour", "visitors_per_person": 12.5}


def test_a_row_of_stores_becomes_rules_and_what_is_empty_its_default() -> None:
    row = GOOD | {"min_staff": "4", "max_staff": 12.0, "service_quantile": None, "shift_pattern": np.nan}

    rules = rules_of(row)

    assert "short_and_long" == rules_of(GOOD | {"shift_pattern": "short_and_long"}).pattern.name
    assert (4, 12, 0.8, "eight_hours") == (rules.min_staff, rules.max_staff, rules.service_quantile, rules.pattern.name)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("plans_by", "week", "unknown_value"),
        ("plans_by", "", "missing_value"),
        ("visitors_per_person", 0, "out_of_range"),
        ("visitors_per_person", -3.5, "out_of_range"),
        ("visitors_per_person", None, "missing_value"),
        ("visitors_per_person", "many", "not_a_number"),
        ("visitors_per_person", float("inf"), "not_a_number"),
        ("service_quantile", 80, "out_of_range"),
        ("service_quantile", 0.95, "out_of_range"),
        ("min_staff", 2, "out_of_range"),
        ("min_staff", 3.5, "not_a_number"),
        ("min_staff", True, "not_a_number"),
        ("min_staff", [3], "not_a_number"),
        ("max_staff", -1, "out_of_range"),
        ("max_staff", 2, "max_below_min"),
        ("max_people_per_day", 1, "max_below_min"),
        ("shift_pattern", "nights", "unknown_value"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(field: str, value: object, code: str) -> None:
    with pytest.raises(InvalidStaffing) as refused:
        rules_of(GOOD | {field: value})

    error = refused.value
    assert (code, field, "S1") == (error.request_code, error.field, error.store_id)
    for text in (error.en, error.ko):
        assert "S1" in text
        assert field in text
        assert str(value) in text or code in {"missing_value"}


def test_one_bad_store_does_not_stop_the_others() -> None:
    stores = pd.DataFrame([GOOD, GOOD | {"store_id": "S2", "min_staff": 1}, GOOD | {"store_id": "S3"}])

    rules, refused = rules_from_stores(stores)

    assert ["S1", "S3"] == sorted(rules)
    assert ["S2"] == [error.store_id for error in refused]


def test_a_store_that_stands_twice_is_refused_both_times() -> None:
    rules, refused = rules_from_stores(pd.DataFrame([GOOD, GOOD | {"min_staff": 5}]))

    assert not rules
    assert ["two_rows", "two_rows"] == [error.request_code for error in refused]


def test_built_in_patterns_hold_every_full_hour_until_midnight() -> None:
    shifts = PATTERNS["short_and_long"].shifts

    assert {4, 6, 8} == {shift.hours for shift in shifts}
    assert 24 == max(shift.ends_at for shift in shifts)
    assert 21 + 19 + 17 == len(shifts)


def test_a_pattern_is_read_from_json() -> None:
    document = {
        "name": "market",
        "shifts": [{"starts_at": 6, "hours": 8, "name": "early"}, {"starts_at": "every", "hours": [23, 24]}],
    }

    pattern = ShiftPattern.from_json(document)

    assert (Shift(6, 8, "early"), Shift(0, 23), Shift(1, 23), Shift(0, 24)) == pattern.shifts
    assert ["early", "00-23"] == [shift.label for shift in pattern.shifts[:2]]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"shifts": []},
        {"name": "m", "shifts": []},
        {"name": "m", "shifts": [{"starts_at": 20, "hours": 8}]},
        {"name": "m", "shifts": [{"starts_at": 6}]},
        {"name": "m", "shifts": [{"starts_at": 6.5, "hours": 4}]},
        {"name": "m", "shifts": [{"starts_at": 6, "hours": 0}]},
        {"name": "m", "shifts": [{"starts_at": 6, "hours": 4, "break": 1}]},
        {"name": "m", "shifts": [{"starts_at": 6, "hours": 4}, {"starts_at": [6], "hours": 4}]},
    ],
)
def test_a_pattern_that_cannot_be_is_refused(document: object) -> None:
    with pytest.raises(InvalidStaffing) as refused:
        ShiftPattern.from_json(document)

    assert "bad_pattern" == refused.value.request_code


def test_what_may_be_given_is_said_in_the_readers_language() -> None:
    with pytest.raises(InvalidStaffing) as refused:
        rules_of(GOOD | {"min_staff": 2})

    assert "Store S1: min_staff is 2, out of range. Give a whole number, 3 to 10,000." == refused.value.en
    assert (
        "매장 S1: min_staff 값 2은(는) 범위를 벗어납니다. 3 이상 10,000 이하의 정수로 적어 주세요." == refused.value.ko
    )


def test_every_sentence_is_there_in_both_languages() -> None:
    for text in (*REFUSALS.values(), *INFEASIBLE.values()):
        assert any("가" <= letter <= "힣" for letter in text.ko)
        assert text.en.isascii()
