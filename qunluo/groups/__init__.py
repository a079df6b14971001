"""Groups: who may come in, where they go, what is not welcome."""
