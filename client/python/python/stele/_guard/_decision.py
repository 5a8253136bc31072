"""What a guard decided about a model, for programs and for people."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import IO, Any, Callable, Dict, Optional, Set, Tuple, Union

from .._error import VerifyError
from .._native import Release

logger = logging.getLogger("stele.guard")

#: The name and version of the line; ``guard-decision.v1.json`` beside this package is its schema.
SCHEMA = "stele/guard-decision@v1"

Sink = Union[None, str, "os.PathLike[str]", IO[str], Callable[["Decision"], Any]]


class GuardWarning(UserWarning):
    """What is opened is not verified; with ``mode="enforce"`` it would not be opened."""


@dataclass(frozen=True)
class Decision:
    """One decision. Times are RFC 3339 in UTC; a value that is not known is None."""

    #: ``warn`` or ``enforce``.
    mode: str
    #: What opens the model: ``safetensors.safe_open``.
    loader: str
    #: The model as the guard knows it: a name such as ``acme/tiny`` in the Hugging Face cache, else a path.
    model: str
    #: ``verified``, ``unverified`` (opened all the same, with a warning) or ``refused``.
    verdict: str
    #: The code of the error, ``unrecorded`` for example, and the exit code that the program ``stele`` would have ended with; 0 where verified.
    code: Optional[str]
    exit: int
    message: Optional[str]
    hint: Optional[str]
    #: The coordinate of the release, the key that signed it and its entry in the log.
    release: Optional[str]
    signer: Optional[str]
    entry: Optional[int]
    #: The entry that revoked the signer's key later, if the bundle has it.
    signer_revoked_at: Optional[int]
    #: The tree head that this rests on: ``origin``, ``tree_size``, ``time``.
    as_of: Optional[Dict[str, Any]]

    @classmethod
    def of(
        cls, mode: str, loader: str, model: str, release: Optional[Release], error: Optional[VerifyError]
    ) -> "Decision":
        if error is None:
            verdict = "verified"
        else:
            verdict = "refused" if mode == "enforce" else "unverified"
        return cls(
            mode=mode,
            loader=loader,
            model=model,
            verdict=verdict,
            code=error.code if error else None,
            exit=error.exit if error else 0,
            message=error.message if error else None,
            hint=error.hint if error else None,
            release=release.coordinate if release else None,
            signer=release.signer if release else None,
            entry=release.entry if release else None,
            signer_revoked_at=release.signer_revoked_at if release else None,
            as_of=_as_of(release),
        )

    def line(self) -> str:
        """The decision as one line of JSON, without its end."""
        return json.dumps({"schema": SCHEMA, "ok": self.verdict == "verified", **asdict(self)})


def _as_of(release: Optional[Release]) -> Optional[Dict[str, Any]]:
    if release is None:
        return None
    head = release.checkpoint
    time = None
    if head.time is not None:
        try:
            time = datetime.fromtimestamp(head.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (OverflowError, ValueError, OSError):
            pass
    return {"origin": head.origin, "tree_size": head.tree_size, "time": time}


class Decisions:
    """Tells each decision once."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._told: Set[Tuple[Optional[str], ...]] = set()
        self._lock = threading.Lock()

    def tell(self, decision: Decision) -> bool:
        """Whether it is a new one."""
        key = (decision.model, decision.verdict, decision.code, decision.release)
        with self._lock:
            if key in self._told:
                return False
            self._told.add(key)
            self._write(decision)
        return True

    def _write(self, decision: Decision) -> None:
        logger.log(logging.INFO if decision.verdict == "verified" else logging.WARNING, "%s", decision.line())
        if self._sink is None:
            return
        if callable(self._sink):
            self._sink(decision)
        elif hasattr(self._sink, "write"):
            self._sink.write(decision.line() + "\n")
        else:
            # One write, so that the lines of several processes do not mix.
            descriptor = os.open(self._sink, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, (decision.line() + "\n").encode())
            finally:
                os.close(descriptor)
