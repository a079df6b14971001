"""Pictures made of plain HTML and SVG: parts of a whole, heatmaps, networks.

They need no script, so they show at once, print well, and take the page's colours by class.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qunluo.insight.figures import Chart
from qunluo.insight.report.charts import cut, label, shown, width_of
from qunluo.insight.report.masks import Masks
from qunluo.insight.report.numbers import exact, when
from qunluo.insight.report.palette import SERIES
from qunluo.insight.report.words import WORDS

SEED = 20_230_320
MAX_NODES = 120
MAX_LINKS = 600
NAMED_NODES = 14
NAMED_ON_A_PHONE = 6
NAME_SIZE, NAME_SIZE_ON_A_PHONE = (
    13.0,
    22.0,
)  # font sizes of report.css, in units of the picture
NODE_NAME_WIDTH = 16  # in halves of a Chinese character
NUMBERS_FIT = 14  # columns of a heatmap whose cells still have room for a number
WIDTH, HEIGHT, MARGIN = 720.0, 460.0, 34.0
GAP = 0.3  # between parts of a network, where a node has a square of side 1


@dataclass(frozen=True)
class Part:
    """One piece of a bar of parts: its CSS width in %, colour class and words."""

    name: str
    share: float
    shown: str
    exact: str
    colour: str
    fits: bool  # room for the number inside


@dataclass(frozen=True)
class Bar:
    """One bar of parts that sum to 1, and where the study's markers stand (in %)."""

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Heat:
    """One cell: how strong (0 to 1, in eighths as a class), and its number."""

    level: int
    shown: str
    title: str


@dataclass(frozen=True)
class HeatRow:
    name: str
    cells: tuple[Heat, ...]


@dataclass(frozen=True)
class Dot:
    """A node of a network, placed."""

    x: float
    y: float
    radius: float
    colour: str
    name: str
    size: str
    named: bool
    short: str  # the name, cut to what fits beside others
    extra: bool  # named only where there is room
    label_x: float = 0.0
    label_y: float = 0.0


@dataclass(frozen=True)
class _Box:
    """Where a name stands."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True)
class Tie:
    x1: float
    y1: float
    x2: float
    y2: float
    width: float


@dataclass(frozen=True)
class Network:
    width: float
    height: float
    dots: tuple[Dot, ...]
    ties: tuple[Tie, ...]
    hidden: int  # nodes too small to draw


def bars_of(chart: Chart, masks: Masks, lang: str) -> tuple[Bar, ...]:
    """A share chart: one series is one bar with a part per x; several are a bar per x."""
    if len(chart.series) == 1:
        names = [label(x, masks, lang) for x in chart.x]
        return (Bar("", _parts(names, chart.series[0].y, lang, chart)),)
    names = [series.name(lang) for series in chart.series]
    columns = list(zip(*(series.y for series in chart.series), strict=False))
    return tuple(
        Bar(label(x, masks, lang), _parts(names, column, lang, chart))
        for x, column in zip(chart.x, columns, strict=False)
    )


def _parts(
    names: Sequence[str], values: Sequence[float | None], lang: str, chart: Chart
) -> tuple[Part, ...]:
    clean = [max(v, 0.0) if v is not None and math.isfinite(v) else 0.0 for v in values]
    whole = sum(clean) or 1.0
    return tuple(
        Part(
            name=name,
            share=round(100 * value / whole, 3),
            shown=shown(chart, value, lang),
            exact=exact(value),
            colour=colour(i),
            fits=value / whole >= 0.12,
        )
        for i, (name, value) in enumerate(zip(names, clean, strict=False))
    )


def colour(position: int) -> str:
    """The class of the n-th colour; after the last one, grey."""
    return SERIES[position] if position < len(SERIES) else "c0"


def heat_rows(chart: Chart, masks: Masks, lang: str) -> tuple[HeatRow, ...]:
    """A heatmap: a row per series, a cell per x, strength relative to the largest value."""
    columns = [label(x, masks, lang) for x in chart.x]
    strength = _strength(chart)
    return tuple(
        HeatRow(
            when(series.name(lang), lang),
            tuple(
                _heat(chart, y, strength, f"{series.name(lang)}, {column}", lang)
                for column, y in zip(columns, series.y, strict=False)
            ),
        )
        for series in chart.series
    )


def _strength(chart: Chart) -> Callable[[float], float]:
    """From a value to 0–1. Where few cells dwarf the others (everybody is there in the month
    they came), roots keep the others apart."""
    values = sorted(y for s in chart.series for y in s.y if y is not None and y > 0)
    values = [y for y in values if math.isfinite(y)]
    if not values:
        return lambda value: 0.0
    power = 0.5 if values[len(values) // 2] < values[-1] / 8 else 1.0
    return lambda value: float((max(value, 0.0) / values[-1]) ** power)


def _heat(
    chart: Chart, value: float | None, strength: Callable[[float], float], where: str, lang: str
) -> Heat:
    if value is None or not math.isfinite(value):
        return Heat(-1, "", where)
    level = min(math.ceil(8 * strength(value)), 8)
    return Heat(level, shown(chart, value, lang), f"{where}: {exact(value)}")


def network(chart: Chart, masks: Masks, lang: str) -> Network:
    """The largest nodes of a graph, placed by Fruchterman–Reingold from a circle ordered by
    community with a seed of its own, so the same graph is always the same picture."""
    order = sorted(range(len(chart.nodes)), key=lambda i: (-chart.nodes[i][1], i))[:MAX_NODES]
    kept = sorted(order, key=lambda i: (chart.nodes[i][2], i))
    place = {node: spot for spot, node in enumerate(kept)}
    links = [(place[a], place[b], w) for a, b, w in chart.links if a in place and b in place]
    links = sorted(links, key=lambda link: (-link[2], link[:2]))[:MAX_LINKS]
    spots = _spread(len(kept), links)
    colours = _community_colours(chart, kept)
    dots = [_dot(chart, i, spots[place[i]], colours, masks, lang) for i in kept]
    named = _named(dots, [place[i] for i in order])
    return Network(WIDTH, HEIGHT, named, _ties(links, spots), len(chart.nodes) - len(kept))


def _community_colours(chart: Chart, kept: Sequence[int]) -> dict[int, str]:
    """The communities with most nodes in the picture get the colours, whatever their number."""
    seen = Counter(chart.nodes[i][2] for i in kept)
    order = sorted(seen, key=lambda community: (-seen[community], community))
    return {community: colour(rank) for rank, community in enumerate(order)}


def _dot(
    chart: Chart,
    i: int,
    spot: tuple[float, float],
    colours: dict[int, str],
    masks: Masks,
    lang: str,
) -> Dot:
    who, size, community = chart.nodes[i]
    top = max((node[1] for node in chart.nodes), default=0) or 1
    name = label(who, masks, lang)
    return Dot(
        *spot,
        radius=round(4 + 10 * math.sqrt(max(size, 0) / top), 1),
        colour=colours[community],
        name=name,
        size=exact(size),
        named=False,
        short=cut(name, NODE_NAME_WIDTH),
        extra=False,
    )


def _named(dots: Sequence[Dot], order: Sequence[int]) -> tuple[Dot, ...]:
    """The same dots, those largest ones named whose names cover no other name."""
    done, taken = list(dots), list[_Box]()
    for at in order:
        extra = len(taken) >= NAMED_ON_A_PHONE
        free = next((b for b in _places(dots[at], extra) if not any(map(b.meets, taken))), None)
        if free is None:
            continue
        taken.append(free)
        x, y = round((free.left + free.right) / 2, 1), round(free.bottom - 3, 1)
        done[at] = replace(dots[at], named=True, extra=extra, label_x=x, label_y=y)
        if len(taken) == NAMED_NODES:
            break
    return tuple(done)


def _places(dot: Dot, extra: bool) -> tuple[_Box, ...]:
    """Where a name can stand: above its dot, else below; never outside the picture."""
    size = NAME_SIZE if extra else NAME_SIZE_ON_A_PHONE
    half = width_of(dot.short) * size / 4
    middle = min(max(dot.x, half), WIDTH - half)
    tops = (dot.y - dot.radius - size - 2, dot.y + dot.radius + 2)
    return tuple(
        _Box(middle - half, top, middle + half, top + size)
        for top in tops
        if 0 <= top <= HEIGHT - size
    )


def _ties(
    links: Sequence[tuple[int, int, float]], spots: Sequence[tuple[float, float]]
) -> tuple[Tie, ...]:
    top = max((weight for *_, weight in links), default=0) or 1
    return tuple(
        Tie(*spots[a], *spots[b], round(0.6 + 3.4 * math.sqrt(max(w, 0) / top), 2))
        for a, b, w in links
        if a != b
    )


def _spread(count: int, links: Sequence[tuple[int, int, float]]) -> list[tuple[float, float]]:
    """A place for each node: parts without a tie between them stand side by side, each with
    room for its nodes, so that they do not drive each other to the corners."""
    if count == 0:
        return []
    import igraph  # noqa: PLC0415 – a tenth of a second that only a network needs

    graph = igraph.Graph(n=count, edges=[(a, b) for a, b, _ in links])
    graph.es["weight"] = [1 + math.log1p(max(w, 0)) for *_, w in links]
    parts = sorted((sorted(part) for part in graph.connected_components()), key=_by_size)
    sides = [math.sqrt(len(part)) for part in parts]
    spots: dict[int, tuple[float, float]] = {}
    for part, side, (left, top) in zip(parts, sides, _shelves(sides), strict=True):
        inner = _fitted(_laid_out(graph.induced_subgraph(part)), side - GAP, side - GAP)
        spots |= {node: (left + x, top + y) for node, (x, y) in zip(part, inner, strict=True)}
    return _placed([spots[node] for node in range(count)])


def _by_size(part: list[int]) -> tuple[int, list[int]]:
    return -len(part), part


def _shelves(sides: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Left and top of squares of falling size, set in rows about as wide as the picture."""
    room = math.sqrt(sum(side * side for side in sides) * WIDTH / HEIGHT)
    wide, left, top, height = max(room, sides[0]) * 1.05, 0.0, 0.0, 0.0
    for side in sides:
        if left and left + side > wide:
            left, top, height = 0.0, top + height, 0.0
        yield left, top
        left, height = left + side, max(height, side)


def _laid_out(graph: Any) -> list[tuple[float, float]]:
    """Fruchterman–Reingold from a circle, with a seed of its own."""
    import igraph  # noqa: PLC0415

    count = graph.vcount()
    circle = [
        (math.cos(2 * math.pi * i / count), math.sin(2 * math.pi * i / count))
        for i in range(count)
    ]
    # igraph draws from Python's shared generator: lend it our own for this one call.
    igraph.set_random_number_generator(random.Random(SEED))  # noqa: S311 – a picture, no secret
    try:
        layout = graph.layout_fruchterman_reingold(
            weights="weight" if graph.ecount() else None, niter=300, seed=circle, grid="nogrid"
        )
    finally:
        igraph.set_random_number_generator(random)
    return [(x, y) for x, y in layout.coords]


def _fitted(
    points: list[tuple[float, float]], width: float, height: float
) -> list[tuple[float, float]]:
    """Points stretched to a box from 0 to its sides."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return list(zip(_scaled(xs, width), _scaled(ys, height), strict=True))


def _scaled(values: list[float], size: float) -> list[float]:
    first, last = min(values), max(values)
    if last - first < 1e-9:
        return [size / 2 for _ in values]
    return [(v - first) / (last - first) * size for v in values]


def _placed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points stretched to the picture within its margins; a single one in the middle."""
    inner = _fitted(points, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN)
    return [(round(MARGIN + x, 1), round(MARGIN + y, 1)) for x, y in inner]


def network_words(chart: Chart, masks: Masks, lang: str) -> str:
    """The network in a sentence, for readers who can't see it."""
    largest = sorted(chart.nodes, key=lambda node: -node[1])[:5]
    names = WORDS["list_comma"](lang).join(label(name, masks, lang) for name, *_ in largest)
    return WORDS["chart_graph"](lang).format(
        nodes=len(chart.nodes),
        links=len(chart.links),
        communities=len({node[2] for node in chart.nodes}),
        largest=names,
    )
