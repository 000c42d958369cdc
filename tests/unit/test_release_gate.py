"""The gate in front of the release policy."""

import pytest

from pawcast.errors import HashMismatch, InvalidPolicy, ModelRejected
from pawcast.mlops.registry import Card, ModelRef
from pawcast.mlops.release_gate import Probed, Rgb, probe_pictures, validate_release
from tests.support.releases import MODEL, SERIAL, Shelf, a_card, a_detector_card, a_policy, healthy


def test_a_release_of_sound_models_is_valid_and_gives_their_cards() -> None:
    cards = (a_card(), a_detector_card())
    shelf = Shelf(*((card, MODEL) for card in cards))

    assert validate_release(a_policy(strategy=SERIAL), shelf, healthy) == cards


def test_a_policy_that_names_a_missing_version_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match="not in the registry: no face-classifier/2 on the shelf"):
        validate_release(a_policy(model_version="2"), Shelf((a_card(), MODEL)), healthy)


def test_a_policy_that_names_a_model_for_another_task_is_refused() -> None:
    shelf = Shelf((a_detector_card(name="face-classifier", version="1"), MODEL))

    with pytest.raises(InvalidPolicy, match="needs a face-classification model, but face-classifier/1 is one"):
        validate_release(a_policy(), shelf, healthy)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Probed((float("nan"),), (1.0,)), "answers nan where a probability"),
        (Probed((1.5,), (1.0,)), r"answers 1\.5 where a probability"),
        (Probed((-0.1,), (1.0,)), r"answers -0\.1 where a probability"),
        (Probed((), (1.0,)), "gives 0 probabilities"),
        (Probed((0.1, 0.2), (1.0,)), "gives 2 probabilities"),
        (Probed((0.5,), None), "embedding that is empty"),
        (Probed((0.5,), ()), "embedding that is empty"),
        (Probed((0.5,), (float("inf"),)), "not finite"),
        (Probed((0.5,), (1.0, 2.0)), "does not look at them"),
    ],
)
def test_a_model_that_answers_nonsense_does_not_go_live(answer: Probed, complaint: str) -> None:
    with pytest.raises(ModelRejected, match=complaint):
        validate_release(a_policy(), Shelf((a_card(), MODEL)), lambda card, model, picture: answer)


def test_a_detector_that_scores_beyond_one_does_not_go_live() -> None:
    shelf = Shelf((a_card(), MODEL), (a_detector_card(), MODEL))

    def overconfident(card: Card, model: bytes, picture: Rgb) -> Probed:
        return Probed((2.0,)) if card.task == "face-detection" else healthy(card, model, picture)

    with pytest.raises(ModelRejected, match=r"face-detector/1\.5\.0 answers 2\.0"):
        validate_release(a_policy(strategy=SERIAL), shelf, overconfident)


def test_a_model_that_does_not_load_is_rejected_with_the_runtimes_own_words() -> None:
    def broken(*_: object) -> Probed:
        raise RuntimeError("INVALID_PROTOBUF")

    with pytest.raises(ModelRejected, match="can't be loaded or run: RuntimeError: INVALID_PROTOBUF"):
        validate_release(a_policy(), Shelf((a_card(), MODEL)), broken)


def test_a_wrong_hash_at_the_gate_stays_a_hash_mismatch() -> None:
    class Tampered(Shelf):
        def fetch(self, ref: ModelRef) -> bytes:
            raise HashMismatch(f"{ref} has other bytes")

    with pytest.raises(HashMismatch, match="face-classifier/1 has other bytes"):
        validate_release(a_policy(), Tampered((a_card(), MODEL)), healthy)


def test_the_probe_pictures_are_photos_and_always_the_same() -> None:
    first, second = probe_pictures(), probe_pictures()

    assert [picture.shape for picture in first] == [(240, 320, 3)] * 2
    assert [picture.tobytes() for picture in first] == [picture.tobytes() for picture in second]
