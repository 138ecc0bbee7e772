"""The cheapest one-to-one matching of rows to columns.

Rows join one at a time; each finds the cheapest chain of swaps that frees a column for it
(Dijkstra's algorithm on prices that keep all costs non-negative). Source: Kuhn 1955; Jonker and
Volgenant 1987.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ShapeError


def assignment(cost: ArrayLike) -> NDArray[Any]:
    """Return, for each row of `cost` `(n, n)`, its column in the matching of least total cost,
    `(n,)`.

    >>> assignment([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])
    array([1, 0, 2])
    """
    cost = np.asarray(cost, np.float64)
    if cost.ndim != 2 or cost.shape[0] != cost.shape[1]:
        raise ShapeError(f"got costs of shape {cost.shape}; expected a square (n, n)")
    n = len(cost)
    row_price, column_price = np.zeros(n), np.zeros(n)
    row_of = np.full(n, -1)  # the row matched to each column
    for row in range(n):
        distance, came_from, closed = np.full(n, np.inf), np.full(n, -1), np.zeros(n, bool)
        here, column, travelled = row, -1, 0.0
        while True:
            through = travelled + cost[here] - row_price[here] - column_price
            shorter = ~closed & (through < distance)
            distance[shorter], came_from[shorter] = through[shorter], column
            column = int(np.where(closed, np.inf, distance).argmin())
            closed[column], travelled = True, float(distance[column])
            if row_of[column] < 0:
                break
            here = int(row_of[column])
        gain = np.where(closed, travelled - distance, 0.0)
        taken = np.flatnonzero(closed & (row_of >= 0))
        row_price[row_of[taken]] += gain[taken]
        row_price[row] += travelled
        column_price -= gain
        while column >= 0:
            before = int(came_from[column])
            row_of[column] = row if before < 0 else row_of[before]
            column = before
    return np.argsort(row_of)
