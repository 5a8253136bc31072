"""``from_pretrained``, and what else opens a whole folder or a repository of the hub.

The outermost call gets the path of a verified copy of the folder. What it calls in turn gets paths in that copy, and is let through.
"""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any, Callable, Dict, Optional

from .. import _state
from . import _replace

#: What says which snapshot of a repository is meant, and how it is got.
_OF_DOWNLOAD = ("revision", "cache_dir", "token", "local_files_only", "force_download")


def _download(named: Dict[str, Any]) -> Callable[[str], str]:
    def download(name: str) -> str:
        from huggingface_hub import snapshot_download

        return snapshot_download(name, **{key: named[key] for key in _OF_DOWNLOAD if named.get(key) is not None})

    return download


def _guarded(loader: str, original: Callable[..., Any], place: int, keys: tuple) -> Callable[..., Any]:
    """The argument at ``place``, or one of the names ``keys``, is the folder or repository."""

    @functools.wraps(original)
    def load(*arguments: Any, **named: Any) -> Any:
        guard = _state.current()
        key: Optional[str] = next((key for key in keys if key in named), None)
        given = named[key] if key else arguments[place] if len(arguments) > place else None
        if guard is None or not isinstance(given, (str, os.PathLike)):
            return original(*arguments, **named)
        view = guard.folder(loader, given, _download(named))
        if view == os.fsdecode(given):
            return original(*arguments, **named)
        if key:
            named[key] = view
        else:
            arguments = (*arguments[:place], view, *arguments[place + 1 :])
        loaded = original(*arguments, **named)
        _rename(loaded, view, os.fsdecode(given))
        return loaded

    return load


def _rename(loaded: Any, view: str, given: str) -> None:
    """What was loaded bears the name that it was asked for by, and not that of the copy."""
    for part in loaded if isinstance(loaded, tuple) else (loaded,):
        for thing in (part, getattr(part, "config", None), getattr(part, "generation_config", None)):
            for name in ("name_or_path", "_name_or_path"):
                if getattr(thing, "__dict__", {}).get(name) == view:
                    setattr(thing, name, given)


def _classes(module: ModuleType) -> None:
    """Every ``from_pretrained`` that a class of a module has of its own."""
    found = False
    for kind in list(vars(module).values()):
        if not isinstance(kind, type) or kind.__module__ != module.__name__:
            continue
        method = kind.__dict__.get("from_pretrained")
        if isinstance(method, classmethod):
            loader = f"{module.__name__.split('.')[0]}.{kind.__name__}.from_pretrained"
            # Of peft's models the first argument is the model below the adapter.
            is_adapter = module.__name__ in ("peft.peft_model", "peft.mixed_model")
            place, keys = (2, ("model_id",)) if is_adapter else (1, ("pretrained_model_name_or_path", "pretrained_model_or_path"))
            kind.from_pretrained = classmethod(_guarded(loader, method.__func__, place, keys))
            found = True
    if not found:
        raise AttributeError(f"no class of {module.__name__} has from_pretrained")


def _pipeline(module: ModuleType) -> None:
    original = module.pipeline
    _replace.everywhere(original, _guarded("transformers.pipeline", original, 1, ("model",)))


def _sentences(module: ModuleType) -> None:
    kind = module.SentenceTransformer
    kind.__init__ = _guarded("sentence_transformers.SentenceTransformer", kind.__init__, 1, ("model_name_or_path",))


_WITH_CLASSES = (
    "transformers.configuration_utils",
    "transformers.feature_extraction_utils",
    "transformers.generation.configuration_utils",
    "transformers.image_processing_base",
    "transformers.modeling_utils",
    "transformers.models.auto.auto_factory",
    "transformers.models.auto.configuration_auto",
    "transformers.models.auto.feature_extraction_auto",
    "transformers.models.auto.image_processing_auto",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.processing_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.auto.video_processing_auto",
    "transformers.processing_utils",
    "transformers.tokenization_utils_base",
    "transformers.video_processing_utils",
    "peft.config",
    "peft.peft_model",
    "peft.mixed_model",
    "diffusers.models.modeling_utils",
    "diffusers.pipelines.auto_pipeline",
    "diffusers.pipelines.pipeline_utils",
    "diffusers.schedulers.scheduling_utils",
)

HOOKS = {
    **{name: _classes for name in _WITH_CLASSES},
    "transformers.pipelines": _pipeline,
    "sentence_transformers.sentence_transformer.model": _sentences,
}
