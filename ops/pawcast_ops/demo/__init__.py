"""`pawcast demo`: upload varied photos through the running stack and show what became of each."""

from pawcast_ops.demo.commands import app

__all__ = ["app"]
