"""Verify open-weight model releases, and open only what was verified.

``verify`` and ``verify_folder`` are the library of the program ``stele``; ``guard`` makes loaders open verified bytes only.
"""

from ._error import VerifyError
from ._guard import Decision, Guard, GuardWarning, guard
from ._native import (
    Checkpoint,
    Difference,
    Extra,
    File,
    Policy,
    Release,
    Report,
    Unusable,
    Verification,
    verify,
    verify_folder,
)

__all__ = [
    "Checkpoint",
    "Decision",
    "Difference",
    "Extra",
    "File",
    "Guard",
    "GuardWarning",
    "Policy",
    "Release",
    "Report",
    "Unusable",
    "Verification",
    "VerifyError",
    "guard",
    "verify",
    "verify_folder",
]
