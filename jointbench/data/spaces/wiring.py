"""Random graphs as networks are wired by: Watts and Strogatz 1998, Erdős and Rényi 1959, from streams frozen for good.

A graph is drawn until it is connected, then every edge goes from the lower to the higher index (Xie et al. 2019), so
that it has no circle and its indices are an order in which it can be computed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import combinations
from random import Random

#: A stream of numbers in [0, 1).
Stream = Callable[[], float]
Edges = list[set[int]]


@dataclass(frozen=True)
class Wiring:
    """What each node reads: the indices of its predecessors, ascending, for each node."""

    predecessors: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.predecessors)

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The nodes without predecessors, which read what the graph is given; node 0 always."""
        return tuple(node for node, before in enumerate(self.predecessors) if not before)

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The nodes that no other reads, whose mean the graph puts out; the last one always."""
        read = {source for before in self.predecessors for source in before}
        return tuple(node for node in range(len(self)) if node not in read)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """For each node the edges of the longest way to it; nodes of one depth do not wait for each other."""
        found: list[int] = []
        for before in self.predecessors:
            found.append(1 + max((found[source] for source in before), default=-1))
        return tuple(found)

    @property
    def edges(self) -> int:
        return sum(map(len, self.predecessors))


SINGLE = Wiring(((),))


def stream(seed: int, *where: str | int) -> Stream:
    """The numbers of one of many streams of a seed, by a name of words and numbers.

    Python promises the sequence of `Random(n).random` for whole n, and BLAKE2b is a standard: neither depends on the
    machine, the version of Python or what was drawn before.
    """
    name = "/".join(map(str, (seed, *where)))
    return Random(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")).random


def half_degree(nodes: int, neighbours: int) -> int:
    """Neighbours on each side of the ring: an odd number acts as the even one below, as in networkx."""
    return min(neighbours, nodes - 1) // 2


def watts_strogatz(nodes: int, neighbours: int, rewiring: float, draw: Stream) -> Wiring:
    """A ring of at least 3 nodes, each joined to its nearest `neighbours`, an edge of which is replaced with
    probability `rewiring`; connected. It has nodes * half_degree edges."""
    half = half_degree(nodes, neighbours)
    while True:
        edges = _rewired(nodes, half, rewiring, draw)
        if _connected(edges):
            return _oriented(edges)


def _rewired(nodes: int, half: int, rewiring: float, draw: Stream) -> Edges:
    edges: Edges = [set() for _ in range(nodes)]
    lattice = [(node, (node + step) % nodes) for step in range(1, half + 1) for node in range(nodes)]
    for node, other in lattice:
        edges[node].add(other)
        edges[other].add(node)
    for node, other in lattice:
        if draw() < rewiring:
            # The old neighbour counts as one.
            free = [new for new in range(nodes) if new != node and new not in edges[node]]
            if free:
                edges[node].remove(other)
                edges[other].remove(node)
                new = free[int(len(free) * draw())]
                edges[node].add(new)
                edges[new].add(node)
    return edges


def erdos_renyi(nodes: int, probability: float, draw: Stream) -> Wiring:
    """Each pair of nodes is joined with this probability, given that the graph is connected: it is drawn until it is,
    5,000 numbers on average for 8 nodes and 0.1."""
    if nodes == 1:
        return SINGLE
    while True:
        edges: Edges = [set() for _ in range(nodes)]
        for node, other in combinations(range(nodes), 2):
            if draw() < probability:
                edges[node].add(other)
                edges[other].add(node)
        if _connected(edges):
            return _oriented(edges)


def chain(nodes: int) -> Wiring:
    """Each node reads the one before."""
    return Wiring(tuple((node - 1,) if node else () for node in range(nodes)))


def _connected(edges: Edges) -> bool:
    if not all(edges):
        return False
    reached, waiting = {0}, [0]
    while waiting:
        new = edges[waiting.pop()] - reached
        reached |= new
        waiting += new
    return len(reached) == len(edges)


def _oriented(edges: Edges) -> Wiring:
    return Wiring(tuple(tuple(sorted(other for other in edges[node] if other < node)) for node in range(len(edges))))
