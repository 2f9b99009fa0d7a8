"""A run does not depend on what lies in the current folder."""

import subprocess


def test_modules_of_the_current_folder_do_not_stand_in_for_installed_ones(
    tmp_path, ganbench_command
):
    for name in ("statistics", "torch", "filelock"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    arguments = ["run", "--losses", "nonsat", "--datasets", "gaussian:size=500"]
    arguments += ["--seeds", "1", "--budget", "1kimg"]
    ran = subprocess.run(
        [ganbench_command, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "completed nonsat" in ran.stdout
