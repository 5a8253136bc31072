"""The guard: loaders open only bytes that were verified. Its chapter is ``docs/python.md``."""

from ._decision import Decision, GuardWarning
from ._guard import Guard, guard

__all__ = ["Decision", "Guard", "GuardWarning", "guard"]
