"""Static files under names that change with their content, so that a browser never asks for one twice."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORT = r"""(?P<matched>(?m:^)(?P<what>(?:import|export)\s[^;'"]*?)"(?P<url>\.[^"]+)";)"""
"""As our modules are written: at the start of a line. Django's own patterns take words of comments for statements."""


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Modules import one another by such names too: after an upgrade nobody mixes old ones with new ones."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("*.js", ((IMPORT, '%(what)s"%(url)s";'),)),
    )
