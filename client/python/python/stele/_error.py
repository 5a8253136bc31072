"""The one exception of this package."""

from __future__ import annotations

from typing import Iterable, Optional


class VerifyError(Exception):
    """Why something is not verified.

    ``code`` is stable and for programs, ``exit`` is the exit code that the program ``stele`` ends with. ``facts`` says what was expected
    and what was found, ``hint`` what to do.
    """

    def __init__(
        self,
        message: str,
        code: str,
        facts: Iterable[tuple[str, str]] = (),
        hint: Optional[str] = None,
        exit: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.facts: dict[str, str] = {}
        for name, value in facts:
            self.facts[name] = f"{self.facts[name]}, {value}" if name in self.facts else value
        self.hint = hint
        self.exit = exit

    def __str__(self) -> str:
        lines = [f"{self.message} [{self.code}]"]
        lines += [f"  {name}: {value}" for name, value in self.facts.items()]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[type[VerifyError], tuple[object, ...]]:
        return type(self), (self.message, self.code, tuple(self.facts.items()), self.hint, self.exit)
