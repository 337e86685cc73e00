"""Who iterates the trainer: the caller, a warm worker process, a cluster or a GPU lease."""
