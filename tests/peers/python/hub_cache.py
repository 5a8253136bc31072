"""What the Hugging Face Hub's own client leaves on a disk, and whether `stele verify` takes it: hub_cache.py STELE MODEL POLICY.

The hub is a stand-in on loopback that serves the released folder MODEL. Its large files come over Xet: hf-xet writes them into a
content store in a folder, and reads them from there, under its scheme local://. So the cache is as huggingface_hub makes it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import hf_xet

from report import Report

REPOSITORY = "acme/tiny"
COMMIT = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3"
# The Hub keeps binary files in LFS and Xet, whatever their size.
LARGE = (".safetensors", ".bin", ".gguf")
DOWNLOAD = (
    "import sys; from huggingface_hub import snapshot_download;"
    f" print(snapshot_download('{REPOSITORY}', local_dir=sys.argv[1] if len(sys.argv) > 1 else None))"
)


class Stored:
    """A file as the hub has it."""

    def __init__(self, path: Path, xet_hash: str | None):
        self.bytes = path.read_bytes()
        self.xet_hash = xet_hash
        self.sha256 = hashlib.sha256(self.bytes).hexdigest()
        git = b"blob %d\0" % len(self.bytes) + self.bytes
        self.etag = self.sha256 if xet_hash else hashlib.sha1(git).hexdigest()


def store(model: Path, cas: str) -> dict[str, Stored]:
    """Every file of the model, its large ones uploaded."""
    paths = sorted(path for path in model.rglob("*") if path.is_file())
    large = [path for path in paths if path.suffix in LARGE]
    with hf_xet.XetSession().new_upload_commit(endpoint=cas) as commit:
        uploads = {path: commit.start_upload_file(str(path)) for path in large}
    hashes = {path: upload.result().xet_info.hash for path, upload in uploads.items()}
    return {path.relative_to(model).as_posix(): Stored(path, hashes.get(path)) for path in paths}


def hub(files: dict[str, Stored], cas: str) -> ThreadingHTTPServer:
    """The part of the Hub's API that a download asks for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, body: bytes, headers: dict[str, str], status: int = 200):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_GET(self):
            path = self.path.split("?")[0]
            here = f"http://{self.headers['Host']}"
            if path.startswith("/api/") and "xet-read-token" in path:
                token = {"accessToken": "t", "exp": 9999999999, "casUrl": cas}
                headers = {"X-Xet-Cas-Url": cas, "X-Xet-Access-Token": "t", "X-Xet-Token-Expiration": "9999999999"}
                return self.answer(json.dumps(token).encode(), headers)
            if path.startswith(f"/api/models/{REPOSITORY}/tree/"):
                tree = [{"type": "file", "path": name, "size": len(of.bytes), "oid": of.etag} for name, of in files.items()]
                return self.answer(json.dumps(tree).encode(), {"Content-Type": "application/json"})
            if path.startswith(f"/api/models/{REPOSITORY}"):
                info = {"id": REPOSITORY, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                return self.answer(json.dumps(info).encode(), {"Content-Type": "application/json"})
            name = path.partition(f"/{REPOSITORY}/resolve/")[2].partition("/")[2]
            if name not in files:
                return self.answer(b"{}", {"X-Error-Code": "EntryNotFound"}, 404)
            of = files[name]
            headers = {"ETag": f'"{of.etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            if of.xet_hash:
                refresh = f"{here}/api/models/{REPOSITORY}/xet-read-token/{COMMIT}"
                headers |= {"X-Linked-Etag": f'"{of.etag}"', "X-Linked-Size": str(len(of.bytes))}
                headers |= {"X-Xet-Hash": of.xet_hash, "X-Xet-Refresh-Route": refresh}
            return self.answer(of.bytes, headers)

        do_HEAD = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    stele, model, policy = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    report = Report()
    work = Path(tempfile.mkdtemp(prefix="stele-hub-"))
    cas = f"local://{work / 'cas'}"
    files = store(model, cas)
    report.check(any(of.xet_hash for of in files.values()), "the model has files that come over Xet")
    server = hub(files, cas)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_DISABLE_TELEMETRY": "1"}

    def download(home: str, *arguments: str, **settings: str) -> Path:
        env = environment | {"HF_HOME": str(work / home)} | settings
        run = [sys.executable, "-B", "-c", DOWNLOAD, *arguments]
        ran = subprocess.run(run, env=env, capture_output=True, text=True)
        if ran.returncode != 0:
            report.check(False, f"{home}: it is downloaded: {ran.stderr[-400:]}")
            return work / "nothing"
        return Path(ran.stdout.strip().splitlines()[-1])

    def verify(what: str, path: Path, code: int = 0):
        run = [stele, "verify", str(path), "--policy", policy, "--no-state"]
        ran = subprocess.run(run, capture_output=True, text=True)
        told = "" if ran.returncode == code else f": {ran.returncode}, {ran.stdout}{ran.stderr}"
        report.check(ran.returncode == code, f"stele verify {what}: exit code {code}{told}")

    large = next(name for name, of in files.items() if of.xet_hash)
    for home, settings in [
        ("defaults", {}),
        ("no-shared-blobs", {"HF_HUB_DISABLE_SHARED_BLOBS": "1"}),
        ("no-xet", {"HF_HUB_DISABLE_XET": "1"}),
        ("no-symlinks", {"HF_HUB_DISABLE_SYMLINKS": "1"}),
    ]:
        snapshot = download(home, **settings)
        verify(f"of a snapshot, {home}", snapshot)
        verify(f"of its repository, {home}", snapshot.parent.parent)
        verify(f"of one large file, {home}", snapshot / large)
        if home == "defaults":
            # Of files that come at the same time the hub may leave one in place.
            xet = [snapshot / name for name, of in files.items() if of.xet_hash]
            blobs = [path.parent / os.readlink(path) for path in xet]
            report.check(any(blob.is_symlink() for blob in blobs), "by default the blob is itself a link, into the store of the whole cache")
            report.check((snapshot.parents[2] / "blobs/.huggingface-shared-blobs").is_file(), "and the store is marked")
    verify("of a local folder", download("local", str(work / "model")))

    # A folder of links into the cache, and then a blob that is gone.
    links = work / "links"
    links.mkdir()
    snapshot = download("defaults")
    for entry in snapshot.iterdir():
        (links / entry.name).symlink_to(entry)
    verify("of a folder of links into the cache", links)
    (snapshot / large).resolve().unlink()
    verify("of a snapshot whose blob is gone", snapshot, 15)
    server.shutdown()
    shutil.rmtree(work)
    report.finish("hub_cache")


if __name__ == "__main__":
    main()
