"""The goals that one run can judge, each a figure beside its limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.runs import Run
from bench.sizes import SIZES

MEGABYTE = 1e6


@dataclass(frozen=True)
class Goal:
    number: str
    figure: str
    is_met: bool | None
    """None where this run cannot judge it."""

    def line(self) -> str:
        verdict = {True: "met", False: "MISSED", None: "not judged here"}[self.is_met]
        return f"{self.number}: {self.figure}: {verdict}"


def judged(measured: dict[str, dict[str, Run]]) -> list[Goal]:
    """Of the largest size, and of the growth from the smallest to it."""
    names = sorted(measured, key=lambda name: SIZES[name].images * SIZES[name].pixels ** 2)
    return [*_of_one(measured[names[-1]]), *_of_growth(names[0], names[-1], measured)]


def of_promise(found: dict[str, Any]) -> Iterator[Goal]:
    """From `cancels.measured`, in milliseconds, and `serving.measured`."""
    limits = {"answered": 50, "process_gone": 100, "files_gone": 1000}
    for name, limit in limits.items():
        spread = found["cancels"][name]
        figure = f"cancel {name.replace('_', ' ')}: p50 {spread['p50']:.0f} ms, p99 {spread['p99']:.0f} ms, at most {limit}"
        yield Goal("P11", figure, spread["p99"] <= limit)
    served = found["downloads"]
    share = served["download"] / served["copy"]
    yield Goal("P15", f"{share:.2f} of the throughput of curl file://, at least 0.3", share >= 0.3)
    figure = f"other requests: p99 {served['alone']:.0f} ms, {served['beside']:.0f} ms beside four downloads"
    yield Goal("P15", figure, None)


def _of_one(runs: dict[str, Run]) -> Iterator[Goal]:
    ours, naive, floor = runs["product"], runs["naive"], runs["floor"]
    wall, cpu = naive["wall"] / ours["wall"], naive["cpu"] / ours["cpu"]
    yield Goal("P1", f"{wall:.1f} x faster than the baseline, {cpu:.1f} x less CPU", None)
    over = ours["cpu"] / floor["cpu"]
    yield Goal("P2", f"{over:.2f} x the CPU of the bare loop, at most 1.8", over <= 1.8)
    yield _copying(runs)
    yield Goal("P4", f"{ours['peak_pss'] / MEGABYTE:.0f} MB, at most 512", ours["peak_pss"] <= 512e6)
    each = 1e6 * ours["stages"]["measures"]["cpu"] / ours["counts"]["objects"]
    yield Goal("P7", f"{each:.1f} µs CPU an object for all measures, at most 20", each <= 20)
    rate = naive["stages"]["xlsx"]["cpu"] / ours["stages"]["xlsx"]["cpu"]
    yield Goal("P8", f"{rate:.1f} x the rows a CPU second of XlsxWriter in memory, at least 5", rate >= 5)


def _copying(runs: dict[str, Run]) -> Goal:
    stages = runs["copying"]["stages"]
    share = stages["cp"]["wall"] / stages["zip"]["wall"]
    digests = stages["sha256"]["wall"] / stages["zip"]["wall"]
    again = runs["product"]["counts"]["deflated_again"]
    figure = f"{share:.2f} of the throughput of a copy, at least 0.85 (SHA-256 is {digests:.0%} of the time)"
    return Goal("P3", f"{figure}; {again} entries deflated again", share >= 0.85 and not again)


def _of_growth(small: str, large: str, measured: dict[str, dict[str, Run]]) -> Iterator[Goal]:
    if small == large:
        return
    ours = [measured[name]["product"] for name in (small, large)]
    images = SIZES[large].images / SIZES[small].images
    growth = ours[1]["cpu"] / ours[0]["cpu"] / images
    yield Goal("P5", f"{growth:.2f} x the CPU an image from {small} to {large}, at most 1.15", growth <= 1.15)
    more = (ours[1]["peak_pss"] - ours[0]["peak_pss"]) / MEGABYTE
    yield Goal("P4", f"{more:+.0f} MB from {small} to {large}, at most 96 more", more <= 96)
