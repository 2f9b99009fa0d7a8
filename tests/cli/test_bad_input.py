"""Bad input: one clear message, exit code 2, no traceback, and nothing left behind."""

import pytest

BAD = {
    "loss": (["--losses", "nonsatt"], ["no loss is called 'nonsatt'", "Did you mean 'nonsat'?"]),
    "penalty": (["--losses", "nonsat+r7"], ["no penalty is called 'r7'", "Known: bcr"]),
    "empty loss": (["--losses", ""], ["it is empty", "name:field=value"]),
    "dangling comma": (["--losses", "nonsat,"], ["a name is missing"]),
    "schedule": (["--schedules", "k-stop"], ["no schedule is called", "'k-step'"]),
    "data set": (["--datasets", "digit"], ["no data set is called", "'digits'"]),
    "architecture": (["--architectures", "vgg"], ["no architecture is called 'vgg'"]),
    "metric": (["--metrics", "fidd"], ["no metric is called 'fidd'", "'fid'"]),
    "protocol": (["--protocol", "slow"], ["no protocol is called 'slow'", "quick"]),
    "field": (["--schedules", "k-step:j=1"], ["no field of schedule 'k-step' is called 'j'"]),
    "k = 0": (
        ["--schedules", "k-step:k=0"],
        ["field 'k' can't be '0'", "k: int >= 1"],
    ),
    "k = two": (["--schedules", "k-step:k=two"], ["field 'k' can't be 'two'", "integer"]),
    "k = 0, short": (["--k", "1,0"], ["field 'k' can't be '0'"]),
    "k empty": (["--k", ""], ["field 'k' can't be ''"]),
    "k twice": (["--k", "1", "--schedules", "k-step"], ["--k is short for --schedules"]),
    "infinite": (["--losses", "nonsat+gp:weight=inf"], ["'weight' can't be 'inf'", "finite"]),
    "batch": (["--protocol", "quick:batch_size=0"], ["'batch_size' can't be '0'"]),
    "shape": (["--architectures", "mlp"], ["mlp makes points", "[1, 8, 8]"]),
    "shape of points": (
        ["--datasets", "ring", "--architectures", "dcgan"],
        ["dcgan makes square images", "[2]"],
    ),
    "metric of other data": (
        ["--datasets", "digits", "--metrics", "fd-points"],
        ["fd-points needs"],
    ),
    "batch norm under a gradient penalty": (
        ["--losses", "nonsat+gp"],
        ["'gp' needs a discriminator that treats each image by itself", "dcgan"],
    ),
    "data that is not there": (
        ["--datasets", "mnist"],
        ["data set 'mnist' is not prepared", "ganbench prepare mnist"],
    ),
    "no images": (["--datasets", "images:path=nowhere"], ["nowhere"]),
    "images without a path": (["--datasets", "images"], ["field 'path' is missing"]),
    "budget without a unit": (["--budget", "200"], ["budget '200'", "a unit", "kimg"]),
    "budget of another unit": (["--budget", "9kings"], ["no unit is called 'kings'", "gsteps"]),
    "budget of nothing": (["--budget", "0kimg"], ["a number above 0"]),
    "device": (["--device", "tpu"], ["no device is called 'tpu'", "cuda:1"]),
    "seeds": (["--seeds", "0"], ["--seeds", "0 is not in the range"]),
    "plugin": (["-p", "no:nobody"], ["no plugin is called 'nobody'", "bundled-losses"]),
    "plugin file": (["--plugin-file", "none.py"], ["plugin file 'none.py' can't be read"]),
    "weights": (
        ["--metrics", "fid"],
        [
            "inception needs its weights",
            "sha256",
            "--extractors inception:weights=FILE",
            "ganbench prepare inception",
            "Without it",
        ],
    ),
    "extractor": (["--extractors", "inceptoin"], ["no extractor is called", "'inception'"]),
    "extractor of other data": (
        ["--datasets", "ring", "--metrics", "fd", "--extractors", "digits-cnn"],
        ["digits-cnn needs"],
    ),
    "extractor without a use": (
        ["--datasets", "ring", "--extractors", "raw"],
        ["extractor 'raw' is of no use to the metrics modes"],
    ),
    "features of nothing": (
        ["--datasets", "ring", "--metrics", "kid"],
        ["give --extractors"],
    ),
    "too few samples": (
        ["--metrics", "kid", "--protocol", "quick:evaluation_samples=99"],
        ["'kid' needs at least 1000 real and as many generated samples", "there are 99"],
    ),
    "a metric twice": (["--metrics", "fd,fd"], ["metric 'fd' is asked for twice"]),
    "timeout": (["--timeout", "abc"], ["'--timeout'", "'abc' is no time like 90s", "s, m, h, d"]),
    "timeout without a unit": (["--timeout", "90"], ["'--timeout'", "'90' is no time"]),
    "timeout below 0": (["--timeout", "-5s"], ["'--timeout'", "'-5s' is no time"]),
    "timeout without end": (["--timeout", "9" * 400 + "s"], ["'--timeout'", "is no time"]),
    "memory without a unit": (
        ["--memory", "5"],
        ["'--memory'", "'5' is no size like 800MiB", "KiB, MiB, GiB"],
    ),
    "memory of another unit": (["--memory", "4GB"], ["'--memory'", "'4GB' is no size"]),
    "memory beyond all bounds": (["--memory", "9" * 20 + "GiB"], ["'--memory'", "is no size"]),
    "checkpoints": (["--checkpoint-every", "often"], ["'--checkpoint-every'", "'often'"]),
    "existing": (["--existing", "x"], ["'--existing'", "'x'", "'reuse'", "'failed'", "'rerun'"]),
    "on failure": (["--on-failure", "x"], ["'--on-failure'", "'x'", "'continue'", "'stop'"]),
    "executor": (["--executor", "x"], ["'--executor'", "'x'", "'local'", "'ray'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_before_training(ganbench, tmp_path, case):
    arguments, expected = BAD[case]
    losses = [] if "--losses" in arguments else ["--losses", "nonsat"]
    ran = ganbench("run", *losses, *arguments)
    assert ran.code == 2
    for text in expected:
        assert text in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert not (tmp_path / "results").exists()


def test_cuda_where_there_is_none(ganbench, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    ran = ganbench("run", "--losses", "nonsat", "--device", "cuda:1")
    assert ran.code == 2
    assert "device 'cuda:1' is not here: torch sees 0 CUDA devices" in ran.err


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut short"])
def test_a_broken_image_is_named(ganbench, tmp_path, content):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "broken.png").write_bytes(content)
    ran = ganbench("run", "--losses", "nonsat", "--datasets", "images:path=faces:size=8")
    assert ran.code == 2
    assert "broken.png" in ran.err
    assert "Traceback" not in ran.err


def test_a_folder_that_is_no_store(ganbench, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("...")
    for command in (["run", "--losses", "nonsat"], ["table"]):
        ran = ganbench(*command, "--store", "thesis")
        assert ran.code == 2
        assert "'thesis' is no ganbench store" in ran.err
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter1.tex"]


def test_a_store_below_a_file(ganbench, tmp_path):
    (tmp_path / "file").write_text("")
    ran = ganbench("run", "--losses", "nonsat", "--store", "file/store")
    assert ran.code == 2
    assert "is no folder" in ran.err


def test_a_store_that_can_not_be_written(ganbench):
    ran = ganbench("run", "--losses", "nonsat", "--store", "/proc/ganbench")
    assert ran.code == 2
    assert "store '/proc/ganbench' can't be written" in ran.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["show", "minimaxx"], "Did you mean 'minimax'?"),
        (["list", "loses"], "Did you mean 'losses'?"),
        (["prepare", "mnists"], "Did you mean 'mnist'?"),
        (["table", "--store", "nowhere"], "'nowhere' is no ganbench store"),
        (["tabel"], "No such command 'tabel'"),
    ],
)
def test_other_commands_refuse_as_clearly(ganbench, arguments, text):
    ran = ganbench(*arguments)
    assert ran.code == 2
    assert text in ran.err
    assert "Traceback" not in ran.err


def test_the_command_that_prepares_names_the_folder_that_was_asked_for(ganbench):
    ran = ganbench("run", "--losses", "nonsat", "--datasets", "mnist", "--data-folder", "my data")
    assert "Prepare it with: ganbench prepare mnist --data-folder 'my data'" in ran.err


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("def __init__(self, x: Missing = 1): ...", "NameError: name 'Missing' is not defined"),
        ("def __init__(self): raise RuntimeError('mine')", "RuntimeError: mine"),
    ],
)
def test_what_a_plugins_class_raises_is_named_as_its_own(ganbench, tmp_path, body, error):
    (tmp_path / "odd.py").write_text(
        "from __future__ import annotations\n"
        "from ganbench.api import hookimpl\n"
        f"class Odd:\n    version = 1\n    {body}\n"
        "@hookimpl\n"
        "def ganbench_losses(): return {'odd': Odd}\n"
    )
    ran = ganbench("run", "--losses", "odd", "--plugin-file", "odd.py")
    assert ran.code == 2
    assert "loss 'odd' of plugin odd.py (file" in ran.err
    assert error in ran.err
    assert "Traceback" not in ran.err
