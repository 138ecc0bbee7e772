"""The `Ravine` panel: why a long narrow valley is slow, and what momentum does about it.

One number says how narrow a valley is: the condition number, its largest curvature over its
smallest. Two presets look at it: "compass" asks how far minus the gradient points away from the
minimum, "momentum" lets plain descent and a heavy ball walk down, each at its own best settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, honesty
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls, relief
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.surveying import Plane, critical_points, survey

ORANGE, CASING = "#D55E00", "#10151c"
CONDITIONS = (1.0, 1000.0)


class Ravine(Panel):
    """A narrow valley: the gradient is no compass, and momentum helps.

    Preset "compass": the arrow is minus the gradient, the dashed line the way to the minimum; Play
    carries the ball once round the minimum while the angle between them is recorded. Preset
    "momentum": gradient descent and the heavy ball from one start (P5: a quadratic).

    Args:
        landscape: any Landscape with a minimum in the frame; by default the quadratic of two
            weights whose condition number the slider sets.
        plane: what is drawn of a landscape of more than two weights, and where everything stays.
        preset: "compass" or "momentum".
        condition: the condition number it opens with, 1 to 1000 (without a landscape of your own).
        start: where the ball lies first, in the numbers on the axes.
        steps: how many steps the walks of "momentum" take.
        extent: the frame, as in `survey`.
        resolution: grid points per side of the map.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for an unknown preset, a number out of its range, or a landscape in whose
            frame no minimum is found.

    >>> Ravine().describe().split("; ")[1]
    'over all directions round the minimum the median is 43.9° and the worst 78.6°.'
    """

    def __new__(cls, *_: Any, preset: str = "compass", **__: Any) -> Ravine:
        """The panel of the preset."""
        from tinygrad_landscape.panels.compass import Compass
        from tinygrad_landscape.panels.momentum import Momentum

        known: dict[str, type[Ravine]] = {"compass": Compass, "momentum": Momentum}
        if preset not in known:
            raise ParameterError(f"got preset={preset!r}; expected one of {', '.join(known)}")
        return super().__new__(known[preset] if cls is Ravine else cls)

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "compass",
        condition: float = 100.0,
        start: Sequence[float] | None = None,
        steps: int = 300,
        extent: Any = None,
        resolution: int = 51,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if not CONDITIONS[0] <= condition <= CONDITIONS[1]:
            raise ParameterError(
                f"got condition={condition}; expected {CONDITIONS[0]:g} to {CONDITIONS[1]:g}"
            )
        self.landscape, self._resolution = landscape, resolution
        self._drawn_on = plane, extent
        self._ground(landscape or formulas.quadratic(condition))
        start = self.opening if start is None and landscape is None else start
        dot = self._slope() if start is None else np.asarray(start, float)
        low, high = self._frame
        if dot.shape != (2,) or not ((low <= dot) & (dot <= high)).all():
            raise ParameterError(
                f"got start={dot.tolist()}; expected two numbers inside the frame, {low.tolist()} "
                f"to {high.tolist()}"
            )
        box, slider = controls.rate("condition number", condition, *CONDITIONS)
        places = controls.places(self.plane.labels, dot, low, high)
        self.controls = {"start_x": places[0], "start_y": places[1]}
        row, more = [], self._more(steps)
        if landscape is None:
            self.controls, row = {"condition": box, **self.controls}, [box, slider]
        self.controls |= more
        controls.hide(hide, self.controls, {"condition": slider})
        self.player = on_stage(self._draw(style), drag="start", start=dot.tolist())
        self.player.label = "Map of a narrow valley, and " + self.beside
        self._open(row, [controls.fold(*places, *more.values())])

    opening, beside = (0.8, 0.3), "the angle to its minimum"

    def _more(self, steps: int) -> dict[str, Any]:
        """Further controls of the preset."""
        return {}

    def describe(self) -> str:
        """What is measured, in a sentence."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        raise NotImplementedError

    def _draw(self, paper: str) -> Scene:
        raise NotImplementedError

    # Ground -------------------------------------------------------------------------------------

    def _ground(self, landscape: Landscape) -> None:
        """Survey a landscape and find its minimum, in offsets and in the numbers on the axes."""
        plane, extent = self._drawn_on
        if extent is None:
            extent = getattr(landscape, "extent", None) or 1.0
        self.surface = survey(landscape, plane, extent, self._resolution)
        self.plane = self.surface.plane
        self._origin = np.array(self.plane.absolute)
        a, b = self.surface.a + self._origin[0], self.surface.b + self._origin[1]
        self._frame = np.array([a[0], b[0]]), np.array([a[-1], b[-1]])
        self._scale = Heights.of(self.surface.loss, "sqrt")
        self._inside = landscape if plane is None else landscape.restrict(self.plane)
        lowest, self._curvatures = self._bottom(landscape)
        self._lowest = lowest + self._origin

    def _bottom(self, landscape: Landscape) -> tuple[NDArray, NDArray]:
        """The minimum nearest to the lowest cell of the map, and the curvatures there."""
        if self.landscape is None:  # our own quadratic is known, and a hand waits for it
            return np.zeros(2), np.array([1.0, float(landscape.hessian(np.zeros(2))[1, 1])])
        cell = np.unravel_index(np.nanargmin(self.surface.loss), self.surface.loss.shape)
        near = [self.surface.a[cell[0]], self.surface.b[cell[1]]]
        found = [p for p in critical_points(self._inside, [near]) if p.kind == "minimum"]
        if not found:
            raise ParameterError(
                f"{landscape!r} has no clear minimum near the lowest place of this frame; choose "
                "another extent"
            )
        return found[0].point, found[0].eigenvalues

    @property
    def condition(self) -> float:
        """The largest curvature at the minimum over the smallest."""
        return float(self._curvatures[-1] / self._curvatures[0])

    def _slope(self) -> NDArray:
        low, high = self._frame
        return np.round(low + np.array([0.9, 0.65]) * (high - low), 2)

    def _begin(self) -> None:
        if self.landscape is None and not np.isclose(
            self.condition, self.controls["condition"].value
        ):
            self._ground(formulas.quadratic(self.controls["condition"].value))
        self._start = np.array([self.controls[name].value for name in ("start_x", "start_y")])

    def _map(self, ax: Any) -> None:
        (x0, y0), (x1, y1) = self._frame
        first, second = self.plane.labels
        ax.set(xlim=(x0, x1), ylim=(y0, y1), xlabel=first, ylabel=second, title=" ")
        ax.locator_params(nbins=5)
        if 1 / 3 < (x1 - x0) / (y1 - y0) < 3:
            ax.set_aspect("equal")

    def _set_map(self) -> str:
        """Put the map on the stage; give the words it owes."""
        scene = self.player.scene
        scene.set("relief", relief.shares(self.surface, self._scale))
        scene.set("lowest", self._lowest)
        scene.set("start", self._start)
        return f"{honesty(self.surface, None, self._scale)} {relief.words(self._scale)}"

    def _moved(self, change: Any) -> None:
        x, y = change["new"]
        if [x, y] != [self.controls["start_x"].value, self.controls["start_y"].value]:
            self._deaf = True
            self.controls["start_x"].value, self.controls["start_y"].value = x, y
            self._deaf = False
            self._react()

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        if self.landscape is not None:
            return {}
        return {"condition": [controls.notched(notch) for notch in range(0, 151, 10)]}

    def _configuration(self) -> Any:
        plane, _ = self._drawn_on
        own = [] if self.landscape is None else [repr(self.landscape), repr(plane)]
        return [type(self).__name__, *own, [x.round(6).tolist() for x in self._frame]]
