"""A log and a witness of real programs, and a publisher: what a release is sent to, and asked of."""

import re
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen


class Network:
    """Started in a folder of its own, on free ports. To be used with `with`."""

    def __init__(self, home: Path, stele: str, stele_log: str, stele_witness: str):
        self.home, self.stele, self.running = home, stele, []
        self.policy, self.key = home / "log/policy", home / "publisher.pem"
        vkey = self.run(stele_log, "init", home / "log", "--origin", "log.example/real-folders").split()[0]
        self.run(stele_witness, "init", home / "w", "--name", "witness.example/w")
        self.run(stele_witness, "logs", "add", home / "w", "--vkey", vkey)
        witness = self.serve(stele_witness, "run", home / "w", "--listen", "127.0.0.1:0")
        line = re.search(r"^policy: (.*) \S+$", self.run(stele_witness, "about", home / "w"), re.MULTILINE)[1]
        self.run(stele_log, "policy", "add-witness", home / "log", f"{line} {witness}")
        self.log = self.serve(stele_log, "run", home / "log", "--listen", "127.0.0.1:0")
        self.policy.write_text(re.sub(r"^(log .*)$", rf"\1 {self.log}", self.policy.read_text(), flags=re.MULTILINE))
        self.run(stele, "key", "new", self.key)
        self.run(stele, "claim", "acme.example", "--key", self.key, "--policy", self.policy)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running:
            server.terminate()
            server.wait(20)

    def run(self, *command) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    def serve(self, *command) -> str:
        """Starts a server and waits for the line that says where it listens."""
        out = self.home / f"said-{len(self.running)}"
        with out.open("w") as to:
            self.running.append(subprocess.Popen(command, stdout=to, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL))
        for _ in range(100):
            if listens := re.search(r"^listening on (\S+)$", out.read_text(), re.MULTILINE):
                return listens[1]
            time.sleep(0.1)
        raise RuntimeError(f"{command[0]} does not serve")

    def publish(self, at: Path, form: Path, allowed: list[str], accepted: list[str]):
        """Publishes a folder, with files that are allowed although they look like left over, and findings that are meant: the exit code,
        and what was said."""
        command = [self.stele, "publish", at, "--release", form, "--key", self.key, "--policy", self.policy]
        command += [word for path in allowed for word in ("--allow-file", path)]
        # The text of the licence is written by the run, and is nobody's.
        command += [word for code in ["license-text-other", *accepted] for word in ("--accept-finding", code)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return ran.returncode, ran.stdout + ran.stderr

    def verify(self, at: Path):
        ran = subprocess.run([self.stele, "verify", at, "--policy", self.policy], capture_output=True, text=True, timeout=120)
        return ran.returncode, ran.stdout + ran.stderr

    def resolve(self, subject):
        ran = subprocess.run([self.stele, "resolve", subject, "--policy", self.policy], capture_output=True, text=True, timeout=120)
        return ran.returncode, ran.stdout + ran.stderr

    def size(self) -> int:
        """The size of the log's tree."""
        with urlopen(f"{self.log}/checkpoint") as served:
            return int(served.read().split(b"\n")[1])
