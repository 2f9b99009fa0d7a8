"""Where the work of a study is done: processes on this machine, or on those of a Ray cluster."""
