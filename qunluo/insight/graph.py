"""The tie graph of a community: weights, influence, circles, communities and bridges.

Nodes are people (sender keys, ascending), so nothing depends on the order of rows.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CORE_SHARE = 0.05
INFLUENCE_SHARE = 0.25
CORE_WEEKS = 3
MAX_EDGES = 2_000_000  # the strongest are kept beyond
BRIDGE_SPREAD = 0.5
UNTIL_STABLE = -1


@dataclass(frozen=True)
class Graph:
    """Directed ties: `source[i]` turned to `target[i]` so many (`weight[i]`) times.

    `source` and `target` are places in `keys`; every pair occurs once and never with itself.
    """

    keys: Ints
    source: Ints
    target: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def strength(self) -> Floats:
        """Σ weight of ties in either direction, by node."""
        ends = np.concatenate([self.source, self.target])
        both = np.concatenate([self.weight, self.weight])
        return np.bincount(ends, weights=both, minlength=len(self)).astype(np.float64)

    @cached_property
    def undirected(self) -> tuple[Ints, Ints, Floats]:
        """Edges (a < b) with the weights of both directions added, sorted."""
        a, b = np.minimum(self.source, self.target), np.maximum(self.source, self.target)
        pairs, which = np.unique(a * max(len(self), 1) + b, return_inverse=True)
        weight = np.bincount(which, weights=self.weight, minlength=len(pairs))
        return pairs // max(len(self), 1), pairs % max(len(self), 1), weight.astype(np.float64)


def graph_of(keys: Ints, sender: Ints, other: Ints, weight: Floats) -> Graph:
    """Ties among `keys` only; repeated pairs are added up, ties with oneself left out."""
    keys = np.unique(keys)
    if not len(keys):
        none = np.zeros(0, dtype=np.int64)
        return Graph(keys, none, none, np.zeros(0))
    kept = np.isin(sender, keys) & np.isin(other, keys) & (sender != other) & (weight > 0)
    source, target = np.searchsorted(keys, sender[kept]), np.searchsorted(keys, other[kept])
    pairs, which = np.unique(source * len(keys) + target, return_inverse=True)
    total = np.bincount(which, weights=weight[kept], minlength=len(pairs)).astype(np.float64)
    if len(pairs) > MAX_EDGES:
        strongest = np.sort(np.argsort(-total, kind="stable")[:MAX_EDGES])
        pairs, total = pairs[strongest], total[strongest]
    return Graph(keys, pairs // len(keys), pairs % len(keys), total)


def influence(graph: Graph) -> Floats:
    """PageRank (damping 0.85) along the ties: whom the turned-to turn to; sums to 1."""
    if not len(graph):
        return np.zeros(0)
    # Its PageRank shares sums among threads, in any order, and has them spin when it is done.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import igraph  # noqa: PLC0415 - slow to import

    edges = np.stack([graph.source, graph.target], axis=1)
    found = igraph.Graph(n=len(graph), edges=edges.tolist(), directed=True)
    # Rounded so that the last digits of a floating sum decide no rank.
    return np.round(np.array(found.pagerank(weights=graph.weight.tolist())), 12)


def circles(graph: Graph, score: Floats, weeks: Ints) -> NDArray[np.str_]:
    """`core`, `influence` or `periphery` of each node.

    Ranked by `score` (ties by key): core are at most 5 % of all, those at the top who have a
    tie and wrote in ≥ 3 weeks; influence the next 25 % who have a tie; the rest periphery.
    """
    ranked = np.lexsort((graph.keys, -score))
    tied = ranked[graph.strength[ranked] > 0]
    circle = np.full(len(graph), "periphery", dtype="<U9")
    core = tied[weeks[tied] >= CORE_WEEKS][: int(CORE_SHARE * len(graph))]
    circle[core] = "core"
    rest = tied[circle[tied] != "core"]
    circle[rest[: int(INFLUENCE_SHARE * len(graph))]] = "influence"
    return circle


@dataclass(frozen=True)
class Communities:
    """`of[i]` is the community of node i, 0 the largest; −1 for nodes without a tie."""

    of: Ints
    modularity: float

    @property
    def sizes(self) -> Ints:
        return np.bincount(self.of[self.of >= 0]).astype(np.int64)


def communities(graph: Graph, seed: int) -> Communities:
    """Leiden communities of the undirected ties (modularity, weighted), seeded.

    Traag, Waltman, van Eck: From Louvain to Leiden, Sci. Rep. 9 (2019).
    """
    a, b, weight = graph.undirected
    if not len(a):
        return Communities(np.full(len(graph), -1, dtype=np.int64), 0.0)
    import igraph  # noqa: PLC0415

    ties = igraph.Graph(n=len(graph), edges=np.stack([a, b], axis=1).tolist())
    igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 - chance, no secret
    try:
        found = ties.community_leiden(
            "modularity", weights=weight.tolist(), n_iterations=UNTIL_STABLE
        )
    finally:
        igraph.set_random_number_generator(random)
    of = np.array(found.membership, dtype=np.int64)
    of[graph.strength == 0] = -1
    return Communities(
        _by_size(of),
        round(float(ties.modularity(found.membership, weights=weight.tolist())), 6),
    )


def _by_size(of: Ints) -> Ints:
    """Renumbered: the largest is 0, equal sizes by their first node."""
    names, first, sizes = np.unique(of[of >= 0], return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    new = dict(zip(names[order].tolist(), range(len(names)), strict=True))
    return np.array([new.get(old, -1) for old in of.tolist()], dtype=np.int64)


def spread(graph: Graph, of: Ints) -> Floats:
    """Participation coefficient 1 − Σ (share of a node's ties into a community)²; 0 to 1.

    Guimerà and Amaral, Nature 433 (2005): near 0 inside one community, high for bridges.
    """
    a, b, weight = graph.undirected
    node, into = np.concatenate([a, b]), np.concatenate([of[b], of[a]])
    both = np.concatenate([weight, weight])
    columns = int(of.max(initial=0)) + 1
    pairs, which = np.unique(node * columns + into, return_inverse=True)
    shares = (
        np.bincount(which, weights=both, minlength=len(pairs))
        / graph.strength[pairs // columns]
    )
    inside = np.bincount(pairs // columns, weights=shares**2, minlength=len(graph))
    tied = graph.strength > 0
    return np.where(tied, 1 - inside, 0.0)


def bridges(graph: Graph, of: Ints) -> list[int]:
    """Nodes whose ties lead at least half into other communities, the strongest first."""
    across = spread(graph, of)
    found = np.flatnonzero(across >= BRIDGE_SPREAD)
    order = np.lexsort((graph.keys[found], -np.round(across * graph.strength, 9)[found]))
    return [int(node) for node in found[order]]


def drawn(graph: Graph, of: Ints, top: int) -> tuple[list[int], list[tuple[int, int, float]]]:
    """The `top` strongest nodes and the ties among them (places in that list, weight)."""
    ranked = np.lexsort((graph.keys, -graph.strength))[:top]
    nodes = [int(node) for node in ranked if graph.strength[node] > 0]
    place: dict[int, int] = {node: at for at, node in enumerate(nodes)}
    edges: Any = zip(*(part.tolist() for part in graph.undirected), strict=True)
    return nodes, [(place[a], place[b], w) for a, b, w in edges if a in place and b in place]
