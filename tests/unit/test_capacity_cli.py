"""`pawcast capacity`: exit status, JSON, samconfig.toml and files from a real run."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pawcast_ops.capacity import app, read_measured, read_times, write_concurrency
from pawcast_ops.capacity_tables import duration

SAMCONFIG = """\
version = 0.1  # of the file format

[default.deploy.parameters]
stack_name = "pawcast"   # keep
parameter_overrides = "Architecture=arm64 MaximumConcurrency=20 AlarmMail=\\"ops@example.com\\""
capabilities = "CAPABILITY_IAM"
"""


def run(*arguments: str, columns: int = 120) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns), "NO_COLOR": "1"})
    return result.exit_code, result.output


def answer(*arguments: str) -> tuple[int, Any]:
    status, output = run(*arguments, "--json")
    return status, json.loads(output)


def test_plan_answers_with_the_concurrency_and_the_four_months() -> None:
    status, document = answer("plan")

    assert status == 0
    assert document["fits"]
    assert document["months"]["worst"]["krw"] <= 1_500_000 < document["months"]["worst_with_one_more"]["krw"]
    assert document["months"]["expected"]["krw"] < document["months"]["worst"]["krw"]
    lines = document["months"]["worst"]["lines"]
    assert sum(line["usd"] for line in lines) == pytest.approx(document["months"]["worst"]["usd"])
    assert document["borrowed_prices"]["ses_mails"] == "us-east-1"


@pytest.mark.parametrize("columns", [80, 120])
def test_the_plan_s_table_fits_the_terminal_without_cutting_a_number(columns: int) -> None:
    status, output = run("plan", columns=columns)

    assert status == 0
    assert max(map(len, output.splitlines())) <= columns
    assert "…" not in output


def test_a_budget_too_small_for_two_functions_ends_with_1_and_says_what_would_fit() -> None:
    status, output = run("plan", "--peak", "20000")

    assert status == 1
    assert "Does not fit. Even MaximumConcurrency 2 costs" in output
    assert "uploads an hour, every hour, would fit at 2" in output


def test_a_plan_that_does_not_fit_writes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text(SAMCONFIG)

    assert run("plan", "--budget-krw", "1000", "--write", str(config))[0] == 1
    assert config.read_text() == SAMCONFIG


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--region", "mars-north-1"], "no price file for region"),
        (["--architecture", "z80"], "architecture"),
        (["--published-share", "0.99", "--held-share", "0.5"], "together at most 1"),
        (["--rate-as-of", "yesterday"], "rate_as_of"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_2(arguments: list[str], words: str) -> None:
    status, output = run("plan", *arguments)

    assert status == 2
    assert words in output


def test_plan_writes_the_concurrency_and_nothing_else(tmp_path: Path) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text(SAMCONFIG)

    status, _ = run("plan", "--write", str(config))
    first = config.read_text()
    run("plan", "--write", str(config))

    number = answer("plan")[1]["maximum_concurrency"]
    assert status == 0
    assert first == SAMCONFIG.replace("MaximumConcurrency=20", f"MaximumConcurrency={number}")
    assert config.read_text() == first


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('parameter_overrides = "A=1"', 'parameter_overrides = "A=1 MaximumConcurrency=7"'),
        (
            'parameter_overrides = ["A=1", "MaximumConcurrency=3"] # list',
            'parameter_overrides = ["A=1", "MaximumConcurrency=7"] # list',
        ),
        ('parameter_overrides = ["A=1"]', 'parameter_overrides = ["A=1", "MaximumConcurrency=7"]'),
        (
            "parameter_overrides = \"XMaximumConcurrency=1 MaximumConcurrency='3'\"",
            'parameter_overrides = "XMaximumConcurrency=1 MaximumConcurrency=7"',
        ),
        ('stack_name = "x"', 'stack_name = "x"\nparameter_overrides = "MaximumConcurrency=7"'),
    ],
)
def test_other_overrides_stay_as_they_are(tmp_path: Path, before: str, after: str) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text(f"[prod.deploy.parameters]\n{before}\n")

    assert write_concurrency(config, 7, "prod")
    assert config.read_text() == f"[prod.deploy.parameters]\n{after}\n"
    assert not write_concurrency(config, 7, "prod")


def test_an_environment_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text("version = 0.1\n")

    write_concurrency(config, 5)

    assert config.read_text() == (
        'version = 0.1\n\n[default.deploy.parameters]\nparameter_overrides = "MaximumConcurrency=5"\n'
    )


def test_the_gate_passes_with_0_and_rejects_with_1() -> None:
    passed, rejected = (run("gate", "--peak", "20000", "--concurrency", number) for number in ("4", "2"))

    assert (passed[0], rejected[0]) == (0, 1)
    assert "PASSED" in passed[1]
    assert "REJECTED" in rejected[1]


def test_the_gate_says_which_concurrency_would_pass() -> None:
    status, document = answer("gate", "--peak", "20000", "--concurrency", "2")

    assert status == 1
    assert answer("gate", "--peak", "20000", "--concurrency", str(document["needed_concurrency"]))[0] == 0


def test_a_given_peak_scales_the_base_load_with_it() -> None:
    small, large = (answer("gate", "--peak", peak, "--concurrency", "5")[1]["test"] for peak in ("1000", "20000"))

    assert large["base_uploads_per_hour"] == pytest.approx(20 * small["base_uploads_per_hour"])
    assert large["base_uploads_per_hour"] < large["peak_uploads_per_hour"] / 2


def test_the_gate_draws_the_same_curve_twice(tmp_path: Path) -> None:
    drawn = []
    for name in ("a.svg", "b.svg"):
        run("gate", "--peak", "20000", "--concurrency", "2", "--plot", str(tmp_path / name))
        drawn.append((tmp_path / name).read_bytes())

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) < 200_000


def test_real_waits_make_the_same_verdict(tmp_path: Path) -> None:
    rows = [
        {"uploaded_at": f"2026-11-23T12:00:{second:02d}Z", "decided_at": f"2026-11-23T12:01:{second:02d}Z"}
        for second in range(60)
    ]
    good, bad = tmp_path / "good.json", tmp_path / "bad.csv"
    good.write_text(json.dumps(rows))
    late = [f"{row['uploaded_at']},2026-11-23T14:00:00Z" for row in rows[:6]]
    bad.write_text("\n".join(["uploaded_at,decided_at", *late, *(",".join(row.values()) for row in rows[6:])]))

    assert answer("gate", "--verdict-from", str(good))[0] == 0
    status, document = answer("gate", "--verdict-from", str(bad))
    assert status == 1
    assert document["verdict"]["late"] == 6


def test_a_photo_without_decision_reads_as_undecided(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("uploaded_at,decided_at\n2026-11-23T12:00:00Z,\n")

    assert [decided for _, decided in read_times(path)] == [None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "has no photo"),
        ('[{"uploaded_at": "2026-11-23T12:00:00Z"}]', "row 1: needs uploaded_at and decided_at"),
        ('[{"uploaded_at": "2026-11-23T12:00:00", "decided_at": null}]', "has no time zone"),
        ('[{"uploaded_at": "noon", "decided_at": null}]', "row 1"),
    ],
)
def test_a_broken_run_file_ends_with_2_and_names_the_row(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    status, output = run("gate", "--verdict-from", str(path))

    assert status == 2
    assert words in " ".join(output.split())


def test_a_benchmark_file_gives_mean_and_spread_or_samples(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"seconds_per_photo": {"samples": [0.1, 0.3]}, "init_seconds": 1.5, "other": 1}))
    sampled = read_measured(path)
    path.write_text(json.dumps({"seconds_per_photo": {"mean": 0.2, "cv": 0.1}, "measured_at": "2026-11-23"}))
    given = read_measured(path)

    assert (sampled.samples, sampled.init_seconds) == ((0.1, 0.3), 1.5)
    assert sampled.mean_seconds == pytest.approx(0.2)
    assert (given.mean_seconds, given.cv) == (0.2, 0.1)
    assert given.origin == "measured: bench.json, 2026-11-23"


def test_a_slower_photo_never_allows_more_functions_to_be_needed_less(tmp_path: Path) -> None:
    fast, slow = (
        answer("plan", "--seconds-per-photo", seconds, "--peak", "2000", "--budget-krw", "9000000")[1]
        for seconds in ("0.2", "5")
    )

    assert fast["needed_for_twice_the_peak"] < slow["needed_for_twice_the_peak"]


def test_an_own_arrival_profile_is_read(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"name": "flat", "uploads_per_month": 73_050, "hour_of_week": [1] * 168}))

    assert answer("plan", "--profile", str(path))[1]["peak_uploads_per_hour"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (52.4, "52 s"), (150, "2.5 min"), (1_800, "30 min"), (7_279.3, "2 h 01 min")],
)
def test_durations_read_like_a_person_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
