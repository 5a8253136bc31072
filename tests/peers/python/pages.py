"""Pages in a real browser, without scripts, at the width of a phone: python pages.py CHROMIUM PROFILE URL...

Each page is laid out no wider than the screen, also at 320 pixels, and the browser blocked nothing that the page needs.
"""

import json
import os
import subprocess
import sys

WIDTHS = (390, 320, 1280)


class Browser:
    """Chromium over two pipes, a message between zero bytes."""

    def __init__(self, program, profile):
        down_read, self.down = os.pipe()
        self.up, up_write = os.pipe()

        def wire():
            os.dup2(down_read, 3)
            os.dup2(up_write, 4)

        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        # The pipes' own numbers may be 3 and 4: they are moved out of the way first.
        down_read, up_write = os.dup(down_read), os.dup(up_write)
        for end in (down_read, up_write):
            os.set_inheritable(end, True)
        self.process = subprocess.Popen(command, preexec_fn=wire, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number, self.rest, self.said = 0, b"", []

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            heard = self.hear()
            if heard.get("id") == self.number:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']}")
                return heard["result"]
            self.said.append(heard)

    def hear(self):
        while b"\0" not in self.rest:
            more = os.read(self.up, 1 << 16)
            if not more:
                raise RuntimeError("the browser has ended")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def wait_for(self, method):
        while True:
            for at, heard in enumerate(self.said):
                if heard.get("method") == method:
                    return self.said.pop(at)
            self.said.append(self.hear())

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def check(what, holds, found=""):
    print(f"ok   {what}" if holds else f"FAIL {what}: {found}")
    return holds


def main(program, profile, *urls):
    browser = Browser(program, profile)
    good = True
    try:
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Network"):
            browser.ask(f"{domain}.enable", session)
        browser.ask("Emulation.setScriptExecutionDisabled", session, value=True)
        for url in urls:
            for width in WIDTHS:
                browser.said.clear()
                browser.ask("Emulation.setDeviceMetricsOverride", session, width=width, height=844, deviceScaleFactor=1,
                            mobile=width < 600)
                browser.ask("Page.navigate", session, url=url)
                browser.wait_for("Page.loadEventFired")
                layout = browser.ask("Page.getLayoutMetrics", session)
                found = layout["cssContentSize"]["width"]
                good &= check(f"{url} at {width}: no wider than the screen", found <= width, found)
                entries = [heard["params"]["entry"]["text"] for heard in browser.said if heard.get("method") == "Log.entryAdded"]
                refused = [text for text in entries if "Content Security Policy" in text]
                good &= check(f"{url} at {width}: its own style is applied", not refused, refused)
    finally:
        browser.end()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
