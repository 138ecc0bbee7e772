"""The picture on the README's first page: two weights of a real network, and walks downhill.

One picture says what the whole project is about, and making it needs no Jupyter: it is how a new
installation shows that it is alive.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..descent import descend, optim
from ..engine.errors import ParameterError
from ..surveying import survey
from .lesson03 import trained_network, two_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
STARTS = np.array([[5.0, 5.0], [-5.0, -5.0], [-5.0, 5.0]])


def postcard(path: Path) -> str:
    """Draw the picture to `path` (.png, .svg or .pdf); return a sentence that describes it.

    Raises ParameterError for another ending or a folder that does not exist.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ParameterError(f"got {path}; expected a name ending in {', '.join(ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise ParameterError(f"got {path}; expected a folder that exists: make it first")
    figure, sentence = picture()
    figure.savefig(path, dpi=150)
    return f"{path}: {sentence}"


def picture() -> tuple[Figure, str]:
    """Return the figure, hills beside map, and a sentence that says what is seen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ..draw import contour, style, surface3d

    landscape, _ = trained_network()
    plane = two_weights()
    surface = survey(landscape, plane, extent=6.0, resolution=101)
    walk = descend(landscape.restrict(plane), STARTS, optim.SGD(lr=1.0), steps=400)
    with style("light"):
        figure = Figure(figsize=(12, 5.6))
        FigureCanvasAgg(figure)
        hills = figure.add_axes((-0.02, 0.02, 0.52, 0.96), projection="3d")
        surface3d(surface, walk, ax=hills, caption=False)
        contour(surface, walk, ax=figure.add_axes((0.6, 0.2, 0.39, 0.78)))
    ends = ", ".join(f"{loss:.3f}" for loss in walk.losses[-1])
    return figure, (
        f"the loss of a network of {landscape.size} weights over two of them, and "
        f"{len(STARTS)} walks down it, which end at {ends}."
    )
