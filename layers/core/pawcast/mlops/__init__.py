"""Registry, releases, inference log, capacity: what both workloads run their models with."""
