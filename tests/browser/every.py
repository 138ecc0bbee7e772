"""Every panel with every preset, by name: one line each, for whatever looks at all of them."""

PANELS = {
    "fit": "Fit()",
    "fit network": "Fit(preset='network')",
    "fit classes": "Fit(preset='classes')",
    "descent": "Descent()",
    "ravine compass": "Ravine(preset='compass')",
    "ravine momentum": "Ravine(preset='momentum')",
    "initialization": "Initialization()",
    "basins": "Basins()",
    "basins film": "Basins(preset='film', rates=9, side=15)",
    "basins lasso": "Basins(preset='lasso')",
    "basins trainability": "Basins(preset='trainability')",
    "bridge": "Bridge()",
    "backprop": "Backprop()",
    "losses": "Losses()",
    "losses mistake": "Losses(preset='mistake')",
    "race": "Race()",
    "sieve": "Sieve()",
    "sieve batch size": "Sieve(preset='batch size')",
    "slice": "Slice()",
    "saddle": "Saddle()",
    "flatness": "Flatness(preset='rescale')",
    "flatness width": "Flatness(preset='width')",
    "flatness capacity": "Flatness(preset='capacity')",
    "sandbox": "Sandbox()",
    "monitor": "Monitor()",
    "twin surface": "TwinSurface(preset='validation')",
    "twin surface regularisation": "TwinSurface(preset='regularisation')",
}


def styled(code: str, style: str) -> str:
    """The panel's call with a style.

    >>> styled("Fit()", "dark"), styled("Fit(preset='line')", "dark")
    ("tl.panels.Fit(style='dark')", "tl.panels.Fit(preset='line', style='dark')")
    """
    given = "" if code.endswith("()") else ", "
    return f"tl.panels.{code[:-1]}{given}style={style!r})"
