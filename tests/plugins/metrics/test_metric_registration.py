import subprocess
import sys
from importlib import import_module

import pytest

from ganbench_plugins.metrics import ganbench_metrics


def test_listing_them_does_not_import_torch() -> None:
    code = (
        "import sys, ganbench_plugins.metrics as metrics\n"
        "metrics.ganbench_metrics()\n"
        "print('torch' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout.strip() == "False"


@pytest.mark.parametrize("target", ganbench_metrics().values(), ids=ganbench_metrics())
def test_each_name_leads_to_a_metric_with_defaults(target: str) -> None:
    module, name = target.split(":")
    metric = getattr(import_module(module), name)()
    assert metric.version >= 1
    assert set(metric.directions.values()) <= {"lower", "higher"}
