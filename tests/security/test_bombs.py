"""Files that expand, behind the pages that show them: a picture in their place or a refusal, in little memory."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from imagefiles import headers
from imagefiles.headers import UnreadableImage
from projects.images import add_image
from projects.models import Image, Project
from tests.conftest import store_file
from tests.imagefiles import hostile
from tests.imagefiles.opened import _most_memory as most_memory
from tests.imagefiles.pictures import by_tifffile
from tests.security.listening import listening
from tests.security.rights.asking import ask
from tests.security.rights.stage import Stage

MOST_GROWN = 150_000_000  # bytes, where the largest of them would fill ten billion
SIDE = 60_000
PAGES = ("images/{image}/thumbnail", "images/{image}/file", "export/preview/?image={image}")


def bombs() -> dict[str, bytes]:
    tiff = hostile._with_tag(by_tifffile(np.zeros((48, 64), np.uint8), compression="zlib"), 256, SIDE)
    enormous = {
        "png of 60,000 x 60,000": hostile._png(SIDE, SIDE, hostile._chunk(b"IDAT", hostile._zeros())),
        "tiff of 60,000 x 60,000": hostile._with_tag(tiff, 257, SIDE),
    }
    return enormous | dict(hostile.bombs())


BOMBS = bombs()


def stored(project: Project, name: str) -> Image:
    """As large as its header says: whoever imported it may have believed that."""
    try:
        header = headers.read(BytesIO(BOMBS[name]))
        size = {"width": header.width, "height": header.height}
    except UnreadableImage:
        size = {"width": SIDE, "height": SIDE}
    image = store_file(project, f"{name}.png", BOMBS[name])
    return Image.objects.create(
        project=project, name=name, file=image.file, size=image.size, sha256=image.sha256, **size
    )


def test_no_page_that_shows_one_takes_much_memory(stage: Stage) -> None:
    project = Project.objects.get(pk=stage.known["owner"]["project"])
    answers, grown = {}, {}
    with listening() as log:
        for name in BOMBS:
            image = stored(project, name)
            Path("/proc/self/clear_refs").write_text("5")  # the most that was held is what is held now
            before = most_memory()
            for page in PAGES:
                said = ask(stage, "owner", "GET", f"/projects/{{project}}/{page}", image=image.pk)
                answers[name, page] = said.status
            grown[name] = most_memory() - before
    assert set(answers.values()) <= {200, 422, 413}
    assert {name: taken for name, taken in grown.items() if taken > MOST_GROWN} == {}
    assert log.alarms == []


@pytest.mark.parametrize("name", ["png of 60,000 x 60,000", "tiff of 60,000 x 60,000"])
def test_one_of_too_many_pixels_is_not_taken_in(stage: Stage, name: str) -> None:
    project = Project.objects.get(pk=stage.known["owner"]["project"])
    with pytest.raises(UnreadableImage, match="may have 1 to"):
        add_image(project, "x.png", BOMBS[name])
    assert project.images.count() == 1
