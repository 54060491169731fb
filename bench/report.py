"""The table of one size: stages of the product, the baseline beside it, ratios last."""

from __future__ import annotations

from collections.abc import Iterator

from bench.runs import Run
from bench.sizes import Size
from bench.stopwatch import STAGES

WHOLE = "whole"
_NOTHING = {"wall": 0.0, "cpu": 0.0}
_HEADER = (
    f"{'stage':<14}{'wall s':>9}{'CPU s':>9}{'ms/image':>10}{'share':>7}"
    f" |{'naive s':>9}{'CPU s':>9} |{'bare CPU':>9} |{'wall x':>8}{'CPU x':>8}"
)


def table(size: Size, runs: dict[str, Run]) -> str:
    """Plain text, for a terminal."""
    title = f"{size.name}: {size.images:,} images, {runs['product']['counts']['objects']:,} objects"
    times = "medians of " + ", ".join(
        f"{runs[side]['runs']} {side}" for side in ("product", "naive", "floor")
    )
    lines = [f"{title} ({times})", _HEADER, "-" * len(_HEADER)]
    lines += [_line(stage, size, runs) for stage in (*STAGES, WHOLE)]
    return "\n".join([*lines, *_memory(runs)])


def _line(stage: str, size: Size, runs: dict[str, Run]) -> str:
    ours, naive, floor = (_cost(runs[side], stage) for side in ("product", "naive", "floor"))
    share = 100 * ours["cpu"] / runs["product"]["cpu"]
    return (
        f"{stage:<14}{ours['wall']:>9.2f}{ours['cpu']:>9.2f}{1000 * ours['cpu'] / size.images:>10.2f}{share:>6.1f}%"
        f" |{naive['wall']:>9.2f}{naive['cpu']:>9.2f} |{floor['cpu']:>9.2f}"
        f" |{_ratio(naive['wall'], ours['wall']):>8}{_ratio(naive['cpu'], ours['cpu']):>8}"
    )


def _cost(run: Run, stage: str) -> dict[str, float]:
    if stage == WHOLE:
        return {"wall": run["wall"], "cpu": run["cpu"]}
    cost: dict[str, float] = run["stages"].get(stage, _NOTHING)
    return cost


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f}" if theirs and ours else ""


def _memory(runs: dict[str, Run]) -> Iterator[str]:
    for name, key in (("peak PSS", "peak_pss"), ("max RSS", "max_rss")):
        ours, naive = runs["product"][key], runs["naive"][key]
        yield f"{name}: {ours / 1e6:,.0f} MB, naive {naive / 1e6:,.0f} MB ({naive / ours:.1f} x)"
    sizes = runs["product"]["counts"]["bytes"], runs["naive"]["counts"]["bytes"]
    yield f"archive: {sizes[0] / 1e6:,.1f} MB, naive {sizes[1] / 1e6:,.1f} MB"
