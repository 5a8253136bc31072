import os
from pathlib import Path
from typing import List, Optional, Union, final

__all__ = [
    "Checkpoint",
    "Difference",
    "Extra",
    "File",
    "Policy",
    "Release",
    "Report",
    "Target",
    "Unusable",
    "Verification",
    "locate",
    "read_bundle",
    "verify",
    "verify_folder",
]

_Path = Union[str, "os.PathLike[str]"]
_Policy = Union["Policy", str, "os.PathLike[str]", None]

@final
class Policy:
    """Which logs and witnesses the caller trusts (c2sp.org/tlog-policy)."""

    @staticmethod
    def parse(text: Union[bytes, str]) -> Policy:
        """The policy in this text."""
    @staticmethod
    def load(path: _Path) -> Policy:
        """The policy in a file."""
    @staticmethod
    def find() -> Policy:
        """The user's: ``$STELE_POLICY``, else ``policy`` in the settings, else ``~/.config/stele/policy``."""
    @property
    def path(self) -> Optional[Path]: ...
    @property
    def logs(self) -> List[str]: ...

@final
class File:
    """A file of a release, as its manifest names it."""

    path: str
    role: str
    size: int
    sha256: str

@final
class Checkpoint:
    """The tree head on which a release rests. ``time`` is the median of the cosignature times, in Unix seconds."""

    origin: str
    tree_size: int
    root: str
    witnesses: List[str]
    time: Optional[int]

@final
class Release:
    """A release whose bundle was verified. It says nothing of the files on a disk."""

    @property
    def coordinate(self) -> str: ...
    @property
    def publisher(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def signer(self) -> str: ...
    @property
    def signer_revoked_at(self) -> Optional[int]: ...
    @property
    def completeness(self) -> str: ...
    @property
    def index_cosigners(self) -> List[str]: ...
    @property
    def status(self) -> str: ...
    @property
    def entry(self) -> int: ...
    @property
    def checkpoint(self) -> Checkpoint: ...
    @property
    def files(self) -> List[File]: ...
    @property
    def weights_digest(self) -> str: ...
    def require(
        self,
        *,
        publisher: Optional[str] = None,
        signer: Optional[str] = None,
        coordinate: Optional[str] = None,
        not_before: Optional[int] = None,
    ) -> None:
        """Raises ``VerifyError`` for another publisher, signer or coordinate, or a tree head cosigned before ``not_before`` (Unix seconds)."""
    def require_in_force(self) -> None:
        """Raises ``VerifyError`` where the bundle itself has a withdrawal of the release, or a contradiction of the log about it."""
    def _place(self, folder: _Path, bundle: _Path) -> str: ...
    def _sealed(self, recorded: str, path: _Path, bundle: Optional[_Path] = None) -> int: ...
    def _copy(
        self, folder: _Path, within: str, into: _Path, allow_missing: bool, bundle: Optional[_Path] = None
    ) -> Report: ...

@final
class Difference:
    """A file with another content than the recorded one. ``sha256`` is None where a file of another length was not hashed."""

    path: str
    expected_size: int
    expected_sha256: str
    size: int
    sha256: Optional[str]

@final
class Unusable:
    """Something in the place of a recorded file that is no regular file."""

    path: str
    why: str

@final
class Extra:
    """Something that the record does not name. ``role`` is what a loader would take it for; None where no loader would."""

    path: str
    what: Optional[str]
    role: Optional[str]

@final
class Report:
    """Every path of the manifest and of the folder, in exactly one list."""

    of: int
    matching: List[str]
    bytes: int
    differing: List[Difference]
    missing: List[str]
    unusable: List[Unusable]
    extra: List[Extra]
    weights: Optional[str]
    is_complete_and_exact: bool

@final
class Verification:
    """A release, and the files that were compared with it. ``cached`` of them were not hashed, being unchanged since they were."""

    release: Release
    report: Report
    cached: int

@final
class Target:
    """What a path means. ``kind`` is ``folder``, ``file`` or ``bundle``."""

    kind: str
    path: Path
    bundle: Path

def verify(bundle: bytes, policy: _Policy = None) -> Release:
    """Verifies a ``release.stele`` under a trust policy. Raises ``VerifyError``."""

def verify_folder(
    path: _Path,
    policy: _Policy = None,
    allow_missing: bool = False,
    allow_extra: bool = False,
    rehash: bool = False,
    allow_withdrawn: bool = False,
) -> Verification:
    """Verifies a folder, one file, or a snapshot in a Hugging Face cache by the ``release.stele`` beside or above it. Raises ``VerifyError``.

    A release of which the bundle itself has a withdrawal is refused, unless ``allow_withdrawn``.
    What the program ``stele`` knows of files that are unchanged is used and kept; with ``rehash`` every file is hashed.
    """

def locate(path: _Path) -> Target: ...
def read_bundle(path: _Path) -> bytes: ...
