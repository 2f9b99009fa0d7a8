"""`ganbench run --losses minimax,nonsat`, whole: real digits, a true table, pictures, reuse."""

import re
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

import ganbench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(main_job):
    return ganbench.load(main_job / "results")


def test_every_planned_run_completed(results):
    runs = results.runs()
    assert len(runs) == 6
    assert set(runs["outcome"]) == {"completed"}
    assert sorted(zip(runs["loss"], runs["seed"], strict=True)) == [
        (loss, seed) for loss in ("minimax", "nonsat") for seed in range(3)
    ]


def test_the_distance_falls_to_at_most_a_fifth_of_the_untrained_generators(results):
    runs = results.runs()
    nonsat = runs[runs["loss"] == "nonsat"]
    assert (nonsat["final"] <= nonsat["untrained"] / 5).all()


def test_the_table_is_what_the_store_says(main_job, results):
    out = (main_job / "stdout.txt").read_text()
    frame = results.frame()
    fd = frame[frame["metric"].str.startswith("fd[")]
    for loss in ("minimax", "nonsat"):
        of_loss = fd[fd["loss"] == loss].sort_values("generator_steps")
        finals = of_loss.groupby("seed")["value"].last()
        half = stats.t.ppf(0.975, 2) * stats.sem(finals)
        (line,) = [
            line for line in out.splitlines() if re.match(rf" *{loss} +k-step +digits +\d/", line)
        ]
        assert "3/3" in line
        assert f"{finals.mean():.4g} +- {half:.2g}" in line
        best = of_loss.groupby("seed")["value"].min()
        assert f"{best.mean():.4g} +- " in line
    assert "quality fd[n=2000,all:1797,digits-cnn,uint8]" in out
    assert not (set(re.findall(r"\S*nan\S*", out, re.I)) - {"ganbench"})


def test_throughput_is_plausible(results):
    table = results.table()
    runs = results.runs()
    for row in table.itertuples():
        assert row.images_per_second == pytest.approx(64 * row.generator_steps_per_second, rel=1e-6)
        assert 0 < row.peak_share < 1.2
        assert 2e8 < row.peak_memory_bytes < 4e9
        # Runs share the machine and so are slower than the exclusive windows, never much faster.
        seconds = runs[runs["loss"] == row.loss]["seconds"].min()
        assert 80_000 / seconds < 2 * row.images_per_second


def test_both_losses_start_from_the_same_generator(results):
    runs = results.runs().pivot_table(index="seed", columns="loss", values="untrained")
    assert (runs["minimax"] == runs["nonsat"]).all()


def test_v_is_recorded_for_both_losses_and_is_minus_minimaxs_d_loss(results):
    frame = results.frame()
    training = frame.pivot_table(
        index=["loss", "seed", "generator_steps"], columns="metric", values="value"
    ).dropna(subset=["value"])
    assert len(training) > 100
    assert np.allclose(training["value"], -training["discriminator_loss"], rtol=1e-4)


def test_the_frame_is_tidy(results):
    frame = results.frame()
    assert isinstance(frame, pd.DataFrame)
    key = ["run", "generator_steps", "metric"]
    evaluated = frame[frame["metric"].str.contains("[", regex=False)]
    assert not evaluated.duplicated(key).any()
    assert evaluated.groupby(["run", "metric"]).size().eq(11).all()


def test_the_pictures_show_fixed_latents_over_time(results):
    for folder in results.folders:
        pictures = folder.pictures()
        assert len(pictures) == 11
        first, last = (np.asarray(Image.open(p)).astype(float) for p in (pictures[0], pictures[-1]))
        assert first.shape == last.shape == (8 * 34 + 2, 8 * 34 + 2)
        # The untrained generator's tiles are flat and grey, the trained one's black and white.
        assert first.std() < 30 < 60 < last.std()


def test_running_it_again_reuses_everything(main_job, ganbench_command):
    before = {p: p.stat().st_mtime_ns for p in (main_job / "results").rglob("outcome.json")}
    ran = subprocess.run(
        [ganbench_command, "run", "--losses", "nonsat,minimax"],
        cwd=main_job,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "6 of them are in 'results' already and are reused" in ran.stdout
    assert "started" not in ran.stdout
    assert before == {p: p.stat().st_mtime_ns for p in (main_job / "results").rglob("outcome.json")}
    table = (main_job / "stdout.txt").read_text().partition("loss schedule")[2].splitlines()[1:3]
    for line in table:
        assert line.split() in [shown.split() for shown in ran.stdout.splitlines()]


@pytest.mark.parametrize("ctrl_c", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path, ganbench_command, ctrl_c):
    command = [ganbench_command, "run", "--losses", "nonsat", "--seeds", "4", "--budget", "2kimg"]
    process = subprocess.Popen(
        [*command, "--jobs", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        # As on a terminal; a shell's background job, as CI may be, would ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if line.startswith("completed"):
            time.sleep(0.5)
            process.send_signal(ctrl_c)
            break
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: 1 of 4 runs are finished and kept in 'results'" in rest
    assert "Go on by running the same command again." in rest
    assert "Traceback" not in rest
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "1 of them are in 'results' already and are reused" in again.stdout
    assert re.search(r"nonsat +k-step +digits +4/4", again.stdout)
