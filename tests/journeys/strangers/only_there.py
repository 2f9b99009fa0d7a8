"""Can be imported where a study is planned, and not where its runs are done."""

import os

from strangers.losses import Sound

if "GANBENCH_PARENT" in os.environ:
    raise ImportError("not in this process")


class OnlyThere(Sound): ...
