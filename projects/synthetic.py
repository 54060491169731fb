"""Synthetic projects of any size for benchmarks and load: the same seed, the same files and outlines.

There are ten pictures: six grey and two colour PNGs, two JPEGs. Image i is picture i modulo ten with a comment of its
own, so that each file has its own bytes; its outlines follow the picture's cells, each image in its own way.
Nothing here needs the database but `create`.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from django.contrib.auth.models import User
from django.db import connection, reset_queries, transaction
from numpy.typing import NDArray

from projects.images import described, stored
from projects.models import Image, Project, Segmentation
from projects.outlines import Outlines, columns

CLASS_NAMES = ("cell", "debris", "mitotic cell")
CLASS_SHARES = (0.85, 0.05, 0.1)
VERTICES = (40, 80)
PIXEL_SIZE = 0.325  # µm
PICTURES = 10
COLOURS = ("grey", "grey", "rgb", "grey", "jpeg")
BATCH_BYTES = 64 << 20  # of files and outlines that are committed together
STATEMENT_BYTES = 4 << 20  # of outlines; PostgreSQL gets them as text of four times the length
_NOISE_ROWS = 256  # then it repeats: too far apart for a compressor to notice

Floats = NDArray[np.float64]

Batch = dict[str, tuple[Image, bytes]]
"""By path: the row and the file of an image."""


@dataclass(frozen=True)
class Recipe:
    size: int
    """Width and height of each image in pixels."""
    polygons: int
    """Objects an image."""
    holes: float = 3.0
    """Percent of the objects that have a hole."""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Cells:
    """Where the N cells of a picture lie; no two overlap."""

    centres: Floats
    """(N, 2), pixels."""
    radii: Floats
    """(N,), pixels."""
    bulges: Floats
    """(N, 2): amplitude as a share of the radius, and direction of the longer axis."""


def create(
    name: str,
    owner: User,
    images: int,
    size: int,
    polygons: int,
    holes: float = 3.0,
    seed: int = 0,
    progress: Callable[[int], object] = lambda done: None,
) -> Project:
    """A project of `images` images; `progress` is called with the number of those committed so far.

    Memory does not grow with `images`. When it fails midway, what was committed stays, whole.
    """
    recipe = Recipe(size, polygons, holes, seed)
    project = Project.objects.create(name=name, owner=owner, description="Synthetic.")
    done = 0
    for batch in _batches(project, recipe, images):
        _commit(batch)
        done += len(batch)
        progress(done)
    return project


def image_file(index: int, recipe: Recipe) -> bytes:
    """The file of image `index`. Fast when `index` modulo ten is that of the call before."""
    picture = _picture_file(index % PICTURES, recipe)
    comment = f"synthetic image {index} of seed {recipe.seed}".encode()
    if picture.startswith(b"\xff\xd8"):
        return picture[:2] + struct.pack(">HH", 0xFFFE, len(comment) + 2) + comment + picture[2:]
    chunk = b"tEXtComment\0" + comment
    end = len(picture) - 12  # the last chunk, IEND, is empty
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return picture[:end] + framed + picture[end:]


def image_outlines(index: int, recipe: Recipe) -> Outlines:
    """The objects of image `index`: those of its picture, drawn anew."""
    rng = np.random.default_rng((recipe.seed, 1, index))
    return outlines(rng, _cells(index % PICTURES, recipe), recipe.size, recipe.holes)


def outlines(rng: np.random.Generator, cells: Cells, size: int, holes: float) -> Outlines:
    """Rings around `cells` of 40 to 80 points with two decimals, `holes` percent with a hole."""
    count = len(cells.radii)
    has_hole = rng.random(count) < holes / 100
    objects = np.repeat(np.arange(count), 1 + has_hole)
    is_hole = np.append(False, objects[1:] == objects[:-1])[: len(objects)]
    lengths = np.where(
        is_hole, rng.integers(10, 21, len(objects)), rng.integers(*VERTICES, len(objects), endpoint=True)
    )
    points = _ring_points(rng, cells, objects, is_hole, lengths).clip(0, size).round(2)
    return Outlines(
        points=points,
        rings=np.stack([objects, np.zeros_like(objects), lengths], axis=1).astype(np.int32),
        classes=rng.choice(len(CLASS_NAMES), count, p=CLASS_SHARES).astype(np.int16),
        scores=np.round(rng.uniform(0.5, 1, count), 3),
        class_names=CLASS_NAMES,
    )


def _batches(project: Project, recipe: Recipe, images: int) -> Iterator[Batch]:
    """Rows with their files, picture by picture, so that each picture is made once and only one is held."""
    batch: Batch = {}
    held = 0
    for index in itertools.chain(*(range(first, images, PICTURES) for first in range(PICTURES))):
        content = image_file(index, recipe)
        image = described(project, "", content, pixel_size=PIXEL_SIZE)
        path = str(image.file)
        image.name = f"synthetic-{index:05}{path[-4:]}"
        image.segmentation = Segmentation(image=image, **columns(image_outlines(index, recipe)))
        batch[path] = (image, content)
        held += len(content) + len(image.segmentation.points)
        if held >= BATCH_BYTES:
            yield batch
            batch, held = {}, 0
    if batch:
        yield batch


def _commit(batch: Batch) -> None:
    images = [image for image, _ in batch.values()]
    outlined = [image.segmentation for image in images if image.segmentation]
    rows = max(1, STATEMENT_BYTES // (1 + len(outlined[0].points)))
    with stored({path: content for path, (_, content) in batch.items()}), transaction.atomic():
        with connection.cursor() as cursor:
            # The time limit is for answers to people.
            cursor.execute("SET LOCAL statement_timeout = 0")
        # The rows name each other; PostgreSQL checks that at the commit.
        Image.objects.bulk_create(images, batch_size=500)
        Segmentation.objects.bulk_create(outlined, batch_size=rows)
    reset_queries()  # DEBUG keeps every statement, and these are long


def _cells(picture: int, recipe: Recipe) -> Cells:
    """On a jittered grid; a cell stays within nine tenths of its field."""
    rng = np.random.default_rng((recipe.seed, 0, picture))
    fields = max(1, int(np.ceil(np.sqrt(recipe.polygons))))
    pitch = recipe.size / fields
    chosen = np.sort(rng.permutation(fields**2)[: recipe.polygons])
    corners = np.stack([chosen % fields, chosen // fields], axis=1)
    return Cells(
        centres=(corners + 0.5 + rng.uniform(-0.08, 0.08, corners.shape)) * pitch,
        radii=rng.uniform(0.24, 0.33, recipe.polygons) * pitch,
        bulges=np.stack([rng.uniform(0, 0.2, len(chosen)), rng.uniform(0, np.pi, len(chosen))], axis=1),
    )


def _ring_points(
    rng: np.random.Generator,
    cells: Cells,
    objects: NDArray[np.int64],
    is_hole: NDArray[np.bool_],
    lengths: NDArray[np.int64],
) -> Floats:
    """(P, 2): rings run clockwise as seen, holes the other way; at most 1.3 radii from their centre."""
    wobble, phase = rng.uniform(0, 0.08, len(objects)), rng.uniform(0, 2 * np.pi, len(objects))
    ring = np.repeat(np.arange(len(objects)), lengths)
    first = np.cumsum(lengths) - lengths
    angle = 2 * np.pi * (np.arange(len(ring)) - first[ring]) / lengths[ring] * np.where(is_hole, -1, 1)[ring]
    cell = objects[ring]
    amplitude, direction = cells.bulges[cell].T
    shape = 1 + amplitude * np.cos(2 * (angle - direction)) + wobble[ring] * np.cos(5 * angle + phase[ring])
    radius = cells.radii[cell] * np.where(is_hole, 0.35, 1)[ring] * shape
    points: Floats = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None] + cells.centres[cell]
    return points


@lru_cache(maxsize=1)
def _picture_file(picture: int, recipe: Recipe) -> bytes:
    rng = np.random.default_rng((recipe.seed, 2, picture))
    colour = COLOURS[picture % len(COLOURS)]
    light = _light(rng, _cells(picture, recipe), recipe.size)
    if colour == "grey":
        return _encoded(".png", _noisy(rng, light))
    tints = rng.uniform(0.5, 1, 3)
    pixels = np.stack([_noisy(rng, (light * tint).astype(np.uint8)) for tint in tints], axis=2)
    return _encoded(".png" if colour == "rgb" else ".jpg", pixels)


def _light(rng: np.random.Generator, cells: Cells, size: int) -> NDArray[np.uint8]:
    """(size, size): blurred bright cells on a dark ground that is lighter towards one side."""
    ground = np.linspace(12, 30, size)[None, :].astype(np.uint8)
    pixels = np.repeat(ground, size, axis=0)
    drawn = outlines(rng, cells, size, holes=0)
    ends = np.cumsum(drawn.rings[:, 2])
    rings = np.split(np.round(drawn.points * 16).astype(np.int32), ends)[:-1]
    for ring, brightness in zip(rings, rng.uniform(60, 180, len(rings)), strict=True):
        cv2.fillPoly(pixels, [ring], brightness, cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(pixels, (0, 0), max(1.0, size / 500)).astype(np.uint8, copy=False)


def _noisy(rng: np.random.Generator, light: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With the noise of a camera, which decides how well the file compresses."""
    height, width = light.shape
    rows = rng.normal(0, 3.7, (_NOISE_ROWS, width)).astype(np.int16)
    noise = np.tile(rows, (-(-height // _NOISE_ROWS), 1))[:height]
    return cv2.add(light, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _encoded(ending: str, pixels: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(ending, pixels)[1])
