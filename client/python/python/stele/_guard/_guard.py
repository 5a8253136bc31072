"""A guard: which models it guards, by which policy, and what it does with one that is not verified."""

from __future__ import annotations

import atexit
import contextlib
import fnmatch
import hashlib
import os
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from .._error import VerifyError
from .._native import Policy, Release, locate, read_bundle, verify
from . import _hooks, _platform, _state
from ._decision import Decision, Decisions, GuardWarning, Sink
from ._sealed import Sealed
from ._views import Views, is_inside

_MODES = ("off", "warn", "enforce")

_Path = _state.PathLike
_PolicyLike = Union[Policy, str, "os.PathLike[str]", None]


def guard(
    policy: _PolicyLike = None,
    mode: Optional[str] = None,
    models: Union[Sequence[str], Mapping[str, str]] = ("*",),
    *,
    allow_missing: bool = False,
    allow_withdrawn: bool = False,
    max_age: Optional[timedelta] = None,
    workdir: Union[None, str, "os.PathLike[str]"] = None,
    decisions: Sink = None,
    keep: int = 0,
) -> "Guard":
    """Guards this process from now on, until ``stop()`` or the end of a ``with`` block.

    ``mode`` is ``"off"``, ``"warn"`` or ``"enforce"``; without it ``$STELE_GUARD``, else off. ``models`` are patterns of names (``acme/*``) and
    paths (``/srv/models/*``) that are guarded; as a mapping it also says which release each must be, by a pattern of coordinates:
    ``{"acme/tiny": "acme.example/tiny@*"}``. A tree head that was cosigned longer ago than ``max_age`` is refused, and so is a release of
    which the bundle itself has a withdrawal, unless ``allow_withdrawn``. Of the sealed copies of single files at
    most ``keep`` bytes are kept in memory to be opened again, which then costs nothing.

    Raises ``VerifyError`` where there is no policy and, with ``enforce``, where this machine does not allow what is promised.
    """
    return Guard(policy, mode, models, allow_missing, max_age, workdir, decisions, keep, allow_withdrawn).start()


class _Asked(NamedTuple):
    """What a loader asks for: as it was given, the name of its model, and the release that it must be."""

    given: str
    model: str
    expected: Optional[str]


class Guard:
    """What ``guard`` starts. One holds for all threads of a process, and for no process that it starts anew."""

    def __init__(
        self,
        policy: _PolicyLike,
        mode: Optional[str],
        models: Union[Sequence[str], Mapping[str, str]],
        allow_missing: bool,
        max_age: Optional[timedelta],
        workdir: Union[None, str, "os.PathLike[str]"],
        decisions: Sink,
        keep: int = 0,
        allow_withdrawn: bool = False,
    ) -> None:
        mode = mode if mode is not None else os.environ.get("STELE_GUARD") or "off"
        if mode not in _MODES:
            raise ValueError(f"mode: expected one of {', '.join(_MODES)}, found {mode!r} (the argument, else $STELE_GUARD)")
        if isinstance(models, str):
            raise TypeError(f"models: expected a list of patterns, found the text {models!r}; write [{models!r}]")
        if max_age is not None and not isinstance(max_age, timedelta):
            raise TypeError(f"max_age: expected a timedelta, found {max_age!r}")
        if not isinstance(keep, int) or keep < 0:
            raise TypeError(f"keep: expected a number of bytes, found {keep!r}")
        self.mode = mode
        self._models: Dict[str, Optional[str]] = (
            dict(models) if isinstance(models, Mapping) else {pattern: None for pattern in models}
        )
        self._allow_missing = allow_missing
        self._allow_withdrawn = allow_withdrawn
        self._max_age = max_age
        self._releases: Dict[bytes, Release] = {}
        self._decisions = Decisions(decisions)
        self._kept = Sealed(keep)
        if mode == "off":
            return
        # Without a policy nothing could be promised, whatever the mode.
        self._policy = policy if isinstance(policy, Policy) else Policy.load(policy) if policy is not None else Policy.find()
        try:
            _platform.check_policy(self._policy.path)
            self._views = Views(_platform.check(Path(workdir) if workdir is not None else None))
        except VerifyError as error:
            if mode == "enforce":
                raise
            warnings.warn(f"nothing is guarded: {error}", GuardWarning, stacklevel=4)
            self.mode = "off"

    def start(self) -> "Guard":
        """Starts it; ``guard`` has done that."""
        if self.mode == "off":
            return self
        with _state.lock:
            if self not in _state.active:
                _state.active.append(self)
                atexit.register(self.stop)
        try:
            _hooks.install()
        except VerifyError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends it, and removes its private copies. What was loaded stays loaded."""
        with _state.lock:
            if self not in _state.active:
                return
            _state.active.remove(self)
        atexit.unregister(self.stop)
        self._views.remove()
        self._kept.close()

    def __enter__(self) -> "Guard":
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    @contextlib.contextmanager
    def file(self, loader: str, path: _Path) -> Iterator[str]:
        """The path from which a loader reads the verified content of one file, for as long as the block lasts."""
        asked = self._asked(path)
        if asked is None:
            yield os.fsdecode(path)
            return
        descriptor = self._decided(loader, asked, lambda: self._sealed(asked))
        if descriptor is None:
            yield asked.given
            return
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)

    def beside(self, loader: str, path: _Path) -> str:
        """The path of a file in a verified copy of its folder, for loaders that open other files beside it."""
        asked = self._asked(path)
        if asked is None:
            return os.fsdecode(path)
        return self._decided(loader, asked, lambda: self._file_in_view(asked)) or asked.given

    def folder(self, loader: str, name: _Path, download: Callable[[str], str]) -> str:
        """A verified copy of a folder; ``name`` is a path or a name at the hub, and ``download(name)`` gives the folder of that."""
        asked = self._asked(name)
        if asked is None:
            return os.fsdecode(name)
        if os.path.isfile(asked.given):
            return self.beside(loader, name)

        def view() -> Tuple[str, Release]:
            target = locate(asked.given if os.path.isdir(asked.given) else download(asked.given))
            return self._view(Path(target.path), Path(target.bundle), asked)

        return self._decided(loader, asked, view) or asked.given

    def refuse(self, loader: str, name: _Path, error: VerifyError) -> None:
        """Says that something cannot be guarded: raises it, or warns."""

        def refused() -> Tuple[None, Release]:
            raise error

        given = os.fsdecode(name)
        self._decided(loader, _Asked(given, given, None), refused)

    def guards(self, path: _Path) -> bool:
        """Whether a path is one of those that are guarded, and not a verified copy already."""
        return self._asked(path) is not None

    def _asked(self, path: _Path) -> Optional[_Asked]:
        """What is asked for, where this guard guards it."""
        given = os.fsdecode(path)
        model = given if _is_name(given) else _model_of(given)
        names = (given, model, os.path.abspath(given))
        for pattern, expected in self._models.items():
            if any(fnmatch.fnmatchcase(name, pattern) for name in names):
                return None if is_inside(given) else _Asked(given, model, expected)
        return None

    def _decided(self, loader: str, asked: _Asked, verified: Callable[[], Tuple[Any, Release]]) -> Any:
        """What ``verified`` gives; None where it fails and the mode is to warn."""
        error: Optional[VerifyError] = None
        result = release = None
        try:
            result, release = verified()
        except VerifyError as found:
            error, release = found, getattr(found, "_release", None)
        except OSError as found:
            error = VerifyError(f"cannot read {asked.model}: {found}", "io", (), "check the path and its mode", 10)
        is_new = self._decisions.tell(Decision.of(self.mode, loader, asked.model, release, error))
        if error is None:
            return result
        if self.mode == "enforce":
            raise error
        if is_new:
            warnings.warn(f"{asked.model} is opened and not verified: {error}", GuardWarning, stacklevel=5)
        return None

    def _release(self, bundle: Path, asked: _Asked) -> Tuple[Release, bytes]:
        """The release of a bundle, if it is the one that is expected, and the digest of the bundle."""
        content = read_bundle(bundle)
        digest = hashlib.sha256(content).digest()
        release = self._releases.get(digest)
        if release is None:
            release = self._releases[digest] = verify(content, self._policy)
        with _of(release):
            expected = asked.expected
            if expected not in (None, release.publisher) and not fnmatch.fnmatchcase(release.coordinate, str(expected)):
                facts = [("expected", str(expected)), ("found", release.coordinate)]
                raise VerifyError("this is another release than the expected one", "other-coordinate", facts, None, 1)
            if not self._allow_withdrawn:
                release.require_in_force()
            if self._max_age is not None:
                release.require(not_before=max(0, int(time.time() - self._max_age.total_seconds())))
        return release, digest

    def _sealed(self, asked: _Asked) -> Tuple[int, Release]:
        release, path, bundle, recorded, digest = self._recorded(asked)
        with _of(release):
            return self._kept.open((digest, recorded), lambda: release._sealed(recorded, path, bundle)), release

    def _file_in_view(self, asked: _Asked) -> Tuple[str, Release]:
        release, path, bundle, recorded, _ = self._recorded(asked)
        with _of(release):
            if recorded not in {file.path for file in release.files}:
                facts = [("not in the record", recorded)]
                raise VerifyError(f"{asked.given} is not in the record", "unrecorded", facts, "do not load it: nobody signed it", 16)
        copy, _ = self._view(path.parent, bundle, asked)
        return os.path.join(copy, path.name), release

    def _recorded(self, asked: _Asked) -> Tuple[Release, Path, Path, str, bytes]:
        """A file, its bundle, the path that it has in the release, and the digest of the bundle."""
        target = locate(asked.given)
        if target.kind != "file":
            raise VerifyError(f"{asked.given} is a {target.kind}", "bad-input", [("expected", "a file of a release")], "name the file", 7)
        path, bundle = Path(os.path.abspath(target.path)), Path(target.bundle)
        release, digest = self._release(bundle, asked)
        with _of(release):
            place = release._place(path.parent, bundle)
        return release, path, bundle, f"{place}/{path.name}" if place else path.name, digest

    def _view(self, folder: Path, bundle: Path, asked: _Asked) -> Tuple[str, Release]:
        release, digest = self._release(bundle, asked)
        with _of(release):
            within = release._place(folder, bundle)
            name = asked.model.rsplit("/", 1)[-1]
            return self._views.folder(release, digest, folder, within, bundle, self._allow_missing, name), release


@contextlib.contextmanager
def _of(release: Release) -> Iterator[None]:
    """An error that knows of which release it is."""
    try:
        yield
    except VerifyError as error:
        error._release = release  # type: ignore[attr-defined]
        raise


def _is_name(given: str) -> bool:
    """Whether this is the name of a repository at a hub, and no path here."""
    return not os.path.exists(given) and not os.path.isabs(given) and given.count("/") <= 1


def _model_of(path: str) -> str:
    """The name of a model: of its repository where a path is in a Hugging Face cache, else the absolute path."""
    absolute = os.path.abspath(path)
    for part in absolute.split(os.sep):
        if part.startswith("models--") and len(part) > 8:
            return part[8:].replace("--", "/", 1)
    return absolute
