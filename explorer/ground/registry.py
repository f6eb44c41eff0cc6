"""Where a service keeps its metrics."""

from prometheus_client import CollectorRegistry, GCCollector, Info, PlatformCollector, ProcessCollector


def new_registry(version: str) -> CollectorRegistry:
    """A registry of its own for a service, with its version and the process's figures in it; never the global one."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Info("filplus_build", "The running program", registry=registry).info({"version": version})
    return registry
