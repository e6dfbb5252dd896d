"""The demonstration: an invented furniture shop, its agents, and customers on every channel.

The daemon is exactly ``mainstem run``, as a child process. Around it this process plays the
platforms, the customers and the colleagues, who come in through the same doors as real ones.
"""

from router.cli.demo.play import play

__all__ = ["play"]
