"""The pieces of index.html and its further pages, as HTML. Every text and path is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from math import floor, isfinite, log10
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from exports.archive.columns import IMAGE_MEASURES
from exports.archive.dataset import Dataset, Image, LeftOut
from exports.archive.formats import ORIGINALS, OVERLAYS, Format
from exports.archive.guide import PROGRAM, Contents
from exports.archive.guide.inventory import EXPLAINING
from exports.archive.measure import Measurements

Files = Mapping[Format, Sequence[str]]
"""For each part the paths of what it made of one image."""

# No script and nothing from elsewhere. Some browsers do not count a file as the "self" of its neighbours.
POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'"
STYLE = Path(__file__).with_name("contact_sheet.css").read_text(encoding="utf-8")

SHOWN_BY_BROWSERS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"})
LISTED = 20
UNKNOWN = "–"


def document(title: str, header: str, main: Iterable[str]) -> Iterator[str]:
    """A whole page; `title` is text, the rest is HTML."""
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"<header>{header}</header>\n<main>\n"
    )
    yield from main
    yield "</main>\n</body>\n</html>\n"


def header(dataset: Dataset, version: str, scale: str) -> str:
    return (
        f'<p class="program">An export of {escape(PROGRAM)} {escape(version)}</p>'
        f'<h1 dir="auto">{escape(dataset.project_name)}</h1>'
        f'<p class="quiet">Newest change of the data: {dataset.changed_at:%Y-%m-%d %H:%M} UTC. {escape(scale)}</p>'
    )


def figures(pairs: Iterable[tuple[str, str, str]]) -> str:
    """Large numbers: of what, how many, and what stands small beside it."""
    cells = (
        f'<div class="card"><dt>{escape(name)}</dt><dd>{escape(number)} <small>{escape(beside)}</small></dd></div>'
        for name, number, beside in pairs
    )
    return f'<dl class="figures">{"".join(cells)}</dl>\n'


def left_out(faults: Sequence[LeftOut]) -> str:
    """Nothing when nothing was left out."""
    if not faults:
        return ""
    lines = [
        f"<li><bdi>{escape(each.original_name)}</bdi>: {escape(each.sentence)}</li>"
        for each in faults[:LISTED]
    ]
    more = f"<li>… and {len(faults) - LISTED:,} more.</li>" if len(faults) > LISTED else ""
    return (
        '<section class="notice"><h2>Left out</h2><p>Not everything could be exported. '
        '<a href="errors.csv">errors.csv</a> lists all of it with the reasons.</p>'
        f"<ul>{''.join(lines)}{more}</ul></section>\n"
    )


def parts(contents: Contents) -> str:
    """What else the archive holds, linked where it is one file."""
    cells = [
        _part(escape(part.title), escape(part.description), contents.files_of(part))
        for part in contents.parts
        if contents.files_of(part)
    ]
    cells += [
        _part(_place(path), f"{_with_code(purpose)}.", [])
        for path, purpose in EXPLAINING.items()
        if path in contents.found and "<" not in path and path != "index.html"
    ]
    listed = "".join(f'<li class="card">{cell}</li>\n' for cell in cells)
    return f'<section><h2>In this archive</h2><ul class="parts">{listed}</ul></section>\n'


def _part(title: str, about: str, files: Iterable[str]) -> str:
    places = ", ".join(_place(path) for path in files)
    listed = f'<p class="quiet">{places}</p>' if places else ""
    return f"<h3>{title}</h3><p>{about[:1].upper()}{about[1:]}</p>{listed}"


def _place(path: str) -> str:
    return f"<code>{escape(path)}</code>" if "<" in path else f'<a href="{quote(path)}">{escape(path)}</a>'


def _with_code(markdown: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(markdown))


def card(image: Image, files: Files, base: str, *, is_damaged: bool) -> str:
    """An image with its picture, or with why it has none; `base` leads from the page to the archive's folder."""
    name = escape(image.original_name)
    count = "objects damaged" if is_damaged else _objects(len(image.objects))
    path = picture_of(files)
    shown = f'<div class="none">{_no_picture(files)}</div>'
    if path is not None:
        alternative = f"{name} with its outlines" if path in files.get(OVERLAYS, ()) else name
        shown = (
            f'<a href="{base}{quote(path)}"><img src="{base}{quote(path)}" alt="{alternative}"'
            f' width="{image.width}" height="{image.height}" loading="lazy" decoding="async"></a>'
        )
    return f'<li class="card">{shown}<p><bdi>{name}</bdi></p><p class="quiet">{count}</p></li>\n'


def picture_of(files: Files) -> str | None:
    """The path of the overlay, else of the original, if a browser shows it."""
    paths = [path for part in (OVERLAYS, ORIGINALS) for path in files.get(part, ())]
    return next((path for path in paths if PurePosixPath(path).suffix.lower() in SHOWN_BY_BROWSERS), None)


def _no_picture(files: Files) -> str:
    if files.get(ORIGINALS):
        return "Browsers show no pictures of this kind, and there is no overlay."
    return "There is no picture of it in this archive."


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count:,} objects"


def row(image: Image, measured: Measurements, files: Files, base: str, unit: str, *, is_damaged: bool) -> str:
    """`unit` is the dataset's: where it is "mixed", each cell names its own."""
    values = dict(zip((column.name for column in IMAGE_MEASURES), measured.image.tolist(), strict=False))
    beside = f" {measured.unit}²" if unit == "mixed" else ""
    cells = [
        f"{len(image.objects):,}",
        _valued(values["total_area"], beside),
        _valued(values["mean_area"], beside),
        _valued(100 * values["area_fraction"], " %", digits=3),
    ]
    shown = "".join(f"<td>{UNKNOWN if is_damaged else cell}</td>" for cell in cells)
    links = " ".join(
        f'<a href="{base}{quote(path)}">{escape(part.title)}</a>'
        for part, paths in files.items()
        for path in paths
    )
    name = f"<bdi>{escape(image.original_name)}</bdi>"
    return f'<tr><th scope="row">{name}</th>{shown}<td class="files">{links or UNKNOWN}</td></tr>\n'


def _valued(value: float, unit: str, digits: int = 4) -> str:
    return rounded(value, digits) + (unit if isfinite(value) else "")


def rounded(value: float, digits: int = 4) -> str:
    """At least so many digits that say something, thousands apart; a dash for what does not exist."""
    if not isfinite(value):
        return UNKNOWN
    decimals = digits - 1 - floor(log10(abs(value))) if value else 0
    return f"{value:,.{min(max(decimals, 0), 9)}f}"


def images_section(cards: Sequence[str], rows: Sequence[str], unit: str, *, has_pictures: bool) -> str:
    grid = f'<ul class="pictures">\n{"".join(cards)}</ul>'
    if not has_pictures:
        grid = "<p>There are no pictures of these images in the archive that a browser could show.</p>"
    area = "area" if unit == "mixed" else f"area ({unit}²)"
    titles = ("Image", "Objects", f"Total {area}", f"Mean {area}", "Area fraction")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        f'<section><h2>Images</h2>{grid}</section>\n<section><h2 id="measured">Measured by image</h2>'
        '<div class="wide card" role="region" aria-labelledby="measured" tabindex="0"><table class="images">'
        f'<thead><tr>{head}<th scope="col" class="files">Files</th></tr></thead>\n<tbody>{"".join(rows)}</tbody></table></div>'
        '<p class="quiet">Area fraction: total area of the objects by area of the image; where objects overlap'
        " each counts. Numbers are rounded.</p></section>\n"
    )
