"""`pawcast models` and `pawcast release`: what is in the registry, and which of it decides.

Both work on the stack of `pawcast_ops.outputs` unless the resource is named by an option. The rules are in
`pawcast.mlops`; here is only asking, showing and exit statuses: 0 done, 1 refused or failed, 2 asked wrongly.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.policy_store import PolicyStore, Revision
from pawcast.errors import InvalidPolicy, NotFound, PawcastError, ReleaseUnavailable
from pawcast.mlops.policy import ReleasePolicy, parse_policy
from pawcast.mlops.registry import Card, ModelRef
from pawcast.mlops.release_gate import validate_release
from pawcast_ops import publishing
from pawcast_ops.outputs import Stack, StackNotFound, no_stack, stack_outputs

models_app = typer.Typer(no_args_is_help=True, help="Publish models into the registry and look at them.")
release_app = typer.Typer(no_args_is_help=True, help="Say which models decide; roll back in one command.")

REFUSED, ASKED_WRONGLY = 1, 2
# From this score on CenterFace's box is drawn for operators: a face that is missed costs more than a box too many.
FACE_MIN_SCORE = 0.3

StackName = Annotated[str | None, typer.Option("--stack-name", help="A CloudFormation stack on AWS.")]
Bucket = Annotated[str | None, typer.Option("--bucket", help="The models bucket, instead of the stack's.")]
Parameter = Annotated[
    str | None, typer.Option("--parameter", help="The policy's SSM parameter, instead of the stack's.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--file", exists=True, dir_okay=False, help="A policy document as JSON.")
]


@contextmanager
def _explained() -> Iterator[None]:
    """Turn Pawcast's errors into one sentence and an exit status."""
    try:
        yield
    except (StackNotFound, publishing.SourceMissing) as error:
        _complain(str(error))
        raise typer.Exit(ASKED_WRONGLY) from error
    except PawcastError as error:
        _complain(f"{error.code}: {error}")
        raise typer.Exit(REFUSED) from error
    except (ClientError, BotoCoreError) as error:  # not allowed, no such bucket, no credentials, ...
        _complain(str(error))
        raise typer.Exit(REFUSED) from error


def _complain(sentence: str) -> None:
    Console(stderr=True).print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


def _stack(stack_name: str | None, *given: str | None) -> Stack:
    return no_stack() if all(given) and not stack_name else stack_outputs(stack_name)


def _model_store(stack: Stack, bucket: str | None) -> ModelStore:
    client = stack.session().client("s3", endpoint_url=stack.endpoint_url)
    return ModelStore(client, bucket or stack.output("ModelsBucketName"))


def _policy_store(stack: Stack, parameter: str | None) -> PolicyStore:
    client = stack.session().client("ssm", endpoint_url=stack.endpoint_url)
    return PolicyStore(client, parameter or stack.output("ReleasePolicyParameterName"))


def _console() -> Console:
    """For tables: where the output is no terminal, Rich would assume 80 columns."""
    return Console(width=None if sys.stdout.isatty() else 120)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


# --- models -------------------------------------------------------------------------------------------


@models_app.command("publish")
def publish_model(
    name: Annotated[str, typer.Argument(help="face-classifier or face-detector")],
    version: Annotated[str | None, typer.Option(help="Its version; a detector's is its package's.")] = None,
    source: Annotated[Path | None, typer.Option(help="Folder with head.json and card.json.")] = None,
    detector: Annotated[Path | None, typer.Option(help="CenterFace's ONNX file.")] = None,
    stack_name: StackName = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> None:
    """Build a model from its source, run it on two pictures and add it to the registry."""
    now = datetime.now(UTC)
    with _explained():
        if name == publishing.DETECTOR:
            card, model = publishing.build_detector(detector, version, now)
        elif name == publishing.CLASSIFIER:
            if version is None:
                raise typer.BadParameter("a classifier needs --version")
            folder = source or Path("models") / name
            card, model = publishing.build_classifier_from_head(folder, detector, version, now)
        else:
            raise typer.BadParameter(f"no recipe for {name}: {publishing.CLASSIFIER}, {publishing.DETECTOR}")
        card = publishing.publish(_model_store(_stack(stack_name, bucket), bucket), card, model)
    if as_json:
        _print_json(card.model_dump(mode="json"))
    else:
        Console().print(f"[green]published[/green] {card.ref}, {card.size_bytes:,} bytes, sha256 {card.sha256}")


@models_app.command("list")
def list_models(
    name: Annotated[str | None, typer.Argument(help="One model only.")] = None,
    stack_name: StackName = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> None:
    """Every published version."""
    with _explained():
        store = _model_store(_stack(stack_name, bucket), bucket)
        cards = [
            store.card(ModelRef(name=each, version=version))
            for each in ([name] if name else store.names())
            for version in store.versions(each)
        ]
    if as_json:
        _print_json([card.model_dump(mode="json") for card in cards])
        return
    table = Table("model", "version", "input", "MB", "created (UTC)", "data set", "sha256", title="Models")
    for card in cards:
        side = card.inputs.get("input_side")
        table.add_row(
            card.name,
            card.version,
            f"{side} px" if side else "",
            f"{card.size_bytes / 1e6:.1f}",
            f"{card.created_at:%Y-%m-%d %H:%M}",
            f"n = {card.data_set.n:,}" if card.data_set else "",
            card.sha256[:12],
        )
    _console().print(table)


@models_app.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="NAME/VERSION")],
    stack_name: StackName = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> None:
    """The card of one version."""
    with _explained():
        card = _model_store(_stack(stack_name, bucket), bucket).card(_ref(model))
    if as_json:
        _print_json(card.model_dump(mode="json"))
    else:
        _console().print(_facts_table(str(card.ref), card.model_dump(mode="json", exclude_none=True)))


def _ref(text: str) -> ModelRef:
    name, _, version = text.partition("/")
    try:
        return ModelRef(name=name, version=version)
    except ValidationError as error:
        raise typer.BadParameter(f"{text!r} is not NAME/VERSION") from error


def _leaves(document: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(document, Mapping) and document:
        for key, value in document.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, document


def _facts_table(title: str, document: Mapping[str, Any]) -> Table:
    table = Table("field", "value", title=title)
    for field, value in _leaves(document):
        table.add_row(field, escape(str(value)))
    return table


# --- release ------------------------------------------------------------------------------------------


@release_app.command("show")
def show_release(stack_name: StackName = None, parameter: Parameter = None, as_json: AsJson = False) -> None:
    """The policy in force."""
    with _explained():
        policy = _policy_store(_stack(stack_name, parameter), parameter).read()
    if as_json:
        _print_json(policy.model_dump(mode="json"))
    else:
        _console().print(_facts_table(f"Release {policy.version}", policy.model_dump(mode="json")))


@release_app.command("set")
def set_release(
    file: PolicyFile = None,
    model: Annotated[str | None, typer.Option(help="The primary, as NAME/VERSION.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Flag from this probability.")] = None,
    single: Annotated[bool, typer.Option("--single", help="The primary decides alone.")] = False,
    detector: Annotated[str | None, typer.Option(help="Serial: the detector, as NAME/VERSION.")] = None,
    band: Annotated[tuple[float, float] | None, typer.Option(help="Serial: LOW HIGH.")] = None,
    min_score: Annotated[float | None, typer.Option(help="Serial: a face counts from here.")] = None,
    operator_checks_per_week: Annotated[int | None, typer.Option(help="What the operators can do.")] = None,
    face_finder: Annotated[
        str | None, typer.Option(help="The detector that draws boxes and covers faces, as NAME/VERSION.")
    ] = None,
    face_min_score: Annotated[float | None, typer.Option(help="A box is drawn from here.")] = None,
    audit_share: Annotated[
        float | None, typer.Option(help="Share of passed photos that an operator looks at, to measure recall.")
    ] = None,
    if_nothing_released: Annotated[
        bool, typer.Option("--if-nothing-released", help="Leave a stack alone that has a release.")
    ] = False,
    stack_name: StackName = None,
    bucket: Bucket = None,
    parameter: Parameter = None,
    as_json: AsJson = False,
) -> None:
    """Release what a file or the options say; what they leave open stays as it is now.

    A model named without --threshold gets the threshold that its own card advises: a threshold means nothing
    for another model.
    """
    if single and (detector or band or min_score is not None):
        raise typer.BadParameter("--single has no --detector, --band or --min-score")
    numbers = (threshold, min_score, operator_checks_per_week, face_min_score, audit_share)
    if not (file or single or model or detector or band or face_finder) and numbers == (None,) * len(numbers):
        raise typer.BadParameter("say what to release: --file, or --model, --threshold, ...")
    with _explained():
        stack = _stack(stack_name, bucket, parameter)
        store, models = _policy_store(stack, parameter), _model_store(stack, bucket)
        if if_nothing_released and store.next_version() > 1:
            Console().print("a policy is released already; it stays")
            return
        document = _document(file, store)
        document.setdefault("version", store.next_version())
        document.setdefault("strategy", {"kind": "single"})
        if model:
            advised = _advice(models.card(_ref(model)))
            document["primary"] = {"model": _ref(model).model_dump()}  # without the other model's threshold
            _put(document, "primary", threshold=advised.get("threshold"))
            if "limits" not in document:
                checks = advised.get("facts", {}).get("operator_checks_per_week")
                _put(document, "limits", operator_checks_per_week=checks)
        if single:
            document["strategy"] = {"kind": "single"}
        if detector or band or min_score is not None:
            named = _ref(detector).model_dump() if detector else None
            _put(document, "strategy", kind="serial", detector=named, band=band, min_score=min_score)
        _put(document, "primary", threshold=threshold)
        _put(document, "limits", operator_checks_per_week=operator_checks_per_week)
        if face_finder:
            document["faces"] = {"model": _ref(face_finder).model_dump(), "min_score": FACE_MIN_SCORE}
        _put(document, "faces", min_score=face_min_score)
        if audit_share is not None:
            document["audit_share"] = audit_share
        _release(parse_policy(json.dumps(document)), store, models, as_json=as_json)


def _put(document: dict[str, Any], group: str, **values: object) -> None:
    """Set the values that are given in one group of a policy document."""
    given = {key: value for key, value in values.items() if value is not None}
    if given:
        document[group] = {**(document.get(group) or {}), **given}


def _advice(card: Card) -> Mapping[str, Any]:
    """What `pawcast models train-head` wrote on the card: the threshold, and the facts it was chosen for."""
    advice = card.metrics.get("threshold_advice")
    return advice if isinstance(advice, dict) else {}


def _document(file: Path | None, store: PolicyStore) -> dict[str, Any]:
    """What `set` starts from: the file, else the content in force, else nothing."""
    if file:
        return _read_document(file)
    try:
        return store.read().model_dump(mode="json", exclude={"version"})
    except (ReleaseUnavailable, InvalidPolicy):
        return {}


def _read_document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidPolicy(f"{file} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidPolicy(f"{file} holds no JSON object")
    return document


@release_app.command("rollback")
def roll_back(
    to: Annotated[int | None, typer.Option(help="The release to return to; else the one before.")] = None,
    stack_name: StackName = None,
    bucket: Bucket = None,
    parameter: Parameter = None,
    as_json: AsJson = False,
) -> None:
    """Release the content of an earlier version again, under the next version number."""
    with _explained():
        stack = _stack(stack_name, bucket, parameter)
        store = _policy_store(stack, parameter)
        earlier = earlier_policy(store.history(), to)
        policy = earlier.with_version(store.next_version())
        _release(policy, store, _model_store(stack, bucket), as_json=as_json)


def earlier_policy(revisions: list[Revision], version: int | None) -> ReleasePolicy:
    """The newest released content of that version; without one, the content before the document in force."""
    released = [revision.policy for revision in revisions[:-1] if revision.policy]
    matching = [policy for policy in released if version in (None, policy.version)]
    if not matching:
        known = ", ".join(str(policy.version) for policy in released) or "none"
        wanted = "no earlier release" if version is None else f"no earlier release {version}"
        raise NotFound(f"there is {wanted} to return to; SSM remembers: {known}")
    return matching[-1]


def _release(policy: ReleasePolicy, store: PolicyStore, models: ModelStore, *, as_json: bool) -> None:
    validate_release(policy, models, publishing.run_model)
    store.put(policy)
    if as_json:
        _print_json(policy.model_dump(mode="json"))
    else:
        _console().print(_facts_table(f"Release {policy.version}", policy.model_dump(mode="json")))
        Console().print(f"[green]released version {policy.version}[/green]; warm functions follow within 30 s")


@release_app.command("validate")
def validate(
    file: PolicyFile = None,
    stack_name: StackName = None,
    bucket: Bucket = None,
    parameter: Parameter = None,
    as_json: AsJson = False,
) -> None:
    """Check a document, or the one in force, as `set` would: load each model and run it on two pictures."""
    with _explained():
        if file:
            stack, policy = _stack(stack_name, bucket), parse_policy(json.dumps(_read_document(file)))
        else:
            stack = _stack(stack_name, bucket, parameter)
            policy = _policy_store(stack, parameter).read()
        cards = validate_release(policy, _model_store(stack, bucket), publishing.run_model)
    if as_json:
        _print_json({"version": policy.version, "models": [str(card.ref) for card in cards]})
    else:
        _console().print(_cards_table(policy, cards))


def _cards_table(policy: ReleasePolicy, cards: tuple[Card, ...]) -> Table:
    table = Table("model", "task", "sha256", title=f"Release {policy.version} is valid")
    for card in cards:
        table.add_row(str(card.ref), card.task, card.sha256)
    return table


@release_app.command("history")
def show_history(stack_name: StackName = None, parameter: Parameter = None, as_json: AsJson = False) -> None:
    """Who released what and when, newest first; SSM remembers the last 100."""
    with _explained():
        revisions = _policy_store(_stack(stack_name, parameter), parameter).history()[::-1]
    if as_json:
        _print_json([_revision_facts(revision) for revision in revisions])
        return
    table = Table("release", "when (UTC)", "who", "primary", "threshold", "strategy", title="Releases")
    for revision in revisions:
        when = f"{revision.written_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        who = revision.written_by.rpartition(":")[2]
        if policy := revision.policy:
            what = (str(policy.primary.model), f"{policy.primary.threshold:.4f}", policy.strategy.kind)
            table.add_row(str(policy.version), when, who, *what)
        else:
            problem = str(revision.problem).partition(":")[0]  # the sentence; `--json` has the whole of it
            table.add_row("-", when, who, f"[yellow]{problem}[/yellow]", "", "")
    _console().print(table)


def _revision_facts(revision: Revision) -> dict[str, Any]:
    return {
        "parameter_version": revision.parameter_version,
        "written_at": revision.written_at.astimezone(UTC).isoformat(),
        "written_by": revision.written_by,
        "policy": revision.policy.model_dump(mode="json") if revision.policy else None,
        "problem": revision.problem,
    }
