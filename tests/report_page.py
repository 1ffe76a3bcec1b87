#!/usr/bin/env python3
"""Opens a report page in a headless Chromium and checks what its readers rely on.

Usage: report_page.py PAGE [SCREENSHOTS], with the HTML file and, if wanted, a folder for pictures of it.

Speaks the WebDriver protocol (W3C) to chromedriver with the standard library alone. One line a check; the exit code is
the number of failed ones.
"""
import base64
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"]
TAB, ENTER = "\ue004", "\ue007"


class Browser:
    """A WebDriver session."""

    def __init__(self, port, profile):
        self.base = f"http://127.0.0.1:{port}"
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": [*CHROMIUM, f"--user-data-dir={profile}"],
                                   "perfLoggingPrefs": {"enableNetwork": True}},
        }}})
        self.base += f"/session/{session['sessionId']}"
        self.call("POST", "/timeouts", {"script": 60000})

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def look(self, width, height=900, dark=False):
        """Sets the size of the window and the colour scheme."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)
        scheme = "dark" if dark else "light"
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def draw_all(self):
        """Scrolls through the page until every chart has come into view, and back."""
        self.run_async("""
            const done = arguments[0];
            const frame = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
            (async () => {
              document.querySelectorAll('.more-charts').forEach((details) => { details.open = true; });
              for (const plot of document.querySelectorAll('.plot')) {
                plot.scrollIntoView({block: 'center', behavior: 'instant'});
                for (let i = 0; i < 100 && !plot.querySelector('svg, canvas'); ++i) await frame();
              }
              window.scrollTo({top: 0, behavior: 'instant'});
              await frame();
            })().then(() => done(), (error) => done(String(error)));""")

    def picture(self, path):
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return innerWidth")
        data = self.devtools("Page.captureScreenshot", captureBeyondViewport=True,
                             clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})["data"]
        path.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def browser():
    program = shutil.which("chromedriver")
    if not program:
        sys.exit("chromedriver is missing: scripts/setup installs it")
    with tempfile.TemporaryDirectory() as profile:
        driver = subprocess.Popen([program, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = next(m[1] for m in (re.search(r"started successfully on port (\d+)", line) for line in driver.stdout)
                        if m)
            session = Browser(port, profile)
            try:
                yield session
            finally:
                session.call("DELETE", "")
        finally:
            driver.terminate()
            driver.wait()


def requests_of(page):
    """URLs that anything but the page itself was asked for."""
    urls = []
    for entry in page.log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    return [url for url in urls if not url.startswith(("data:", "file:", "about:", "chrome:"))], urls


# Each check yields what is wrong.
def opens_without_errors(page, url):
    page.look(1280)
    page.log("performance")
    page.call("POST", "/url", {"url": url})
    page.draw_all()
    for entry in page.log("browser"):
        yield f"{entry['level']}: {entry['message']}"


def needs_no_network(page, url):
    others, all_urls = requests_of(page)
    if not any(u == url for u in all_urls):
        yield "the request for the page itself was not seen, so that none would be"
    for other in others + [u for u in all_urls if u.startswith("file:") and u != url]:
        yield f"asks for {other}"


def text_stays_text(page, _):
    if page.run("return document.title").startswith("broken"):
        yield "text of the data has run as a script"
    for name in ("img", "iframe", "object", "embed"):
        if count := page.run("return document.getElementsByTagName(arguments[0]).length", name):
            yield f"there are {count} {name} elements"
    scripts = page.run("return document.scripts.length")
    if scripts != 3:
        yield f"there are {scripts} script elements, expected 3"


DRAWN = """
    const drawn = () => [...document.querySelectorAll('figure.chart')].filter((f) => f.checkVisibility()).map((figure) => {
      const title = figure.querySelector('figcaption').textContent;
      const svg = figure.querySelector('.plot svg');
      if (svg) return [title, svg.querySelectorAll('path').length, svg.getBoundingClientRect().width, 1];
      const layers = [...figure.querySelectorAll('.plot canvas')];
      if (layers.length === 0) return [title, 0, 0, 0];
      const colours = new Set();
      let painted = 0;
      for (const layer of layers) {
        const pixels = layer.getContext('2d').getImageData(0, 0, layer.width, layer.height).data;
        for (let i = 0; i < pixels.length; i += 4) {
          if (!pixels[i + 3]) continue;
          colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
          ++painted;
        }
      }
      const share = figure.classList.contains('square') ? painted / (layers[0].width * layers[0].height) : 1;
      return [title, colours.size, layers[0].getBoundingClientRect().width, share];
    });"""


def problems_of_drawn(charts):
    if not charts:
        yield "there are no charts"
    for title, marks, width, painted in charts:
        if marks < 10 or width < 200 or painted < 0.2:
            yield f"{title}: {marks} marks, {width} pixels wide, {painted:.0%} painted"


def every_chart_is_drawn(page, _):
    yield from problems_of_drawn(page.run(DRAWN + "return drawn();"))


def nothing_overflows(page, _):
    for width in (320, 375, 768, 1280):
        page.look(width)
        page.draw_all()
        wide = page.run("return document.documentElement.scrollWidth")
        if wide > width:
            worst = page.run("""
                return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
                  .slice(0, 5).map((e) => e.tagName + '.' + e.className)""")
            yield f"at {width} pixels the page is {wide} wide: {worst}"
        for title, _, chart, _ in page.run(DRAWN + "return drawn();"):
            if chart > width:
                yield f"at {width} pixels the chart {title} is {chart} wide"
    page.look(1280)


LOOK = """
    const texts = [...document.querySelectorAll('.plot svg text')].map((t) => getComputedStyle(t).fill);
    return {page: getComputedStyle(document.body).backgroundColor, text: getComputedStyle(document.body).color, texts};"""


def dark_mode_differs(page, _):
    light = page.run(LOOK)
    page.look(1280, dark=True)
    page.run_async("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    dark = page.run(LOOK)
    for part in ("page", "text", "texts"):
        if light[part] == dark[part]:
            yield f"{part} is the same in dark mode: {light[part]}"
    page.look(1280)


def keyboard_reaches_everything(page, _):
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.press(TAB)
    if page.run("return document.activeElement.className") != "skip":
        yield "the first stop is not the skip link"
    page.press(ENTER)
    if page.run("return document.activeElement.id") != "main":
        yield "the skip link does not lead to the summary"
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    stops = page.run("""
        window.stops = new Set();
        document.addEventListener('focusin', (event) => stops.add(event.target));
        return document.querySelectorAll('a[href], summary, button').length""")
    for _ in range(0, stops + 60, 20):
        page.press(*[TAB] * 20)
    missed = page.run("""
        return [...document.querySelectorAll('a[href], summary, button')].filter((e) => e.checkVisibility() && !stops.has(e))
          .map((e) => e.tagName + ' ' + e.textContent.slice(0, 40))""")
    for name in missed:
        yield f"Tab does not reach {name}"
    page.run("document.querySelector('main summary').focus()")
    page.press(ENTER)
    if not page.run("return document.querySelector('main details').open"):
        yield "Enter does not open details"
    page.press(ENTER)
    ring = page.run("const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth")
    if "none" in ring:
        yield "the focus is not visible"


def chart_data_is_a_table(page, _):
    empty = page.run_async("""
        const done = arguments[0];
        const all = [...document.querySelectorAll('details.data')];
        all.forEach((details) => { details.open = true; });
        setTimeout(() => {
          done(all.filter((d) => d.querySelectorAll('tbody tr').length === 0).map((d) => d.textContent));
          all.forEach((details) => { details.open = false; });
        });""")
    for name in empty:
        yield f"no rows under {name}"


def legends_hide_series(page, _):
    changed = page.run("""
        const button = document.querySelector('.keys [aria-pressed]');
        const plot = button.closest('figure').querySelector('.plot');
        plot.scrollIntoView({behavior: 'instant'});
        const marks = () => plot.querySelectorAll('path').length;
        const before = marks();
        button.click();
        const pressed = button.getAttribute('aria-pressed');
        const chart = echarts.getInstanceByDom(plot);
        chart.getZr().flush();
        const after = marks();
        button.click();
        chart.getZr().flush();
        return [before, after, marks(), pressed];""")
    before, after, again, pressed = changed
    if not after < before == again or pressed != "false":
        yield f"marks {before}, hidden {after} ({pressed}), shown again {again}"


def prints(page, _, folder=None):
    closed = page.run("return document.querySelectorAll('main details[open]').length")
    page.run(DRAWN + """
        window.printed = null;
        matchMedia('print').addEventListener('change', (event) => {
          if (event.matches) window.printed = {
            closed: document.querySelectorAll('main details:not(.data, .more-charts):not([open])').length, charts: drawn()};
        });""")
    pdf = base64.b64decode(page.call("POST", "/print", {"background": True}))
    if folder:
        (folder / "print.pdf").write_bytes(pdf)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    charts = page.run("return document.querySelectorAll('figure.chart').length")
    if pages < 2 or pages > 30 + charts:
        yield f"{pages} pages are printed"
    printed = page.run("return window.printed")
    if printed["closed"]:
        yield f"{printed['closed']} details are closed on paper"
    yield from problems_of_drawn(printed["charts"])
    if (left := page.run("return document.querySelectorAll('main details[open]').length")) != closed:
        yield f"{left} details are open after printing, {closed} before"


def is_small(_, url):
    size = pathlib.Path(urllib.request.url2pathname(url.removeprefix("file://"))).stat().st_size
    if size > 2_000_000:
        yield f"the page has {size} bytes"


CHECKS = [opens_without_errors, needs_no_network, text_stays_text, every_chart_is_drawn, nothing_overflows,
          dark_mode_differs, keyboard_reaches_everything, chart_data_is_a_table, legends_hide_series, prints, is_small]


def take_pictures(page, folder):
    page.run("document.activeElement.blur()")
    for name, width, dark in (("320", 320, False), ("1280", 1280, False), ("1280-dark", 1280, True),
                              ("320-dark", 320, True)):
        page.look(width, dark=dark)
        page.draw_all()
        page.picture(folder / f"{name}.png")


def main():
    url = pathlib.Path(sys.argv[1]).resolve().as_uri()
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    failed = 0
    with browser() as page:
        for check in CHECKS:
            problems = list(check(page, url, folder) if check is prints else check(page, url))
            failed += bool(problems)
            print("failed" if problems else "ok    ", check.__name__.replace("_", " "))
            for problem in problems[:10]:
                print("       ", problem)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            take_pictures(page, folder)
    return failed


if __name__ == "__main__":
    sys.exit(main())
