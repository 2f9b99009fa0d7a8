from pathlib import Path

from ganbench.executors.job import Job, PluginChoice


def test_a_job_survives_being_text():
    plugins = PluginChoice(("bundled-losses", "x y"), ("/tmp/mein Verlust é.py",))
    job = Job("run", "abc", "/a b/store", "/data", "cuda:1", 3, plugins, 17, fresh=True)
    again = Job.from_text(job.to_text())
    assert again == job
    assert again.run_path == Path("/a b/store/runs/abc")


def test_a_choice_of_plugins_is_a_catalogue(tmp_path):
    file = tmp_path / "plugin.py"
    file.write_text("")
    catalogue = PluginChoice(("bundled-losses",), (str(file),)).discover()
    status = {plugin.origin.plugin: plugin.status for plugin in catalogue.plugins}
    assert status["bundled-losses"] == "blocked"
    assert status[str(file)] == "ok"
