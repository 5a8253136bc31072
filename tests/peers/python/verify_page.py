"""The page that verifies, in a real browser: python verify_page.py CHROMIUM PLACE LOG_URL PAGE.html STELE.

PLACE holds what the script beside made: `policy`, `other-policy`, and the folders `good`, `flipped`, `withdrawn` and `large`, each with its
`release.stele`. What `stele verify` says on its first line, the page has to say. Screenshots of each state stay in PLACE/shots.
"""

import base64
import os
import pathlib
import subprocess
import sys
import time

from pages import Browser, check

PATIENCE = 60
TAB, ENTER, SPACE = ("Tab", 9, ""), ("Enter", 13, "\r"), (" ", 32, " ")


class Tab:
    """One page, and everything that it asked for."""

    def __init__(self, browser, place):
        self.browser, self.place = browser, place
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Network", "Runtime", "DOM"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    def screen(self, width, height=900, dark=False):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = "dark" if dark else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url, ready="yes"):
        self.ask("Page.navigate", url="about:blank")
        self.browser.wait_for("Page.loadEventFired")
        self.browser.said.clear()
        self.ask("Page.navigate", url=url)
        self.browser.wait_for("Page.loadEventFired")
        if ready:
            self.until(f"document.documentElement.dataset.ready === '{ready}'")

    def run(self, expression):
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def until(self, expression, patience=PATIENCE):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.run(expression):
                return True
            time.sleep(0.02)
        raise RuntimeError(f"in {patience} s it did not become so: {expression}; the page says: {self.text()[:600]!r}")

    def text(self):
        return self.run("document.body.innerText")

    def choose(self, element, *paths):
        """Files of an input, as a person chooses them; what the verdict was before is forgotten first."""
        self.forget()
        node = self.ask("DOM.querySelector", nodeId=self.ask("DOM.getDocument")["root"]["nodeId"], selector=f"#{element}")["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def drop(self, *paths):
        self.forget()
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.ask("Input.dispatchDragEvent", type=kind, x=200, y=200, data=data)

    def forget(self):
        self.run("(() => { const it = document.getElementById('verdict'); it.textContent = ''; it.dataset.verdict = ''; })()")

    def verdict(self):
        """The first line, once there is one; what is on its way is no verdict."""
        self.until("document.querySelector('#verdict strong') !== null")
        return self.run("(([word, ...rest]) => word.textContent + '  ' + rest.map((node) => node.textContent).join('').trim())"
                        "([...document.getElementById('verdict').childNodes])")

    def code(self):
        return self.run("document.getElementById('verdict').dataset.code")

    def lines(self, selector):
        return self.run(f"[...document.querySelectorAll('{selector}')].map((one) => one.textContent)")

    def press(self, key, times=1):
        name, number, text = key
        for _ in range(times):
            self.ask("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=number, text=text)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=number)

    def shot(self, name):
        folder = self.place / "shots"
        folder.mkdir(exist_ok=True)
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (folder / f"{name}.png").write_bytes(base64.b64decode(data))

    def asked(self):
        """Every address that was asked since the page was opened."""
        return [heard["params"]["request"]["url"] for heard in self.browser.said if heard.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """What the browser blocked, and what no code caught."""
        entries = [heard["params"]["entry"]["text"] for heard in self.browser.said if heard.get("method") == "Log.entryAdded"]
        blocked = [text for text in entries if "Content Security Policy" in text]
        thrown = [heard["params"]["exceptionDetails"] for heard in self.browser.said if heard.get("method") == "Runtime.exceptionThrown"]
        return blocked + thrown


def main(chromium, place, log, page, stele):
    place = pathlib.Path(place)
    good = True

    def says(*arguments):
        """The first line of `stele verify`, which knows nothing of earlier stories."""
        command = [stele, "verify", *map(str, arguments), "--policy", str(place / "policy"), "--no-state"]
        return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]

    def holds(what, it, found=""):
        nonlocal good
        good &= check(what, it, found)

    browser = Browser(chromium, str(place / "profile"))
    try:
        tab = Tab(browser, place)
        stories = Stories(tab, place, log, page, says, holds)
        for story in (stories.a_good_release, stories.a_flipped_byte, stories.files_and_one_file, stories.what_is_dropped, stories.a_withdrawn_release,
                      stories.a_policy_that_does_not_fit, stories.bad_input, stories.the_keyboard_alone, stories.every_width,
                      stories.dark, stories.a_tree_that_grew, stories.another_history, stories.a_gigabyte, stories.without_scripts, stories.from_a_disk, stories.a_log_that_is_gone):
            story()
    finally:
        browser.end()
    return 0 if good else 1


class Stories:
    def __init__(self, tab, place, log, page, says, holds):
        self.tab, self.place, self.log, self.page, self.says, self.holds = tab, place, log, page, says, holds

    def a_good_release(self):
        tab, folder = self.tab, self.place / "good"
        tab.screen(1280)
        tab.open(f"{self.log}/verify")
        self.holds("the page says whose policy it takes", "of itself. That is its own word" in tab.text())
        tab.choose("folder-file", folder)
        self.equal("a good folder", tab.verdict(), self.says(folder))
        witnesses = tab.lines("#witnesses li")
        cosigned = [line for line in witnesses if "cosigned this tree head at 20" in line]
        self.holds("each witness has a line, and says when it cosigned", len(witnesses) == 4 and len(cosigned) >= 2, witnesses)
        self.holds("the files are listed as they are", tab.lines("#files li strong").count("matches") == len(tab.lines("#files li")) >= 5)
        tab.shot("good")
        self.only_the_log("a good folder")
        took = [tab.run("document.documentElement.dataset.milliseconds")]
        for _ in range(20):
            tab.choose("bundle-file", folder / "release.stele")
            tab.verdict()
            took.append(tab.run("document.documentElement.dataset.milliseconds"))
        print(f"     the bundle verified in {took[0]} ms in the browser when the module was new, and in {sorted(took[1:], key=float)[10]} ms later")

    def a_flipped_byte(self):
        tab, folder = self.tab, self.place / "flipped"
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", folder)
        self.equal("a flipped byte", tab.verdict(), self.says(folder))
        self.holds("it is told which digest was expected and which was found", "expected" in tab.text() and tab.code() == "bytes-differ")
        tab.shot("flipped")
        (folder / "modeling_extra.py").write_text("import os\n")
        (folder / "notes.txt").write_bytes(b"\x80\x04\x95\x00")
        tab.choose("folder-file", folder)
        self.equal("and code and a pickle beside it", tab.verdict(), self.says(folder))

    def files_and_one_file(self):
        tab, folder = self.tab, self.place / "good"
        tab.open(f"{self.log}/verify")
        tab.choose("bundle-file", folder / "release.stele")
        self.holds("a bundle alone", tab.verdict().startswith("record only  "), tab.verdict())
        tab.choose("files-file", folder / "config.json")
        self.equal("one file", tab.verdict(), self.says(folder / "config.json"))
        tab.choose("files-file", folder / "config.json", folder / "README.md")
        self.holds("two files are a part", tab.verdict().startswith("INCOMPLETE  ") and tab.code() == "incomplete", tab.verdict())
        tab.choose("files-file", self.place / "policy")
        self.holds("a file of something else", tab.code() == "not-of-the-release" or tab.until("document.getElementById('verdict').dataset.code === 'not-of-the-release'"))

    def what_is_dropped(self):
        tab, folder = self.tab, self.place / "good"
        tab.open(f"{self.log}/verify")
        tab.drop(folder)
        self.equal("a folder, dropped", tab.verdict(), self.says(folder))
        tab.drop(self.place / "flipped")
        self.equal("another, dropped in its place", tab.verdict(), self.says(self.place / "flipped"))
        tab.drop(self.place / "policy")
        tab.until("document.getElementById('trust-origin').textContent.startsWith('Your own')")
        self.holds("a policy, dropped, is used", tab.verdict().startswith("DIFFERS  "), tab.verdict())
        tab.drop(self.place / "withdrawn/release.stele", folder / "config.json")
        self.holds("a bundle and a file, dropped together", tab.verdict().startswith("verified  acme.example/tiny@2.0.0"), tab.verdict())

    def a_withdrawn_release(self):
        tab, folder = self.tab, self.place / "withdrawn"
        coordinate = (self.place / "coordinate").read_text().strip()
        tab.open(f"{self.log}/verify#{coordinate}")
        self.equal("a link to a withdrawn release", tab.verdict(), self.says(folder / "release.stele", "--online", "--no-hash"))
        self.holds("what was said of it is shown", any("WITHDREW it" in line for line in tab.lines("#events li")), tab.lines("#events li"))
        tab.shot("withdrawn")
        self.only_the_log("a link")
        tab.open(f"{self.log}/verify#{coordinate.replace('#', '%23')}")
        self.holds("a link that is spelled otherwise", tab.verdict().startswith("WITHDRAWN"))
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", folder)
        self.holds("offline its bundle does not know", tab.verdict().startswith("verified  "), tab.verdict())
        tab.forget()
        tab.run("document.getElementById('ask').click()")
        self.equal("the log, asked", tab.verdict(), self.says(folder, "--online"))

    def a_policy_that_does_not_fit(self):
        tab = self.tab
        tab.open(f"{self.log}/verify")
        tab.choose("policy-file", self.place / "other-policy")
        tab.until("document.getElementById('trust-origin').textContent.startsWith('Your own')")
        tab.choose("bundle-file", self.place / "good/release.stele")
        self.holds("another policy", tab.verdict().startswith("NOT VERIFIED  ") and tab.code() == "unknown-log", tab.verdict())
        tab.run("document.getElementById('trust-details').open = true")
        tab.shot("policy")
        tab.forget()
        tab.run("document.getElementById('policy-served').click()")
        self.holds("and back to the log's own", tab.verdict().startswith("record only  "), tab.verdict())

    def bad_input(self):
        tab, made = self.tab, self.place / "made"
        made.mkdir(exist_ok=True)
        bundle = (self.place / "good/release.stele").read_bytes()
        cases = {"empty": b"", "noise": os.urandom(4096), "cut": bundle[: len(bundle) // 2], "page": b"<!doctype html><title>x</title>"}
        tab.open(f"{self.log}/verify")
        for name, content in cases.items():
            path = made / f"{name}.stele"
            path.write_bytes(content)
            tab.choose("bundle-file", path)
            self.holds(f"a bundle that is none ({name}) has words", tab.verdict().startswith("NOT VERIFIED") and tab.code() == "bundle-malformed", tab.code())
        large = made / "large.stele"
        with large.open("wb") as file:
            file.truncate(30 << 30)
        tab.choose("bundle-file", large)
        self.holds("30 GB in the place of a bundle are not read", tab.verdict().startswith("NOT VERIFIED"), tab.code())
        for name, content in {"html": "<html>", "nothing": "", "line": "log nonsense\nquorum none\n"}.items():
            tab.forget()
            tab.choose("bundle-file", self.place / "good/release.stele")
            tab.verdict()
            tab.forget()
            tab.run(f"(() => {{ document.getElementById('policy').value = {content!r}; document.getElementById('policy-use').click(); }})()")
            self.holds(f"a policy that is none ({name}) has words", tab.verdict().startswith("NOT VERIFIED") and tab.code() == "policy-invalid", tab.code())
        tab.open(f"{self.log}/verify#%3Cimg%20src=x%20onerror=alert(1)%3E")
        self.holds("a link that names nothing is text", tab.code() == "bad-name" or tab.verdict() and tab.code() == "bad-name", tab.code())
        self.holds("and nothing of it is an element", tab.run("document.querySelectorAll('img').length") == 0)
        tab.open(f"{self.log}/verify#acme.example/tiny@9.9.9%23none")
        self.holds("a release that is none is proven to be none", tab.verdict() and tab.code() == "not-released", tab.verdict())
        tab.open(f"{self.log}/verify")
        tab.choose("files-file", self.place / "good/config.json")
        self.holds("files without a bundle have words", tab.verdict() and tab.code() == "bundle-missing", tab.verdict())
        self.holds("nothing was thrown that nobody caught", not tab.complaints(), tab.complaints())

    def the_keyboard_alone(self):
        tab = self.tab
        tab.open(f"{self.log}/verify")
        reached = []
        for _ in range(6):
            tab.press(TAB)
            reached.append(tab.run("document.activeElement.id || document.activeElement.tagName"))
        self.holds("each control is reached in the order of the page", reached[:4] == ["SUMMARY", "pick-bundle", "pick-folder", "pick-files"], reached)
        tab.ask("Page.setInterceptFileChooserDialog", enabled=True)
        tab.open(f"{self.log}/verify")
        tab.press(TAB, 2)
        focused = tab.run("document.activeElement.id")
        tab.press(ENTER)
        node = tab.browser.wait_for("Page.fileChooserOpened")["params"]["backendNodeId"]
        tab.ask("DOM.setFileInputFiles", backendNodeId=node, files=[str(self.place / "withdrawn/release.stele")])
        tab.ask("Page.setInterceptFileChooserDialog", enabled=False)
        self.holds("a file is chosen with Enter", tab.verdict().startswith("record only  "), [focused, tab.verdict()])
        for _ in range(8):
            if tab.run("document.activeElement.id") == "ask":
                break
            tab.press(TAB)
        outline = tab.run("getComputedStyle(document.activeElement).outlineStyle")
        self.holds("where the focus is can be seen", outline == "solid", outline)
        tab.forget()
        tab.press(SPACE)
        self.holds("the log is asked with the space bar", tab.verdict().startswith("WITHDRAWN"), tab.verdict())

    def every_width(self):
        tab, folder = self.tab, self.place / "flipped"
        for width in (390, 320):
            tab.screen(width)
            tab.open(f"{self.log}/verify")
            tab.choose("folder-file", folder)
            tab.verdict()
            tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            found = tab.ask("Page.getLayoutMetrics")["cssContentSize"]["width"]
            self.holds(f"at {width} pixels nothing is wider than the screen", found <= width, found)
            tab.shot(f"phone-{width}")

    def dark(self):
        tab = self.tab
        tab.screen(390, dark=True)
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", self.place / "good")
        tab.verdict()
        colours = tab.run("(() => { const probe = document.createElement('div'); probe.style.color = 'Canvas'; document.body.append(probe);"
                          " const canvas = getComputedStyle(probe).color; probe.remove(); return [canvas, getComputedStyle(document.body).color]; })()")
        light = [sum(int(part) for part in colour[4:-1].split(",")) for colour in colours]
        self.holds("in the dark the page is dark and its letters light", light[0] < 200 and light[1] > 500, colours)
        tab.shot("dark")
        tab.screen(1280)

    def a_tree_that_grew(self):
        """A browser that has seen an older head, of a bundle, is shown that the log's own extends it."""
        tab, coordinate = self.tab, (self.place / "coordinate").read_text().strip()
        tab.open(f"{self.log}/verify")
        tab.run("localStorage.clear()")
        tab.choose("bundle-file", self.place / "good/release.stele")
        self.holds("a first visit says nothing of heads", tab.verdict() and "this browser" not in " ".join(tab.lines("#facts dd")))
        seen = tab.run("state.release.log.tree_size")
        tab.choose("bundle-file", self.place / "withdrawn/release.stele")
        said = [line for line in tab.lines("#facts dd") if "computed when the log is asked" in line] if tab.verdict() else []
        self.holds("what only the log can show is not said before it was asked", len(said) == 1, tab.lines("#facts dd"))
        tab.open(f"{self.log}/verify#{coordinate}")
        said = [line for line in tab.lines("#facts dd") if line.startswith("extends the tree of ")] if tab.verdict() else []
        self.holds("the log, asked, extends what was seen", len(said) == 1 and f"of {seen} " not in said[0], said)
        self.holds("by its tiles", any(url.startswith(f"{self.log}/tile/0/") for url in tab.asked()), tab.asked())
        self.holds("one head is kept then", len(self.kept()) == 1, self.kept())
        self.only_the_log("tiles")
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", self.place / "good")
        self.equal("an older bundle is as good as before", tab.verdict(), self.says(self.place / "good"))

    def another_history(self):
        """The log has signed another tree before, for this browser alone."""
        tab, coordinate = self.tab, (self.place / "coordinate").read_text().strip()
        before = self.kept()
        size = int(before[0].split("\n")[1])
        tab.run(f"localStorage.setItem(HEADS, JSON.stringify({{ [Object.keys(JSON.parse(localStorage.getItem(HEADS)))[0]]: [{self.forged(size - 2)!r}] }}))")
        tab.open(f"{self.log}/verify#{coordinate}")
        self.equal("two histories", tab.verdict(), "NOT VERIFIED  split view: this log shows two histories")
        self.holds("both heads are shown, with a code", tab.code() == "log-forked" and "seen before" in tab.text() and "which begins with" in tab.text(), tab.text()[:900])
        tab.shot("split-view")
        self.holds("and what was seen is kept", self.kept() != before and "rubbish" not in str(self.kept()), self.kept())
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", self.place / "good")
        self.holds("offline the bundle holds", tab.verdict().startswith("verified  "), tab.verdict())
        tab.forget()
        tab.run("document.getElementById('ask').click()")
        self.equal("two histories, when it is asked", tab.verdict(), "NOT VERIFIED  split view: this log shows two histories")
        tab.run("localStorage.setItem(HEADS, JSON.stringify({ noise: ['rubbish', 7], other: 'rubbish' }))")
        tab.open(f"{self.log}/verify#{coordinate}")
        self.holds("noise in the place of heads says nothing", tab.verdict().startswith("WITHDRAWN"), tab.verdict())
        tab.run("localStorage.clear()")

    def kept(self):
        return [note for notes in self.tab.run("Object.values(JSON.parse(localStorage.getItem(HEADS) || '{}'))") for note in notes]

    def forged(self, size):
        """A head of a size and of no tree, under the log's own key."""
        _, _, name, key_id, key = (self.place / "home/log/log.key").read_text().strip().split("+", 4)
        seed = base64.b64decode(key)[1:]
        private = self.place / "made/log.der"
        private.write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        text = self.place / "made/head"
        text.write_text(f"{name}\n{size}\n{base64.b64encode(bytes(range(32))).decode()}\n")
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", private, "-in", text]
        signature = bytes.fromhex(key_id) + subprocess.run(command, check=True, capture_output=True).stdout
        private.unlink()
        return f"{text.read_text()}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"

    def a_gigabyte(self):
        tab, folder = self.tab, self.place / "large"
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", folder)
        tab.until("document.getElementById('bar').value > 100e6")
        self.holds("the page is alive while it hashes", "Hashing: " in tab.run("document.getElementById('progress-text').textContent"))
        tab.shot("progress")
        tab.run("document.getElementById('stop').click()")
        self.holds("and stops when it is told to", "it was stopped" in tab.verdict(), tab.verdict())
        began = time.monotonic()
        tab.choose("folder-file", folder)
        self.equal("a gigabyte", tab.verdict(), self.says(folder))
        took = time.monotonic() - began
        memory = int(tab.run("document.documentElement.dataset.memory"))
        self.holds("the module's memory has not grown with the file", memory <= 64 << 20, memory)
        print(f"     1 GiB was hashed at {1.0737 / took:.2f} GB/s, the module had {memory >> 20} MiB")

    def without_scripts(self):
        tab = self.tab
        tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        tab.open(f"{self.log}/verify", ready=None)
        root = tab.ask("DOM.getDocument", depth=-1)["root"]
        words = tab.ask("DOM.getOuterHTML", nodeId=root["nodeId"])["outerHTML"]
        self.holds("without JavaScript the page says what it needs", "This page needs JavaScript and WebAssembly" in words)
        tab.shot("no-script")
        tab.ask("Emulation.setScriptExecutionDisabled", value=False)

    def from_a_disk(self):
        tab = self.tab
        tab.open(f"file://{self.page}")
        self.holds("from a disk it asks for a policy", "No policy is here" in tab.text())
        tab.choose("bundle-file", self.place / "good/release.stele")
        self.holds("and gives no verdict without one", tab.verdict() and tab.code() == "policy-missing", tab.code())
        tab.choose("policy-file", self.place / "policy")
        self.holds("with one it verifies", tab.verdict().startswith("record only  "), tab.verdict())
        tab.choose("folder-file", self.place / "good")
        self.equal("a good folder, from a disk", tab.verdict(), self.says(self.place / "good"))
        self.holds("it asked nobody", [url for url in tab.asked() if url.startswith("http")] == [], tab.asked())
        self.holds("nothing was blocked or thrown", not tab.complaints(), tab.complaints())
        tab.open(f"file://{self.page}#acme.example/tiny@1.0.0%23base")
        tab.choose("policy-file", self.place / "policy")
        self.holds("a link needs a log", tab.verdict() and tab.code() == "no-log", tab.code())

    def a_log_that_is_gone(self):
        tab = self.tab
        tab.open(f"{self.log}/verify")
        tab.choose("folder-file", self.place / "good")
        tab.verdict()
        tab.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        tab.forget()
        tab.run("document.getElementById('ask').click()")
        found = tab.verdict()
        self.holds("a log that is gone takes nothing from the verdict without it", found.startswith("UNANSWERED") and "match" in found, found)
        self.holds("and it is told why", tab.code() == "unreachable", tab.code())
        tab.ask("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def equal(self, what, found, expected):
        self.holds(f"{what}: the words of stele verify", found == expected and expected != "", [found, expected])

    def only_the_log(self, what):
        elsewhere = [url for url in self.tab.asked() if not url.startswith((self.log + "/", "blob:", "data:"))]
        self.holds(f"{what}: no request left but to the log", not elsewhere and not self.tab.complaints(), [elsewhere, self.tab.complaints()])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
