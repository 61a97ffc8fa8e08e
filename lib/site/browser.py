"""A real browser for the tests of the chat page: Debian's chromium, driven
through chromedriver by the WebDriver protocol, with nothing but the standard
library.

    with Browser(language="de") as b:
        b.open(url); b.script("return document.title"); b.shot("first")

Every request that the browser makes is kept (requests()), so that a test can
say that there was none to another host."""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"enter": "\ue007", "escape": "\ue00c", "tab": "\ue004",
        "shift": "\ue008", "space": " "}
FLAGS = ["--headless", "--no-sandbox", "--disable-dev-shm-usage",
         "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars"]


class BrowserError(Exception):
    pass


def available():
    return shutil.which("chromium") and shutil.which("chromedriver")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Browser:
    def __init__(self, language="en", size=(900, 760), flags=(), shots=None):
        self.folder = tempfile.mkdtemp(prefix="parlance-browser.")
        self.shots = shots
        self.port = free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=%d" % self.port],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = None
        try:
            self.wait(self.ready, "chromedriver", 30)
            arguments = FLAGS + list(flags) + [
                "--lang=" + language, "--window-size=%d,%d" % size,
                "--user-data-dir=" + self.folder]
            options = {"args": arguments, "binary": shutil.which("chromium"),
                       "prefs": {"intl.accept_languages": language}}
            self.session = self.call("POST", "/session", {
                "capabilities": {"alwaysMatch": {
                    "browserName": "chrome",
                    "goog:chromeOptions": options,
                    "goog:loggingPrefs": {"performance": "ALL",
                                          "browser": "ALL"},
                    "timeouts": {"script": 60000, "pageLoad": 60000}}}}
                )["sessionId"]
        except Exception:
            self.close()
            raise
        self.log = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self.call("DELETE", "/session/" + self.session)
            except (OSError, BrowserError):
                pass
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ready(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=120)
        try:
            connection.request(
                method, path, json.dumps(body) if method == "POST" else None,
                {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(value["error"] + ": " + value["message"][:2000])
        return value

    def do(self, method, path, body=None):
        return self.call(method, "/session/" + self.session + path, body)

    def open(self, url):
        self.do("POST", "/url", {"url": url})

    def reload(self):
        self.do("POST", "/refresh", {})

    def script(self, text, *arguments):
        return self.do("POST", "/execute/sync",
                       {"script": text, "args": list(arguments)})

    def script_async(self, text, *arguments):
        """text calls arguments[arguments.length - 1] when it is done."""
        return self.do("POST", "/execute/async",
                       {"script": text, "args": list(arguments)})

    def find(self, selector):
        return self.do("POST", "/element", {"using": "css selector",
                                            "value": selector})[ELEMENT]

    def click(self, selector):
        self.do("POST", "/element/%s/click" % self.find(selector), {})

    def type(self, selector, text):
        self.do("POST", "/element/%s/value" % self.find(selector),
                {"text": text})

    def keys(self, *names):
        """Keys to whatever has the focus; "shift+tab" holds one down."""
        actions = []
        for name in names:
            parts = [KEYS.get(p, p) for p in name.split("+")]
            actions += [{"type": "keyDown", "value": p} for p in parts]
            actions += [{"type": "keyUp", "value": p} for p in parts[::-1]]
        self.do("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def frame(self, selector):
        """Into a frame; None: back to the page."""
        self.do("POST", "/frame", {"id": selector and {
            ELEMENT: self.find(selector)}})

    def frame_in(self, text):
        """Into the frame that a script returns."""
        self.do("POST", "/frame", {"id": self.script(text)})

    def cdp(self, command, **parameters):
        return self.do("POST", "/goog/cdp/execute",
                       {"cmd": command, "params": parameters})

    def resize(self, width, height, mobile=False, scale=1):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=scale, mobile=mobile)

    def media(self, **features):
        """media(prefers_color_scheme="dark")"""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": n.replace("_", "-"), "value": v}
            for n, v in features.items()])

    def shot(self, name):
        """A screenshot as shots/NAME.png, when there is such a folder."""
        if self.shots:
            with open(os.path.join(self.shots, name + ".png"), "wb") as f:
                f.write(base64.b64decode(self.do("GET", "/screenshot")))

    def wait(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise BrowserError("waited in vain for " + what)
            time.sleep(0.02)

    def wait_script(self, text, what=None, seconds=20, *arguments):
        return self.wait(lambda: self.script(text, *arguments), what or text,
                         seconds)

    def events(self):
        """What the browser's network did since the last call."""
        found = []
        for entry in self.do("POST", "/se/log", {"type": "performance"}):
            found.append(json.loads(entry["message"])["message"])
        return found

    def requests(self):
        """The addresses that were asked since the last call."""
        return [e["params"]["request"]["url"] for e in self.events()
                if e["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """The console's warnings and errors since the last call."""
        return [e["message"] for e in
                self.do("POST", "/se/log", {"type": "browser"})
                if e["level"] in ("WARNING", "SEVERE")]
