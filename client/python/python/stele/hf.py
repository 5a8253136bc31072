"""``python -m stele.hf install``: makes ``hf stele ...`` run the program ``stele``.

``hf`` of huggingface_hub hands an unknown command to the extension of that name, which is a manifest in a folder of the user's home; a wheel
cannot put a file there. What is written here names the program of this environment. ``hf`` looks for updates of an extension at GitHub;
pip updates this one, so the owner it names is none that GitHub can have, and the day on which ``hf`` looks next is far away.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import sysconfig
from datetime import datetime, timezone
from pathlib import Path
from typing import List, Optional

#: Where ``hf`` looks (huggingface_hub 2.4.0, ``cli/extensions.py``).
FOLDER = Path("~/.local/share/hf/extensions/hf-stele")
#: A name with a dot is none of GitHub's: nobody can register it and so become the source of an update.
OWNER = "stele.pip"
#: 2100-01-01: the file of that age says that no update is to be looked for.
NEVER = 4102444800


def install() -> Path:
    """Writes the manifest, in place of an older one of ours; the folder that ``hf`` reads it from."""
    folder = FOLDER.expanduser()
    _refuse_another(folder)
    executable = Path(sysconfig.get_path("scripts")) / "hf-stele"
    if not executable.is_file():
        beside = Path(sys.executable).parent / "hf-stele"
        found = beside if beside.is_file() else shutil.which("hf-stele")
        if found is None:
            raise SystemExit("error: hf-stele, which this package installs, is not here\nhint: pip install --force-reinstall stele")
        executable = Path(found)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "owner": OWNER,
        "repo": "hf-stele",
        "repo_id": f"{OWNER}/hf-stele",
        "short_name": "stele",
        "executable_path": str(executable),
        "type": "binary",
        "installed_at": datetime.now(timezone.utc).isoformat(),
        "description": "Verify model releases: hf stele verify acme/tiny",
        "commit_sha": None,
    }
    unfinished = folder / f".manifest.{os.getpid()}"
    unfinished.write_text(json.dumps(manifest, indent=2, sort_keys=True))
    unfinished.replace(folder / "manifest.json")
    checked = folder / ".latest_commit"
    checked.write_text("")
    os.utime(checked, (NEVER, NEVER))
    return folder


def remove() -> Optional[Path]:
    """Removes what ``install`` wrote; the folder, if it was there."""
    folder = FOLDER.expanduser()
    if not folder.is_dir():
        return None
    _refuse_another(folder)
    shutil.rmtree(folder)
    return folder


def _refuse_another(folder: Path) -> None:
    """An extension of the same name that somebody else made stays as it is."""
    manifest = folder / "manifest.json"
    if not folder.exists():
        return
    try:
        owner = json.loads(manifest.read_text()).get("owner")
    except (OSError, ValueError, AttributeError):
        owner = None
    if owner != OWNER:
        raise SystemExit(
            f"error: {folder} is another extension\n  expected: one of {OWNER}\n  found: {owner or 'no manifest'}\n"
            "hint: hf extensions remove stele"
        )


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m stele.hf", description="Make `hf stele` run the program `stele`.")
    parser.add_argument("action", choices=["install", "remove"])
    if parser.parse_args(arguments).action == "install":
        print(f"wrote {install()}: hf stele verify acme/tiny")
    else:
        folder = remove()
        print(f"removed {folder}" if folder else "nothing is installed")


if __name__ == "__main__":
    main()
