"""Bring the catalogues up to date with the sources and compile them: `make translations`."""

from __future__ import annotations

import os
import sys

import django

from tests.translations.catalogues import (
    DOMAINS,
    LANGUAGES,
    as_text,
    compiled,
    path_of,
    untranslated,
    updated,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", "translations")


def main() -> int:
    """1 when a message has no translation in some language."""
    django.setup()
    from tests.translations.messages import template

    missing = 0
    for domain in DOMAINS:
        messages = template(domain)
        for language in LANGUAGES:
            catalogue = updated(language, domain, messages)
            path = path_of(language, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_text(catalogue))
            path.with_suffix(".mo").write_bytes(compiled(catalogue))
            missing += len(untranslated(catalogue))
            print(
                f"{language} {domain}: {len(catalogue)} messages, {len(untranslated(catalogue))} to translate"
            )
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
