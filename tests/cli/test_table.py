"""`ganbench table` of stores that are not as they should be, in a process of its own."""

import subprocess
import sys

from ganbench.store import Store


def test_a_damaged_recipe_is_one_line_and_no_failure(tmp_path):
    folder = Store(tmp_path / "results", create=True).run("abc").path
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_bytes(b"{")
    code = "from ganbench.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "table"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (line,) = ran.stderr.splitlines()
    assert line.startswith("Warning: left out: 'results/runs/abc/recipe.json' can't be read: ")
    assert line.endswith(" Mend the store with `ganbench store repair results`.")
