"""`python -m bench.large`: a large project with every format, against one a tenth of it: flat memory, right counts.

An archive of more than 4 GiB with more than 65,535 entries, opened by unzip, 7z and a Java stream.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from bench.place import Place, prepared
from bench.sizes import SIZES, Size

MEBIBYTE = 1 << 20
MOST_MEMORY = 512 * MEBIBYTE
MOST_MORE = 96 * MEBIBYTE
"""Goal P4: of the process and its children at their peak, and what ten times as many images may add."""


def main() -> None:
    wanted = _arguments()
    sizes = [SIZES["quick"]] if wanted.quick else [SIZES["tenth"], SIZES["large"]]
    with prepared(_say) as place:
        runs = [_run(place, size) for size in sizes]
    for size, run in zip(sizes, runs, strict=True):
        print(_line(size, run))
    found = [fault for size, run in zip(sizes, runs, strict=True) for fault in faults(size, run["counts"])]
    if not wanted.quick:
        found += _faults_of_size(*runs)
    for fault in found:
        print(f"WRONG: {fault}")
    sys.exit(bool(found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three tiny images: does it run at all?")
    return parser.parse_args()


def _run(place: Place, size: Size) -> dict[str, Any]:
    _say(f"{size.name}: storing {size.images:,} images with {size.objects} objects each.")
    place.make(size)
    _say(f"{size.name}: exporting everything.")
    run = place.measure("everything", size)
    _say(f"{size.name}: {run['wall']:.0f} s, {run['counts']['bytes'] / MEBIBYTE:,.0f} MiB; judging.")
    judged = place.measure("judges", size)
    return run | {"counts": run["counts"] | judged["counts"]}


def _line(size: Size, run: dict[str, Any]) -> str:
    counts = run["counts"]
    return (
        f"{size.images:,} images, {size.images * size.objects:,} objects, {counts['parts']} parts: {run['wall']:,.0f} s, "
        f"peak {run['peak_pss'] / MEBIBYTE:,.0f} MiB, {counts['entries']:,} entries, "
        f"{counts['bytes'] / MEBIBYTE:,.0f} MiB; unzip, 7z and Java read it all"
    )


def faults(size: Size, counts: dict[str, int]) -> Iterator[str]:
    """A sentence for each count that is not as it has to be."""
    expected = {
        "least_images": size.images,
        "most_images": size.images,
        "least_objects": size.images * size.objects,
        "most_objects": size.images * size.objects,
        "java_entries": counts["entries"],
        "java_content": counts["content"],
        "files_in_manifest": counts["entries"] - 2,  # all but itself and SHA256SUMS
        "warnings": 0,
    }
    for name, count in expected.items():
        if counts[name] != count:
            yield f"{size.name}: {name} is {counts[name]:,}, not {count:,}"


def _faults_of_size(tenth: dict[str, Any], large: dict[str, Any]) -> Iterator[str]:
    if large["counts"]["entries"] <= 0xFFFF:
        yield "no more than 65,535 entries"
    if large["counts"]["bytes"] <= 1 << 32:
        yield "no more than 4 GiB"
    more = large["peak_pss"] - tenth["peak_pss"]
    if large["peak_pss"] > MOST_MEMORY or more > MOST_MORE:
        yield f"the peak of memory is {more / MEBIBYTE:,.0f} MiB higher than with a tenth of the images"


def _say(news: str) -> None:
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
