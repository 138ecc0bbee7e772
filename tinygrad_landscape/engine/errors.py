"""Every error this package raises on purpose, in one family.

The idea: refuse, never go silent. Each message says what was got, what was expected and what to
do about it, and each class also is the built-in error a Python reader would have guessed.
"""


class TinygradLandscapeError(Exception):
    """Base of all errors raised by this package."""


class ShapeError(TinygradLandscapeError, ValueError):
    """Two shapes do not fit together."""


class ParameterError(TinygradLandscapeError, ValueError):
    """An argument has a value (or a name) that makes no sense here."""


class NotDifferentiableError(TinygradLandscapeError, TypeError):
    """A Tensor met a function through which no gradient can flow."""


class GraphReleasedError(TinygradLandscapeError, RuntimeError):
    """The graph of a result was already used up by ``.backward()``."""


class TraceError(TinygradLandscapeError, RuntimeError):
    """A function cannot be written down as a program."""


class GradientError(TinygradLandscapeError, AssertionError):
    """A gradient disagrees with finite differences."""


class NotPicklableError(TinygradLandscapeError, TypeError):
    """Something that should travel to another process cannot."""
