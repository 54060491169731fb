"""Django's commands, with the embedded servers found or started for those that need them."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import development, embedded

# Everything else may ask the database. `up` brings servers of its own.
WITHOUT_SERVERS = {
    *("help", "version", "up", "check", "diffsettings", "makemigrations", "collectstatic", "findstatic"),
    *("compilemessages", "makemessages", "startapp", "startproject"),
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        _enter_mode()
        with _servers():
            execute_from_command_line(sys.argv)
    except (embedded.EmbeddedServerError, ImproperlyConfigured) as error:
        sys.exit(str(error))


def _enter_mode() -> None:
    if sys.argv[1:2] == ["up"]:
        development.begin()
    else:
        development.resume()


def _servers() -> AbstractContextManager[object]:
    words = set(sys.argv[1:])
    is_for_help = not words or bool(words & {"-h", "--help", "--version"})
    if is_for_help or sys.argv[1] in WITHOUT_SERVERS or os.environ.get("SUPERVISED"):
        return nullcontext()
    return embedded.running(
        development.data_dir(),
        log=lambda sentence: print(sentence, file=sys.stderr),
        postgres=not os.environ.get("DATABASE_URL"),
        redis=not os.environ.get("REDIS_URL"),
    )


if __name__ == "__main__":
    main()
