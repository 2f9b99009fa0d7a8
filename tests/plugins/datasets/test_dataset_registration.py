import subprocess
import sys
from importlib import import_module

import pytest

from ganbench_plugins.datasets import ganbench_datasets


@pytest.mark.parametrize("target", ganbench_datasets().values(), ids=ganbench_datasets())
def test_every_name_leads_to_a_data_set(target):
    module, _, name = target.partition(":")
    component = getattr(import_module(module), name)
    assert component.version >= 1
    assert component.metrics
    assert component.__doc__
    assert callable(component.prepare)
    assert callable(component.load)


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from ganbench_plugins.datasets import ganbench_datasets; ganbench_datasets();"
        "print({'torch', 'torchvision', 'sklearn', 'PIL'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "set()"
