"""Where the work of a study is done: processes on this machine."""
