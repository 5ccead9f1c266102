"""The upstream APIs as a process: real HTTP, deterministic from a seed, faults included."""
