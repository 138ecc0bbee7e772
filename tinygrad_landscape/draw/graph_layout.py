"""Where the boxes of a graph stand: columns by order of computation, rows with few crossings.

Sugiyama's method in small: a node's column is one to the right of its last argument; an edge that
skips columns gets a free place in each of them; rows are sorted by the mean row of the neighbours,
to and fro, and then drawn towards them.
Source: Sugiyama, Tagawa, Toda 1981, "Methods for visual understanding of hierarchical systems".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SWEEPS = 12
GAP, LANE = 1.0, 0.62  # least distance between two boxes, and beside an edge that passes


@dataclass(frozen=True, eq=False)
class Layout:
    """`places[node]` is (column, row), `stops[edge]` the places where an edge passes a column.

    `ports[edge]` says how far below the middle it leaves its source and enters its target, -0.5
    (the top) to 0.5. Rows are real numbers from 0; `columns` and `rows`: how many there are.
    """

    places: list[tuple[int, float]]
    stops: list[list[tuple[int, float]]]
    ports: list[tuple[float, float]]
    columns: int
    rows: float


def laid_out(nodes: int, edges: list[tuple[int, int]]) -> Layout:
    """Places for nodes numbered in order of computation and edges (source, target)."""
    columns = _columns(nodes, edges)
    column = list(columns)
    chains: list[list[int]] = []  # per edge: source, free places, target
    for source, target in edges:
        free = range(columns[source] + 1, columns[target])
        chains.append([source, *range(len(column), len(column) + len(free)), target])
        column += free
    neighbours: list[list[int]] = [[] for _ in column]
    for chain in chains:
        for left, right in pairwise(chain):
            neighbours[left].append(right)
            neighbours[right].append(left)
    last = max(column, default=0)
    stacks = [[k for k, c in enumerate(column) if c == here] for here in range(last + 1)]
    row = np.zeros(len(column))
    for stack in stacks:
        row[stack] = np.arange(len(stack))
    for sweep in range(SWEEPS):
        order = range(last + 1) if sweep % 2 == 0 else range(last, -1, -1)
        side = -1 if sweep % 2 == 0 else 1
        for here in order:
            wanted = {
                k: np.mean([row[n] for n in neighbours[k] if column[n] == here + side] or [row[k]])
                for k in stacks[here]
            }
            stacks[here].sort(key=lambda k: float(wanted[k]))
            gaps = [GAP if max(a, b) < nodes else LANE for a, b in pairwise(stacks[here])]
            row[stacks[here]] = _spread([float(wanted[k]) for k in stacks[here]], gaps)
    row -= row.min(initial=np.inf) if len(row) else 0.0
    places = [(columns[k], float(row[k])) for k in range(nodes)]
    stops = [[(column[k], float(row[k])) for k in chain[1:-1]] for chain in chains]
    ports = list(zip(_ports(chains, row, 0), _ports(chains, row, -1), strict=True))
    return Layout(places, stops, ports, last + 1, float(row.max(initial=0.0)) + 1.0)


def _columns(nodes: int, edges: list[tuple[int, int]]) -> list[int]:
    """One to the right of the last argument; what has none stands just left of its first use."""
    columns = [0] * nodes
    given = set(range(nodes)) - {target for _, target in edges}
    for target in range(nodes):
        columns[target] = max([columns[s] + 1 for s, t in edges if t == target] + [0])
    for source in given:
        columns[source] = min([columns[t] for s, t in edges if s == source] or [1]) - 1
    return columns


def _spread(wanted: list[float], gaps: list[float]) -> list[float]:
    """The rows nearest to the wanted ones (least squares) that keep their order and gaps."""
    offsets = np.concatenate([[0.0], np.cumsum(gaps)])[: len(wanted)]
    blocks: list[list[float]] = []  # pool adjacent violators: [sum, count]
    for each in np.asarray(wanted) - offsets:
        blocks.append([float(each), 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    level = np.concatenate([[total / count] * int(count) for total, count in blocks] or [[]])
    return [float(each) for each in level + offsets]


def _ports(chains: list[list[int]], row: np.ndarray, end: int) -> list[float]:
    """Edges at one side of a box (`end` 0: its right, -1: its left) lie one below the other, in the
    order of the places they go to."""
    ports = [0.0] * len(chains)
    for box in {chain[end] for chain in chains}:
        mine = [k for k, chain in enumerate(chains) if chain[end] == box]
        mine.sort(key=lambda k: (row[chains[k][1 if end == 0 else -2]], k))
        for place, k in enumerate(mine):
            ports[k] = (place + 0.5) / len(mine) - 0.5
    return ports
