"""The valleys of a map, each with a letter, a colour and a shape, and who ends in which.

The list is made once, from the map, so that valley B stays B and keeps its colour whatever the
walkers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import MARKERS, PALETTE
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.surveying import critical_points

MOST = 9  # valleys with a letter of their own; those beyond count as "elsewhere"
HOLLOWS = 24  # the grid's lowest ones, from which the search begins
NEAR = 0.05  # as in `tl.basins`: this times (1 + |theta|) away still is in the valley
RESTING = 1e-3  # a gradient this small a share of the walk's largest: it has come to rest
ELSEWHERE, WALKING, FALLEN = -1, -2, -3
WORDS = {
    ELSEWHERE: ("come to rest elsewhere", "comes to rest elsewhere"),
    WALKING: ("are still walking", "is still walking"),
    FALLEN: ("leave the ground", "leaves the ground"),
}


@dataclass(frozen=True, eq=False)
class Valleys:
    """The minima inside a frame, lowest first: `points` `(K, 2)` in the numbers on the axes, and
    `losses` `(K,)`."""

    points: NDArray
    losses: NDArray

    @classmethod
    def of(cls, ground: Ground) -> Valleys:
        """The minima that a formula lists; else what Newton's method finds from the grid's hollows.

        >>> import tinygrad_landscape as tl
        >>> Valleys.of(Ground.of(tl.formulas.three_valleys)).points.round(2)
        array([[ 1.7 ,  2.3 ], [-1.22, -2.69], [ 0.5 , -2.22]])
        """
        known = getattr(ground.inside, "minima", None)
        if known is None:
            hollows = ground.surface.minima()[:HOLLOWS]
            found = critical_points(ground.inside, hollows, steps=50) if len(hollows) else []
            minima = [each.point for each in found if each.kind == "minimum"]
            known = np.array(minima, float).reshape(-1, 2)
        points = known + ground.origin
        seen = ((ground.low <= points) & (points <= ground.high)).all(axis=-1)
        points = points[seen][:MOST]
        return cls(points, np.asarray(ground.inside(points - ground.origin)))

    def __len__(self) -> int:
        return len(self.points)

    def letter(self, k: int) -> str:
        """The valley's name: A is the lowest."""
        return ascii_uppercase[k]

    def look(self, k: int) -> dict[str, Any]:
        """The colour and shape of valley `k`, or of one of the other fates."""
        if k < 0:
            return {"colors": ["#8d97a3"], "shapes": ["P" if k == ELSEWHERE else "x"]}
        return {"colors": [PALETTE[k % 6]], "shapes": [MARKERS[(k + k // 6) % 6]]}

    @property
    def fates(self) -> list[int]:
        """Every valley's number, and the numbers of the fates that are no valley."""
        return [*range(len(self)), ELSEWHERE, WALKING, FALLEN]

    def height(self, k: int) -> str:
        """The valley's loss in words."""
        return height_said(self.losses[k])

    def packed(self) -> dict[str, Any]:
        """All of it as plain JSON, for the pages that walk by themselves."""
        return {
            "points": self.points.tolist(), "near": NEAR, "words": WORDS,
            "letters": [self.letter(k) for k in range(len(self))],
            "heights": [self.height(k) for k in range(len(self))],
        }  # fmt: skip

    def reached(self, places: NDArray) -> NDArray[np.int64]:
        """The valley that each of `places` `(..., 2)` lies in, or -1, shape `(...)`."""
        if not len(self):
            return np.full(places.shape[:-1], ELSEWHERE)
        away = np.linalg.norm(places[..., None, :] - self.points, axis=-1)
        near = away <= NEAR * (1.0 + np.linalg.norm(self.points, axis=-1))
        closest = np.where(near, away, np.inf).argmin(axis=-1)
        return np.where(near.any(axis=-1), closest, ELSEWHERE)

    def fate(self, places: NDArray, norms: NDArray, fallen: NDArray) -> NDArray[np.int64]:
        """What became of walkers `(...)`: `places` `(..., 2)` where they are, `norms` `(R, ...)`
        the gradients on the way, `fallen` `(...)` who diverged."""
        fate = self.reached(places)
        moving = norms[-1] > RESTING * norms.max(axis=0)
        fate = np.where((fate == ELSEWHERE) & moving, WALKING, fate)
        return np.where(fallen, FALLEN, fate)

    def tally(self, fates: NDArray, share: bool = False) -> str:
        """Who ended where, in words: "51 end in valley A (loss 0), 41 in B (loss 0.0886)"."""
        parts: list[str] = []
        for k in self.fates:
            count = int((fates == k).sum())
            if not count:
                continue
            many = f"{count / fates.size:.1%}" if share else str(count)
            one = count == 1 and not share
            if k < 0:
                parts.append(f"{many} {WORDS[k][one]}")
                continue
            verb = "in" if parts else "ends in valley" if one else "end in valley"
            tail = "" if share else f" (loss {self.height(k)})"
            parts.append(f"{many} {verb} {self.letter(k)}{tail}")
        return listed(parts)


def height_said(loss: Any) -> str:
    """A loss in three figures; an exact fit that rounding leaves at 1e-31 is 0."""
    return said(0.0 if abs(float(loss)) < 1e-12 else float(loss))


def listed(parts: list[str]) -> str:
    """Parts of a sentence: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
