"""The one pass: every image goes through every writer, every entry into the archive.

An image that cannot be used never sinks the export: it is listed. At the end every promised image is
either in the archive or in that list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Protocol

from django.conf import settings

from exports import crashpoints
from exports.archive.dataset import Dataset, Image, LeftOut, Objects, Repaired
from exports.archive.formats import ANNOTATIONS, METRICS, ORIGINALS, OVERLAYS, Format, Writer
from exports.archive.guide import Contents, Counts, features_of
from exports.archive.guide.contact_sheet import ContactSheet
from exports.archive.guide.crate import Crate
from exports.archive.guide.formats_guide import formats_entries
from exports.archive.guide.inventory import Inventory
from exports.archive.guide.manifest import Manifest
from exports.archive.guide.manifest_schema import schema_entry
from exports.archive.guide.metrics_guide import metrics_entries
from exports.archive.guide.names import NamesTable, errors_entries
from exports.archive.guide.readme import readme_entry
from exports.archive.measure import left_out_of
from exports.archive.repair import repaired_of
from exports.archive.zipping import Archive, Entry, UnreadableFile
from exports.messages import Advance
from exports.options import ExportOptions
from imagefiles.headers import UnreadableImage

if TYPE_CHECKING:
    from exports.snapshot import Item


class NothingExported(Exception):
    """None of the images could be exported. Check that their files are whole and upload them again."""


class Unaccounted(Exception):
    """An image or object is neither in the archive nor listed as left out or lost: a fault of this program."""


class Progress(Protocol):
    def show(self, advance: Advance) -> None: ...
    def check(self) -> None: ...


def write(file: BinaryIO, dataset: Dataset, items: Iterable[Item], progress: Progress) -> tuple[LeftOut, ...]:
    """Write the whole archive to an empty, seekable file; what had to be left out or repaired.

    Raise NothingExported when that is everything, and whatever `progress` raises.
    """
    assembly = _Assembly(file, dataset, progress)
    for item in items:
        assembly.pass_on(item)
        crashpoints.reach("archive.begun")
    return assembly.finish()


class _Assembly:
    def __init__(self, file: BinaryIO, dataset: Dataset, progress: Progress) -> None:
        self._dataset = dataset = replace(dataset, checkpoint=progress.check)
        self._progress = progress
        self._options = ExportOptions.model_validate(dataset.options)
        self._archive = Archive(file, dataset.changed_at, progress.check)
        self._manifest = Manifest(dataset.workspace)
        self._names = NamesTable(dataset)
        self._parts: dict[Format, Writer] = {part: part.writer(dataset) for part in chosen(self._options)}
        self._inventory = Inventory(self._parts)
        self._crate = Crate(dataset, settings.VERSION)
        self._sheet = ContactSheet(dataset) if self._options.include_documentation else None
        self._left_out: list[LeftOut] = []
        self._repaired: list[Repaired] = []
        self._images: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._objects: Counter[str] = Counter()
        self._features: Counter[str] = Counter()
        self._passed = self._read_images = self._read_objects = 0

    def pass_on(self, item: Item) -> None:
        """One image through every part that was asked for.

        An image whose objects are damaged keeps its original, and nothing that would show it empty.
        """
        if item.fault:
            self._left_out.append(item.fault)
        if item.image and not item.fault:
            self._count(item.image.objects)
        wanted = [part for part in self._parts if item.fault is None or part is ORIGINALS]
        self._take(item, wanted)
        if item.image and not item.fault:
            self._left_out.extend(left_out_of(item.image, self._dataset))
            self._repaired.extend(repaired_of(item.image))
        self._passed += 1
        share = self._passed / self._dataset.image_count
        message = f"Image {self._passed:,} of {self._dataset.image_count:,}"
        self._progress.show(
            Advance(1 + 94 * share, "images", self._passed, self._dataset.image_count, message)
        )

    def finish(self) -> tuple[LeftOut, ...]:
        if not self._images.total():
            raise NothingExported(NothingExported.__doc__)
        self._progress.show(Advance(95, "finishing", 0, 1, "Writing tables and annotations"))
        for writer in self._parts.values():
            self._add_all(writer.finish())
        self._add_all(self._guide())
        self._archive.add(self._manifest.checksums())  # of all the rest
        self._refuse_gaps()
        self._archive.close()
        return (*self._left_out, *self._repaired)

    def _take(self, item: Item, wanted: list[Format]) -> None:
        image, files = item.image, dict[Format, list[str]]()
        if image:
            self._add_all(self._names.add(image))
        for part, writer in self._parts.items():
            if image and part in wanted:
                files[part] = self._offer(image, part, writer)
            else:
                self._missing[part.key] += 1
        if image and self._sheet:
            self._sheet.add(image, files, is_damaged=item.fault is not None)

    def _count(self, objects: Objects) -> None:
        self._read_images += 1
        self._read_objects += len(objects)
        self._features += features_of(objects)

    def _offer(self, image: Image, part: Format, writer: Writer) -> list[str]:
        """The paths of what the part made of this image alone."""
        try:
            paths = self._add_all(writer.add(image))
        except (UnreadableImage, UnreadableFile) as error:
            sentence = f"{part.title}: {str(error).rstrip('.')}."
            fault = LeftOut(image.image_id, image.original_name, part.key, "image_unreadable", sentence)
            self._left_out.append(fault)
            self._missing[part.key] += 1
            return []
        self._images[part.key] += 1
        self._objects[part.key] += len(image.objects)
        return paths

    def _guide(self) -> Iterator[Entry]:
        """What explains the archive."""
        yield from self._names.finish()
        yield from errors_entries((*self._left_out, *self._repaired))
        if self._options.metrics_formats:
            yield from self._metrics_guide()
        if self._sheet:
            yield from formats_entries(self._contents())
            yield schema_entry()
            yield from self._sheet.finish(self._contents())
        contents = self._contents()
        yield readme_entry(contents)
        yield self._crate.document()
        yield self._manifest.document(contents)

    def _metrics_guide(self) -> Iterator[Entry]:
        for entry in metrics_entries(self._dataset):
            if self._options.include_documentation or not entry.path.startswith("documentation/"):
                yield entry

    def _contents(self) -> Contents:
        return Contents(
            dataset=self._dataset,
            parts=tuple(self._parts),
            read=Counts(self._read_images, self._read_objects),
            written={
                part.key: Counts(self._images[part.key], self._written(part))
                for part in self._parts
                if self._images[part.key]
            },
            features=self._features,
            left_out=tuple(self._left_out),
            repaired=tuple(self._repaired),
            program_version=settings.VERSION,
            found=self._inventory.patterns(),
            lost_in_drawing={part.key: _lost(writer) for part, writer in self._parts.items()},
        )

    def _written(self, part: Format) -> int:
        """The objects in it, by its writer's own count; pictures have those of their images."""
        return int(getattr(self._parts[part], "objects", self._objects[part.key]))

    def _refuse_gaps(self) -> None:
        """Each promised image is in each part, or was listed as left out of it; so is each object."""
        for part, writer in self._parts.items():
            found = self._images[part.key] + self._missing[part.key]
            if found != self._dataset.image_count:
                raise Unaccounted(f"{part.key}: {found} of {self._dataset.image_count} images")
            accounted = self._written(part) + _lost(writer).get("absent", 0)
            if accounted != self._objects[part.key]:
                raise Unaccounted(f"{part.key}: {accounted} of {self._objects[part.key]} objects")

    def _add_all(self, entries: Iterable[Entry]) -> list[str]:
        """The paths of what was added."""
        paths = []
        for entry in entries:
            written = self._archive.add(entry)
            self._manifest.record(written)
            self._crate.record(written)
            self._inventory.record(written)
            paths.append(written.path)
        return paths


def _lost(writer: Writer) -> dict[str, int]:
    """What it found that it could not show."""
    return getattr(writer, "lost", {})


def chosen(options: ExportOptions) -> Iterator[Format]:
    """The parts that were asked for, in the order in which they are written."""
    if options.include_original_images:
        yield ORIGINALS
    if options.include_visualizations:
        yield OVERLAYS
    yield from (part for part in ANNOTATIONS if part.id in options.annotation_formats)
    yield from (part for part in METRICS if part.id in options.metrics_formats)
