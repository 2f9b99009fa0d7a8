"""Train every GAN loss in one fixed harness; tabulate quality, its uncertainty, and speed.

>>> results = ganbench.run(losses=["minimax", "nonsat"], dataset="digits", seeds=3)
>>> results.table()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench.interface import evaluate, run
    from ganbench.rescoring import Report
    from ganbench.results import Results, load

__version__ = "0.1.0"
__all__ = ["Report", "Results", "evaluate", "load", "run"]

_MODULE_OF = {
    "run": "ganbench.interface",
    "evaluate": "ganbench.interface",
    "Report": "ganbench.rescoring",
    "load": "ganbench.results",
    "Results": "ganbench.results",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only now: `import ganbench` itself brings no torch."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ganbench' has no attribute '{name}'")
    return getattr(import_module(_MODULE_OF[name]), name)
