"""What an empty stack needs before anybody can post: people, a verified sender, the models and a first release.

Everything can be done again: what is there stays as it is, except the passwords, which are set anew to what
`.pawcast/users.json` says. The models and the release go through the operator's own commands.
"""

import hashlib
import json
import os
import secrets
import string
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from pawcast_ops.local.emulator import CREDENTIALS, REGION, Emulator, LocalStackError, clean_environment
from pawcast_ops.local.sam import client, read_json

SENDER = "pawcast@example.com"  # the default of the template's SenderMail
CLASSIFIER_FOLDER = Path("models/face-classifier")
AUDIT_SHARE = "0.05"  # one passed photo in twenty: enough to see an audit in a demo's forty uploads


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in: `.pawcast/users.json` is a list of these."""

    username: str
    email: str
    password: str = field(repr=False)
    groups: tuple[str, ...] = ()


PEOPLE = {
    "mina@example.com": (),
    "jun@example.com": (),
    "sora@example.com": (),
    "operator@example.com": ("operators",),
    "operator-two@example.com": ("operators",),
    "planner@example.com": ("planners",),
}


def seed_people(state: Path, emulator: Emulator, user_pool_id: str) -> list[Person]:
    """Three uploaders, two operators and a planner, with passwords made here and kept in a file only you can read.

    Two, because what is appealed from one operator is decided by another.
    """
    known = {entry["username"]: entry["password"] for entry in read_json(state / "users.json") or []}
    people = [Person(mail, mail, known.get(mail) or _new_password(), groups) for mail, groups in PEOPLE.items()]
    cognito = client("cognito-idp", emulator)
    for person in people:
        with suppress(cognito.exceptions.UsernameExistsException):
            cognito.admin_create_user(
                UserPoolId=user_pool_id,
                Username=person.username,
                UserAttributes=[
                    {"Name": "email", "Value": person.email},
                    {"Name": "email_verified", "Value": "true"},
                ],
                MessageAction="SUPPRESS",
            )
        cognito.admin_set_user_password(
            UserPoolId=user_pool_id, Username=person.username, Password=person.password, Permanent=True
        )
        for group in person.groups:
            cognito.admin_add_user_to_group(UserPoolId=user_pool_id, Username=person.username, GroupName=group)
    _write_private(state / "users.json", json.dumps([asdict(person) for person in people], indent=2) + "\n")
    return people


def verify_sender(emulator: Emulator) -> None:
    """SES sends only for identities that were verified; the emulator verifies at once."""
    client("sesv2", emulator).create_email_identity(EmailIdentity=SENDER)


def release_first_model(root: Path, emulator: Emulator, *, bucket: str, parameter: str) -> str:
    """Publish detector and classifier; the classifier decides at the threshold its card advises.

    The detector draws boxes for operators and covers faces. What was released already stays. Returns the classifier
    as NAME/VERSION.
    """
    model = classifier(root)
    version = model.partition("/")[2]
    into, policy = ["--bucket", bucket], ["--parameter", parameter]
    with ThreadPoolExecutor() as pool:
        publishing = pool.submit(_pawcast, root, emulator, "models", "publish", "face-detector", "--json", *into)
        _pawcast(root, emulator, "models", "publish", "face-classifier", "--version", version, *into)
        card = json.loads(publishing.result())
    finder = ["--face-finder", f"{card['name']}/{card['version']}", "--audit-share", AUDIT_SHARE]
    _pawcast(root, emulator, "release", "set", "--if-nothing-released", "--model", model, *finder, *into, *policy)
    return model


def classifier(root: Path) -> str:
    """The committed head as NAME/VERSION: a refitted one is another version, the same one is the same again."""
    folder = root / CLASSIFIER_FOLDER
    fitted = datetime.fromisoformat(json.loads((folder / "card.json").read_text(encoding="utf-8"))["created_at"])
    content = hashlib.sha256((folder / "head.json").read_bytes()).hexdigest()
    return f"face-classifier/{fitted:%Y%m%d}-{content[:8]}"


def _pawcast(root: Path, emulator: Emulator, *arguments: str) -> str:
    completed = subprocess.run(
        [sys.executable, "-m", "pawcast_ops.cli", *arguments],
        cwd=root,
        env=clean_environment()
        | CREDENTIALS
        | {"AWS_ENDPOINT_URL": emulator.endpoint_url, "AWS_DEFAULT_REGION": REGION, "NO_PROXY": "*"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        said = (completed.stderr or completed.stdout).strip()
        raise LocalStackError(f"pawcast {' '.join(arguments[:3])} failed:\n{said}")
    return completed.stdout


def _new_password() -> str:
    """Twenty characters, of every kind a password policy asks for."""
    alphabet = string.ascii_letters + string.digits
    return "Pa1-" + "".join(secrets.choice(alphabet) for _ in range(16))


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # also when it was there before
        file.write(text)
