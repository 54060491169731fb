"""What `make run` decides for a developer: debug mode and a secret key that stays the same."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from config import embedded, environment

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    return environment.folder("DATA_DIR", str(BASE_DIR / "var"))


def begin() -> None:
    """For `up`: debug mode unless DEBUG says otherwise, with a key that is made once. Call before settings load."""
    embedded.prepare_data_dir(data_dir())
    os.environ["DEBUG"] = str(environment.boolean("DEBUG", default=True))
    if environment.boolean("DEBUG", default=True) and not _key_file().exists():
        _make_secret_key()
    resume()


def resume() -> None:
    """For every other command: a data folder that `up` began in development mode stays in it.

    A SECRET_KEY in the environment or DEBUG=false mean another mode; then nothing is decided here.
    """
    key_is_given = bool(environment.text("SECRET_KEY", ""))
    if key_is_given or not environment.boolean("DEBUG", default=True) or not _key_file().exists():
        return
    with embedded.explained(f"{_key_file()} cannot be read"):
        os.environ["SECRET_KEY"] = _key_file().read_text().strip()
    os.environ["DEBUG"] = "true"


def _make_secret_key() -> None:
    unfinished = _key_file().with_suffix(".unfinished")
    with embedded.explained(f"{unfinished} cannot be written"):
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        unfinished.replace(_key_file())


def _key_file() -> Path:
    return data_dir() / "development_secret_key"
