"""``from_pretrained``, and what else opens a whole folder or a repository of the hub.

The outermost call gets the path of a verified copy of the folder. What it calls in turn gets paths in that copy, and is let through.
"""

from __future__ import annotations

import functools
import inspect
import os
from types import MethodType, ModuleType
from typing import Any, Callable, Dict

from .. import _state
from . import _replace

#: What says which snapshot of a repository is meant, and how it is got.
_OF_DOWNLOAD = ("revision", "cache_dir", "token", "local_files_only", "force_download", "repo_type")


def _download(named: Dict[str, Any]) -> Callable[[str], str]:
    def download(name: str) -> str:
        from huggingface_hub import snapshot_download

        return str(snapshot_download(name, **{key: named[key] for key in _OF_DOWNLOAD if named.get(key) is not None}))

    return download


def _guarded(loader: str, original: Callable[..., Any], place: int) -> Callable[..., Any]:
    """The argument at ``place`` is the folder or repository, however it is given."""
    key = _name_of_argument(original, place)

    @functools.wraps(original)
    def load(*arguments: Any, **named: Any) -> Any:
        guard = _state.current()
        given = arguments[place] if len(arguments) > place else named.get(key)
        if guard is None or not isinstance(given, (str, os.PathLike)):
            return original(*arguments, **named)
        view = guard.folder(loader, given, _download(named))
        if view == os.fsdecode(given):
            return original(*arguments, **named)
        if len(arguments) > place:
            arguments = (*arguments[:place], view, *arguments[place + 1 :])
        else:
            named[key] = view
        loaded = original(*arguments, **named)
        _rename(loaded, view, os.fsdecode(given))
        return loaded

    load._stele_guards = True  # type: ignore[attr-defined]
    return load


def _name_of_argument(function: Callable[..., Any], place: int) -> str:
    """Each loader has its own name for it. One that has none is of a version that is not known."""
    # What a copied method calls its original is bound, and lacks its first argument.
    plain = inspect.unwrap(function, stop=lambda one: isinstance(getattr(one, "__wrapped__", None), MethodType))
    parameters = list(inspect.signature(plain, follow_wrapped=False).parameters.values())
    if len(parameters) <= place or parameters[place].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        raise AttributeError(f"{function.__qualname__} has no argument at {place} that names a model")
    return parameters[place].name


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
            found = True
            # The auto classes of transformers have copies of a method that may be guarded already.
            if getattr(method.__func__, "_stele_guards", False):
                continue
            loader = f"{module.__name__.split('.')[0]}.{kind.__name__}.from_pretrained"
            # Of peft's models the first argument is the model below the adapter.
            is_adapter = module.__name__ in ("peft.peft_model", "peft.mixed_model")
            setattr(kind, "from_pretrained", classmethod(_guarded(loader, method.__func__, 2 if is_adapter else 1)))
    if not found:
        raise AttributeError(f"no class of {module.__name__} has from_pretrained")


def _pipeline(module: ModuleType) -> None:
    original = module.pipeline
    _replace.everywhere(original, _guarded("transformers.pipeline", original, 1))


def _code(module: ModuleType) -> None:
    """Code may be another repository's, where a configuration says so (``auto_map``)."""
    original = module.get_cached_module_file
    _replace.everywhere(original, _guarded("transformers.get_cached_module_file", original, 0))


def _sentences(module: ModuleType) -> None:
    """The classes of sentence_transformers, which read a folder when they are made."""
    names = [name for name in _ENCODERS if getattr(vars(module).get(name), "__module__", None) == module.__name__]
    if not names:
        raise AttributeError(f"{module.__name__} has none of {', '.join(_ENCODERS)}")
    for name in names:
        kind = getattr(module, name)
        kind.__init__ = _guarded(f"sentence_transformers.{name}", kind.__init__, 1)


_ENCODERS = ("CrossEncoder", "MultiVectorEncoder", "SentenceTransformer", "SparseEncoder")

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
    "transformers.dynamic_module_utils": _code,
    "transformers.pipelines": _pipeline,
    "sentence_transformers.cross_encoder.model": _sentences,
    "sentence_transformers.multi_vector_encoder.model": _sentences,
    "sentence_transformers.sentence_transformer.model": _sentences,
    "sentence_transformers.sparse_encoder.model": _sentences,
}
