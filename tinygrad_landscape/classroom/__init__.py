"""Floor 7, the classroom: predictions that lock, exercises that answer, and the command line.

One idea: ask before showing. A learner commits to a guess, then sees the number that was
measured; writes a few lines, and is told by name which usual mistake they hold. A teacher's own
lesson makes them with `predict`, `exercise` and `quiz`, as the lessons here do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exercises import Exercise as exercise
    from .prediction import Prediction as predict
    from .quizzes import Quiz as quiz

__all__ = ["exercise", "predict", "quiz"]

_HOMES = {
    "predict": ("prediction", "Prediction"),
    "exercise": ("exercises", "Exercise"),
    "quiz": ("quizzes", "Quiz"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # the command line starts without ipywidgets
        home, thing = _HOMES[name]
        return getattr(import_module(f"{__name__}.{home}"), thing)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
