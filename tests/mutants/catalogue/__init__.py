"""At least one mechanism of each guarantee, and the quickest test that misses it."""

from __future__ import annotations

from tests.mutants.catalogue.building import BUILDING
from tests.mutants.catalogue.cancelling import CANCELLING
from tests.mutants.catalogue.limits import LIMITS
from tests.mutants.catalogue.losses import LOSSES
from tests.mutants.catalogue.showing import SHOWING

MUTANTS = tuple(
    sorted(
        (*CANCELLING, *BUILDING, *LOSSES, *SHOWING, *LIMITS),
        key=lambda mutant: int(mutant.guarantee.removeprefix("G")),
    )
)
