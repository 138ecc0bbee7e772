"""The `TwinSurface` panel: one plane of weights, two heights over it, one cursor on both.

Train and validation loss are two landscapes over the same weights. A place can be low on one and
high on the other; that is what overfitting looks like from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.surfaces import grid_shown, height_map
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data
from tinygrad_landscape.panels import controls, relief, two_ends
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.lowest import lowest
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.surveying import Plane, Surface, survey

VEIL = "The losses on the way\nfrom A to B appear here\nwith your first Play or Step."
ORANGE, CASING = "#D55E00", "#10151c"
WAY, BACK = 40, 10  # frames from A to B, and from there to the cursor's own place
BAKED = {"along": 31, "off": 11}  # places of the cursor that a page has
FINE = 201  # places on the way where its highest ridge is looked for


@dataclass(frozen=True, eq=False)
class Twins:
    """Two landscapes of the same weights: their `names`, and ends A and B `(P,)` with the words
    that say how each was reached."""

    pair: tuple[Landscape, Landscape]
    names: tuple[str, str]
    ends: tuple[NDArray, NDArray]
    reached: tuple[str, str]
    plane: Plane
    extent: Any


class TwinSurface(Panel):
    """Two surfaces over one plane, with one cursor on both and the way from A to B.

    Preset "validation": train and validation loss of a 2-64-1 tanh network on 60 points in two
    moons (P7); both ends fit the training data, but B was first fitted to shuffled labels. Preset
    "regularisation": the training loss of such a network before and after l2 is added; both ends
    were reached from B of the other preset, A without and B with it.

    Args:
        landscape: your own Landscape, whose loss is the left surface; it needs `validation`.
        plane: what is drawn of a landscape of more than two weights.
        validation: the data of the right surface, or another Landscape of the same weights.
        ends: two places in weights `(P,)`, A and B; by default the lowest of either map.
        preset: "validation" or "regularisation".
        seed: of the presets' data and first weights.
        extent: the frame, as in `survey`.
        resolution: grid points per side of the maps.
        height: the maps' common scale: "linear", "sqrt", "log" or "auto".
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for an unknown preset, or a landscape that comes without validation data
            or without the plane it needs.

    >>> TwinSurface().describe().split(";")[0]
    'At A (a fresh start) the train loss is 0.0199 and the validation loss 0.0447'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        validation: Data | Landscape | None = None,
        ends: tuple[ArrayLike, ArrayLike] | None = None,
        preset: str = "validation",
        seed: int = 0,
        extent: Any = None,
        resolution: int = 33,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if preset not in two_ends.PRESETS:
            raise ParameterError(
                f"got preset={preset!r}; expected one of {', '.join(two_ends.PRESETS)}"
            )
        self.preset, self.seed = preset, seed
        if landscape is None:
            twins = Twins(*two_ends.PRESETS[preset](seed))
        else:
            twins = _own(landscape, plane, validation, ends, extent)
        self.twins = twins
        extent = twins.extent if extent is None else extent
        self.surfaces: tuple[Surface, ...] = tuple(
            survey(one, twins.plane, extent, resolution, dtype=np.float32) for one in twins.pair
        )
        self._height = Heights.of(np.stack([one.loss for one in self.surfaces]), height)
        self._a, self._b = (twins.plane.coordinates(end) for end in twins.ends)
        along = self._b - self._a
        self._across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
        shares = self._shares(self._corners())
        self.controls, sliders = {}, {}
        for k, (name, label) in enumerate((("along", "from A (0) to B (1)"), ("off", "beside"))):
            low, high = (round(float(end), 3) for end in (shares[:, k].min(), shares[:, k].max()))
            self.controls[name], sliders[name] = controls.knob(label, 0.0, low, high)
        self.controls["along"].layout.width = "260px"
        controls.hide(hide, self.controls, sliders)
        self.player = on_stage(self._draw(style), drag="cursor0", start=self._shown(0.0).tolist())
        self.player.label = f"Maps of {' and '.join(twins.names)}, and the way from A to B"
        box, slider = self.controls["along"], sliders["along"]
        row = ipywidgets.HBox([self.controls["off"], sliders["off"]])
        self._open([box, slider], [row])

    # What is seen -------------------------------------------------------------------------------

    def losses(self, theta: ArrayLike) -> tuple[Any, Any]:
        """Both losses of weights `(..., P)`."""
        left, right = self.twins.pair
        return left(theta), right(theta)

    def describe(self) -> str:
        """Both losses at A, at B and under the cursor, and the ridge between A and B."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        names = self.twins.names
        parts = []
        for letter, end, how in zip("AB", self.twins.ends, self.twins.reached, strict=True):
            left, right = (said(float(loss)) for loss in self.losses(end))
            verb = "the {} is {} and the {} {}" if letter == "A" else "they are {1} and {3}"
            parts.append(f"{letter} ({how}) " + verb.format(names[0], left, names[1], right))
        text = f"At {parts[0]}; at {parts[1]}. "
        if self._ridge > 1.01 * max(float(self.twins.pair[0](end)) for end in self.twins.ends):
            text += f"On the straight way between them the {names[0]} rises to {said(self._ridge)}"
        else:
            text += f"On the straight way between them the {names[0]} has no ridge"
        here, there = (said(float(loss[-1])) for loss in self._heights)
        return text + f". Under the cursor the two are {here} and {there}."

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._cursor = np.array([self.controls[name].value for name in ("along", "off")])

    def _work(self, seconds: float) -> bool:
        goal = np.array([1.0, 0.0])
        share = np.linspace(0.0, 1.0, BACK + 1)[1:, None]
        there = np.linspace(0.0, 1.0, WAY + 1)[:, None] * goal
        self._way = np.concatenate([there, goal + share * (self._cursor - goal)])
        self._heights = self.losses(self._theta(self._way))
        if not hasattr(self, "_curves"):
            fine = np.linspace(0.0, 1.0, FINE)
            self._curves = self.losses(self._theta(fine[:, None] * goal))
            self._ridge = float(np.max(self._curves[0]))
        return True

    def _place(self, shares: NDArray) -> NDArray:
        """Offsets on the plane `(..., 2)` of shares of the way and distances beside it."""
        return self._a + shares[..., :1] * (self._b - self._a) + shares[..., 1:] * self._across

    def _shares(self, places: NDArray) -> NDArray:
        along, inside = self._b - self._a, places - self._a
        return np.stack([inside @ along / (along @ along), inside @ self._across], axis=-1)

    def _theta(self, shares: NDArray) -> NDArray:
        places = self._place(shares)
        return np.asarray(self.twins.plane.point(places[..., 0], places[..., 1]))

    def _shown(self, along: float) -> NDArray:
        return self._place(np.array([along, 0.0])) + self.twins.plane.absolute

    def _corners(self) -> NDArray:
        a, b = self.surfaces[0].a, self.surfaces[0].b
        return np.array([[x, y] for x in (a[0], a[-1]) for y in (b[0], b[-1])], float)

    def _show(self) -> None:
        scene = self.player.scene
        way = self._place(self._way) + self.twins.plane.absolute
        cursor = way[-1]
        fine = np.linspace(0.0, 1.0, FINE)
        for k, (heights, curve) in enumerate(zip(self._heights, self._curves, strict=True)):
            scene.set(f"cursor{k}", cursor)
            scene.set(f"ball{k}", way)
            scene.set(f"readout{k}", heights[:, None])
            scene.set(f"curve{k}", np.stack([fine, curve], axis=-1))
            onto = np.stack([self._way[:, 0], heights], axis=-1)
            onto[self._way[:, 1] != 0.0] = np.nan  # beside the way it has no place on the curve
            scene.set(f"at{k}", onto)
        words = honesty(self.surfaces[0], None, self._height)
        words += f" Both maps have the same colours. {relief.words(self._height)} Play goes from A "
        words += "straight to B, and from there to the cursor's own place."
        self.player.update(sentence=self._sentence(), honesty=words, start=cursor.tolist())

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 3.9), layout="constrained")
            maps = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.85))
            for k, (ax, surface) in enumerate(zip(maps[:2], self.surfaces, strict=True)):
                a, b, labels = grid_shown(surface)
                finite = np.ma.masked_invalid(surface.loss).T
                height_map(ax, a, b, finite, self._height)
                ax.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]), xlabel=labels[0], title=" ",
                       ylabel="" if k else labels[1])  # fmt: skip
                ax.locator_params(nbins=5)
                ax.set_box_aspect(1.0)
            colors = [chosen.accents[1], chosen.accents[0]]
            self._curve_axes(maps[2], colors)
        axes = dict(zip(("map0", "map1", "way"), maps, strict=True))
        scene, size = Scene(figure, axes, paper), chosen.scale
        for k, name in enumerate(self.twins.names):
            for letter, along in (("A", 0.0), ("B", 1.0)):
                at = self._fraction(self._shown(along)) + np.array([0.02, 0.07])
                scene.add(f"{letter}{k}", "text", f"map{k}", at=at.tolist(), template=letter,
                          color="#ffffff", halo=CASING, size=16.0 * size)  # fmt: skip
                scene.set(f"{letter}{k}", [0.0])
            scene.add(f"ends{k}", "marker", f"map{k}", shapes=["D"], colors=["#ffffff"],
                      size=9.0 * size, edge=CASING)  # fmt: skip
            scene.set(f"ends{k}", np.stack([self._shown(0.0), self._shown(1.0)]))
            scene.add(f"cursor{k}", "marker", f"map{k}", shapes=["o"], size=11.0 * size,
                      colors=["#ffffff"], edge=CASING)  # fmt: skip
            scene.add(f"ball{k}", "ball", f"map{k}", follow=True, colors=[ORANGE],
                      size=13.0 * size)  # fmt: skip
            scene.add(f"readout{k}", "text", f"map{k}", follow=True, at=[0.0, 1.02],
                      color=chosen.ink, size=14.0 * size, template=name + " {0}")  # fmt: skip
            scene.add(f"curve{k}", "polyline", "way", colors=[colors[k]], width=2.0 * size,
                      dash=[6, 3] if k else [])  # fmt: skip
            scene.add(f"at{k}", "ball", "way", follow=True, colors=[ORANGE], size=11.0 * size)
        scene.veil("way", VEIL)
        return scene

    def _fraction(self, place: NDArray) -> NDArray:
        low, high = self._corners()[[0, -1]] + self.twins.plane.absolute
        return (place - low) / (high - low)

    def _curve_axes(self, ax: Any, colors: list[str]) -> None:
        from matplotlib.lines import Line2D

        goal = np.array([1.0, 0.0])
        curves = self.losses(self._theta(np.linspace(0.0, 1.0, FINE)[:, None] * goal))
        finite = np.concatenate([np.ravel(curve) for curve in curves])
        finite = finite[np.isfinite(finite)]
        low, high = float(finite.min()), float(finite.max())
        if low > 0.0:
            ax.set(yscale="log", ylim=(max(0.5 * low, 1e-6 * high), 6.0 * high))
        else:
            ax.set(ylim=(low - 0.05 * (high - low), high + 0.3 * (high - low)))
        ax.set(xlim=(-0.03, 1.03), xticks=[0.0, 0.5, 1.0], xticklabels=["A", "half-way", "B"],
               ylabel=f"loss ({ax.get_yscale()})", title=" ")  # fmt: skip
        legend = ax.legend(
            handles=[
                Line2D([], [], color=colors[k], linestyle="--" if k else "-", label=name)
                for k, name in enumerate(self.twins.names)
            ],
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=2,
            borderaxespad=0.0,
            borderpad=0.1,
        )
        legend.set_in_layout(False)  # it may reach over the map's empty corner

    # Hearing ------------------------------------------------------------------------------------

    def _moved(self, change: Any) -> None:
        place = np.array(change["new"]) - self.twins.plane.absolute
        along, off = (round(float(x), 6) for x in self._shares(place))
        if [along, off] != [self.controls["along"].value, self.controls["off"].value]:
            self._put(along=along, off=off)

    def _baked(self) -> dict[str, list[float]]:
        ends = ((box.min, box.max) for box in self.controls.values())
        return {name: np.linspace(*pair, count).round(3).tolist()
                for (name, count), pair in zip(BAKED.items(), ends, strict=True)}  # fmt: skip

    def _configuration(self) -> Any:
        plane = self.twins.plane
        return [
            type(self).__name__,
            *self.twins.names,
            [round(float(x), 3) for x in (*plane.origin, *plane.u, *plane.v)],
            self._corners().round(6).tolist(),
        ]


def _own(
    landscape: Landscape,
    plane: Plane | None,
    validation: Data | Landscape | None,
    ends: tuple[ArrayLike, ArrayLike] | None,
    extent: Any,
) -> Twins:
    """The reader's own landscape and its twin."""
    if validation is None:
        raise ParameterError(
            f"{landscape!r} comes without a twin; pass validation=, data or another Landscape"
        )
    other = validation if isinstance(validation, Landscape) else landscape.on(validation)
    names = ("train loss", "validation loss") if other.data is not None else ("left", "right")
    ground = Ground.of(landscape, plane, extent)
    corners = ground.low - ground.origin, ground.high - ground.origin
    extent = tuple(float(corner[k]) for k in (0, 1) for corner in corners)
    if ends is not None:
        first, second = (np.asarray(end, float) for end in ends)
        reached = "your first place", "your second place"
    else:
        twin = survey(other, ground.plane, extent, ground.surface.loss.shape)
        first = _lowest(landscape, ground.surface)
        second = _lowest(other, twin)
        reached = f"lowest {names[0]} of the map", f"lowest {names[1]} of the map"
    if np.allclose(first, second):
        raise ParameterError("A and B are the same place; pass two different ends=")
    return Twins((landscape, other), names, (first, second), reached, ground.plane, extent)


def _lowest(landscape: Landscape, surface: Surface) -> NDArray:
    """The weights at the lowest place of a map, looked at more closely than its grid."""
    heights = np.where(np.isfinite(surface.loss), surface.loss, np.inf)
    cell = np.unravel_index(int(np.argmin(heights)), heights.shape)
    sides = (surface.a, surface.b)
    place = np.array([side[k] for side, k in zip(sides, cell, strict=True)])
    step = np.array([side[1] - side[0] for side in sides])
    a, b = lowest(landscape.restrict(surface.plane), place - step, place + step)
    return np.asarray(surface.plane.point(a, b))
