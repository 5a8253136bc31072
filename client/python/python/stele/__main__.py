"""``python -m stele``, and the program ``hf-stele`` that ``hf stele`` runs: the program ``stele`` of this environment."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn, Optional


def program() -> Optional[str]:
    """The program ``stele``: the one that was installed with this package, else the one on the path."""
    places = [Path(sysconfig.get_path("scripts")), Path(sys.argv[0]).absolute().parent, Path(sys.executable).parent]
    if os.name == "posix":
        places.insert(1, Path(sysconfig.get_path("scripts", "posix_user")))
    for place in places:
        if os.access(place / "stele", os.X_OK):
            return str(place / "stele")
    return shutil.which("stele")


def main() -> NoReturn:
    """Becomes the program ``stele``, with the arguments of this process."""
    found = program()
    if found is None:
        sys.exit("error: the program stele is not installed here\nhint: pip install --force-reinstall stele, or put stele on your PATH")
    os.execv(found, [found, *sys.argv[1:]])


if __name__ == "__main__":
    main()
