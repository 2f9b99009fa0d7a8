import subprocess
import sys
from importlib import import_module

import pytest

from ganbench_plugins.extractors import ganbench_extractors


@pytest.mark.parametrize("target", ganbench_extractors().values(), ids=ganbench_extractors())
def test_every_name_leads_to_an_extractor(target):
    module, _, name = target.partition(":")
    component = getattr(import_module(module), name)
    assert component.version >= 1
    assert component.batch_size >= 1
    assert component.__doc__
    assert callable(component.check)
    assert callable(component.load)


def test_the_names_are_in_order():
    assert list(ganbench_extractors()) == sorted(ganbench_extractors())


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from ganbench_plugins.extractors import ganbench_extractors as listed;"
        "listed(); print({'torch', 'torchvision', 'torch_fidelity'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "set()"
