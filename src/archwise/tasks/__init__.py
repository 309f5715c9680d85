"""What must be learned: data with fixed splits, made once (`load.make_task`) and kept in a folder (`task.Task`)."""
