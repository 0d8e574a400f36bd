"""The explorer's server and page: who is served, and what a browser shows."""

from __future__ import annotations

import builtins
import contextlib
import json
import re
import shutil
import stat
import threading
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from werkzeug.serving import BaseWSGIServer

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError, DomainError
from renp_infer.explorer import command, wiring
from renp_infer.explorer.controls import CONTROLS
from renp_infer.explorer.server import make_app, served
from renp_infer.explorer.state import open_study, study_of, tables_of
from renp_infer.explorer.wiring import KEPT, Session, from_address
from renp_infer.study.load import load_study

TOKEN = "secret-token"
STUDY = """
schema = 1
name = "page"
[neutrino]
nature = "majorana"
delta_deg = 20.0
alpha21_deg = 40.0
alpha31_deg = 70.0
[layout]
theta_s_deg = { start = 138.0, stop = 148.0, points = 15 }
[lasers]
trigger_mW_cm2 = 10.0
[detector]
coupling = "pickup"
pickup = { radius_cm = 2.0, stand_off_cm = 0.5 }
drift_fT = 1e-3
reference_snr = 300.0
[inference]
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def client(file):
    return make_app(Session(open_study(file)), TOKEN, []).server.test_client()


class TestServer:
    @pytest.mark.parametrize("path", ["", "_dash-layout", "_dash-dependencies"])
    def test_the_token_opens_the_page(self, client, path):
        assert client.get(f"/{TOKEN}/{path}").status_code == 200

    @pytest.mark.parametrize("prefix", ["", "wrong/", "static/", f"{TOKEN}x/", "wrong/../"])
    @pytest.mark.parametrize("path", ["", "_dash-layout", "_dash-update-component", "assets/x.js"])
    def test_nothing_is_served_without_it(self, client, prefix, path):
        for method in (client.get, client.post):
            answer = method(f"/{prefix}{path}")
            assert answer.status_code == 403
            assert TOKEN.encode() not in answer.data

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
    def test_another_name_of_this_machine_is_refused(self, client, host):
        assert client.get(f"/{TOKEN}/", headers={"Host": host}).status_code == 403

    @pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
    def test_a_request_of_another_page_is_refused(self, client, origin):
        answer = client.post(f"/{TOKEN}/_dash-update-component", headers={"Origin": origin})
        assert answer.status_code == 403

    def test_all_files_come_from_here(self, client):
        page = client.get(f"/{TOKEN}/")
        sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert sources and all(source.startswith(f"/{TOKEN}/") for source in sources)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "http" not in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"

    def test_it_listens_on_loopback_with_a_new_token_each_time(self, file):
        addresses = []
        for _ in range(2):
            with served(Session(open_study(file)), 0, []) as (server, address):
                assert server.server_address[0] == "127.0.0.1"
                addresses.append(re.fullmatch(r"http://127\.0\.0\.1:\d+/(.{32,})/", address)[1])
        assert addresses[0] != addresses[1]

    def test_a_port_in_use_is_refused(self, file):
        session = Session(open_study(file))
        with served(session, 0, []) as (server, _):
            with pytest.raises(ConfigError, match="--port"):
                with served(session, server.server_port, []):
                    pass

    @pytest.mark.parametrize("debug", [False, True])
    def test_a_failure_does_not_tell_the_secret(self, file, capfd, monkeypatch, debug):
        def fail(*_):
            raise ZeroDivisionError("on purpose")

        monkeypatch.setattr(wiring, "from_address", fail)
        session = Session(open_study(file))
        with served(session, 0, [], debug=debug) as (server, address):
            threading.Thread(target=server.serve_forever, daemon=True).start()
            body = json.dumps(opening(session, make_app(session, TOKEN, []))).encode()
            asked = urllib.request.Request(
                f"{address}_dash-update-component", body, {"Content-Type": "application/json"}
            )
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(asked, timeout=30)
            server.shutdown()
        told = capfd.readouterr()
        answer, said = caught.value.read().decode(), told.out + told.err
        assert caught.value.code == 500
        assert "ZeroDivisionError: on purpose" in said
        assert address.split("/")[3] not in answer + said
        assert "Traceback" not in answer
        assert ("Traceback" in said) == debug

    def test_a_page_that_is_not_there_is_no_failure(self, client, capfd):
        assert client.get(f"/{TOKEN}/assets/none.js").status_code == 404
        assert capfd.readouterr().err == ""


class TestSession:
    def test_a_slow_picture_holds_up_nobody(self, file, monkeypatch):
        monkeypatch.setattr(wiring, "PATIENCE_S", 0.01)
        session, entered = Session(open_study(file)), []
        with contextlib.ExitStack() as slow:
            for _ in range(wiring.LANES - 1):
                slow.enter_context(session.work())
            with session.work():
                entered.append(True)
                with pytest.raises(DomainError, match="slow pictures under way"), session.work():
                    entered.append(False)
        with session.work():
            entered.append(True)
        assert entered == [True, True]

    def test_pins_that_are_not_kept_are_left_out(self, file):
        session = Session(open_study(file))
        numbers = [session.pin(number) for number in range(KEPT + 2)]
        assert session.pinned(numbers) == list(range(2, KEPT + 2))
        for wrong in (None, 7, "all", [True, "1", 1e9, -1, None, {}]):
            assert session.pinned(wrong) == []

    def test_old_studies_make_room_but_not_the_first(self, file):
        opened = open_study(file)
        session = Session(opened)
        numbers = [session.add(opened) for _ in range(KEPT + 5)]
        assert session.get(0)[0] == 0
        assert session.get(numbers[0])[0] == 0
        assert session.get(str(numbers[-1]))[0] == numbers[-1]

    @pytest.mark.parametrize("study", ["7", "-1", "x", "", "²"])
    def test_an_address_of_a_study_that_is_gone_shows_the_first(self, file, study):
        opened = open_study(file)
        found = from_address(Session(opened), f"?study={study}&neutrino.m1_meV=3")
        assert found == (0, opened.settings)

    def test_an_address_brings_its_settings_back(self, file):
        opened = open_study(file)
        number, settings = from_address(
            Session(opened), "?study=0&neutrino.m1_meV=3&layout.theta_e_deg=&other=1"
        )
        changes = {"neutrino.m1_meV": "3", "layout.theta_e_deg": ""}
        assert (number, settings) == (0, opened.settings | changes)


def opening(session, app):
    """The request by which a page asks for its study."""
    key, found = next((k, c) for k, c in app.callback_map.items() if "source.children" in k)
    outputs = [
        {"id": name.rpartition(".")[0], "property": name.rpartition(".")[2]}
        for name in key.strip(".").split("...")
    ]
    return {
        "output": key,
        "outputs": outputs,
        "inputs": [given | {"value": None} for given in found["inputs"]],
        "state": [given | {"value": None} for given in found["state"]],
        "changedPropIds": ["place.search"],
    }


class TestCommand:
    def test_the_secret_is_in_no_command_line(self, file, capsys, monkeypatch):
        opened = []

        def look(place):
            path = Path(urllib.request.url2pathname(urllib.parse.urlparse(place).path))
            modes = [stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path)]
            opened.append((place, path.read_text(), modes, path))

        monkeypatch.setattr(command.webbrowser, "open", look)
        monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda _: None)
        assert execute(["explore", str(file)]) == 0
        address = capsys.readouterr().out.strip()
        [(place, text, modes, path)] = opened
        assert address.split("/")[3] not in place
        assert f"url={address}" in text
        assert modes == [0o700, 0o600]
        assert not path.parent.exists()

    def test_without_the_extra_one_line_says_so(self, monkeypatch, capsys):
        real = builtins.__import__

        def without(name, *rest):
            if name.partition(".")[0] in ("dash", "flask"):
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        assert execute(["explore", "--no-browser"]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert "renp-infer[explore]" in lines[0]

    @pytest.mark.parametrize(
        "arguments", [["nothing.toml"], ["--port", "70000"], ["--port", "x"], ["/tmp"]]
    )
    def test_wrong_input_is_refused(self, arguments, capsys):
        assert execute(["explore", "--no-browser", *arguments]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
TIMEOUT_S = 60.0


class Page:
    """The page in a browser, and what can be seen of it."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address

    def load(self, search=""):
        self.driver.get("about:blank")
        self.driver.get(self.address + search)
        self.until(lambda: self.text("#numbers"), "first numbers")
        self.settle()

    def until(self, condition, what):
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.03)
        raise AssertionError(f"not within {TIMEOUT_S:g} s: {what}; alert: {self.text('#alert')}")

    def settle(self):
        """Wait until what is drawn stays the same."""
        last, still = None, 0
        while still < 6:
            now = self.picture()
            still = still + 1 if now == last else 0
            last = now
            time.sleep(0.05)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText || ''", selector)

    def picture(self):
        """All numbers that are drawn or written, as text."""
        return self.run(
            "return JSON.stringify([...document.querySelectorAll('.js-plotly-plot')]"
            ".map(plot => (plot.data || []).map(t => [t.name, Array.from(t.x), Array.from(t.y)])))"
            "+ document.querySelector('#numbers').innerText"
        )

    def find(self, name):
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.ID, name)

    def value(self, key):
        return self.find(key.replace(".", "-")).get_property("value")

    def type(self, key, text):
        from selenium.webdriver.common.keys import Keys

        box = self.find(key.replace(".", "-"))
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE, text, Keys.ENTER)

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.run("return document.activeElement.id || document.activeElement.name")


def browser(folder):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument("--window-size=1400,1000")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


@pytest.fixture(scope="module")
def page(file, tmp_path_factory):
    pytest.importorskip("selenium", reason="no selenium to drive a browser")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with chromedriver on this machine")
    folder = tmp_path_factory.mktemp("downloads")
    session = Session(open_study(file))
    with served(session, 0, ["fig6"]) as (server, address):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        driver = browser(folder)
        try:
            found = Page(driver, address)
            found.folder, found.source = folder, file
            yield found
        finally:
            driver.quit()
            server.shutdown()
            thread.join()


@pytest.mark.slow
class TestBrowser:
    def test_every_control_changes_the_picture(self, page):
        from selenium.webdriver.common.keys import Keys

        page.load()
        words = open_study(page.source).settings
        for control in CONTROLS:
            before = page.picture()
            if control.options:
                self.choose_other(page, control)
            else:
                page.find(f"{control.name}-slider").send_keys(Keys.ARROW_RIGHT)
            page.until(lambda old=before: page.picture() != old, control.key)
            page.settle()
            assert page.text("#alert") == "", control.key
            if control.options:  # a Dirac neutrino would make the phases meaningless
                self.choose_other(page, control)
            elif words[control.key].isalpha():  # a number for "pickup", the loop
                page.type(control.key, words[control.key])
            else:
                continue
            page.until(lambda old=before: page.picture() == old, f"{control.key}, back")

    def choose_other(self, page, control):
        radios = page.find(control.name).find_elements("css selector", "input")
        next(radio for radio in radios if not radio.is_selected()).click()

    def test_many_quick_moves_end_at_the_last(self, page):
        from selenium.webdriver.common.keys import Keys

        page.load()
        page.find("neutrino-m1_meV-slider").send_keys(*[Keys.ARROW_RIGHT] * 30)
        page.until(lambda: page.value("neutrino.m1_meV") == "80", "the text box")
        page.settle()
        quick = page.picture()
        page.load("?study=0&neutrino.m1_meV=80")
        assert page.picture() == quick

    def test_the_keyboard_alone_does(self, page):
        from selenium.webdriver.common.keys import Keys

        page.load()
        page.find("path").click()
        order = []
        for _ in range(9):
            page.press(Keys.TAB)
            order.append(page.focused())
        assert order[:2] == ["open", "save"]
        assert order[2] == "shown"
        assert "neutrino-m1_meV-slider" in order
        assert order.index("neutrino-m1_meV") == order.index("neutrino-m1_meV-slider") + 1
        page.find("save").send_keys(Keys.TAB)  # onto the choice of what is drawn
        before = page.picture()
        page.press(Keys.ARROW_RIGHT)
        page.until(lambda: page.picture() != before, "the other scale")
        while page.focused() != "neutrino-m1_meV-slider":
            page.press(Keys.TAB)
        page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
        page.until(lambda: page.value("neutrino.m1_meV") == "51", "the text box")
        page.press(Keys.TAB)
        page.driver.switch_to.active_element.send_keys(Keys.CONTROL, "a")
        page.press("20", Keys.ENTER)
        page.until(lambda: page.value("neutrino.m1_meV-slider") == "20", "the slider")
        page.settle()
        outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"

    def test_a_pin_stays_and_the_file_shows_what_is_set(self, page):
        from selenium.webdriver.common.keys import Keys

        page.load()
        assert tomllib.loads(page.text("#toml"))["neutrino"]["m1_meV"] == 50.0
        page.find("pin").send_keys(Keys.ENTER)
        page.until(lambda: "pinned: published, as opened" in page.picture(), "the pin")
        page.type("neutrino.m1_meV", "20")
        page.settle()
        assert "pinned: published, as opened" in page.picture()
        assert tomllib.loads(page.text("#toml"))["neutrino"]["m1_meV"] == 20
        page.find("unpin").send_keys(Keys.ENTER)
        page.until(lambda: "pinned" not in page.picture(), "no pin")

    def test_wrong_input_leaves_the_last_good_picture(self, page):
        page.load()
        before = page.picture()
        page.type("neutrino.m1_meV", "-5")
        page.until(lambda: page.text("#alert"), "the message")
        with pytest.raises(ConfigError) as error:
            load_study(page.source, ["neutrino.m1_meV=-5"], inference=False)
        assert page.text("#alert") == str(error.value)
        assert page.picture() == before
        assert "last valid settings" in page.text("#state")
        assert "wrong" in page.find("neutrino-m1_meV-row").get_attribute("class")
        page.type("neutrino.m1_meV", "50")
        page.until(lambda: not page.text("#alert"), "no message")
        assert page.picture() == before
        assert "wrong" not in page.find("neutrino-m1_meV-row").get_attribute("class")

    def test_a_reload_keeps_everything(self, page):
        page.load()
        page.type("layout.length_cm", "1.5")
        page.type("lasers.chi_squared", "0.001")
        page.settle()
        before = page.picture()
        page.driver.refresh()
        page.until(lambda: page.text("#numbers"), "numbers after the reload")
        page.settle()
        assert page.value("layout.length_cm") == "1.5"
        assert page.value("lasers.chi_squared") == "0.001"
        assert page.picture() == before

    def test_a_narrow_window_needs_no_sideways_scrolling(self, page):
        size = {"width": 375, "height": 740, "deviceScaleFactor": 1, "mobile": True}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            page.load()
            assert page.run("return document.documentElement.scrollWidth") <= 375
            slider = page.find("detector-exposure_s-slider")
            page.run("arguments[0].scrollIntoView({block: 'center'})", slider)
            boxes = [
                page.run("return arguments[0].getBoundingClientRect().toJSON()", element)
                for element in (slider, page.find("field"))
            ]
            for box in boxes:  # the picture stays in sight while a slider is moved
                assert box["left"] >= 0 and box["right"] <= 375
                assert box["bottom"] > 0 and box["top"] < 740
            assert boxes[1]["bottom"] < boxes[0]["top"]
        finally:
            page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def test_a_saved_file_is_the_study_that_is_shown(self, page):
        page.load()
        page.type("neutrino.m1_meV", "33")
        page.settle()
        page.find("save").click()
        path = page.folder / "page.toml"
        page.until(path.is_file, "the file")
        opened = open_study(page.source)
        shown = study_of(tables_of(opened, opened.settings | {"neutrino.m1_meV": "33"}))
        assert load_study(path, inference=False).resolved == shown.resolved

    def test_another_study_is_opened_and_a_wrong_path_is_not(self, page):
        page.load()
        page.type("path", "no-such-study")
        page.until(lambda: "no such file" in page.text("#alert"), "the message")
        page.type("path", "fig6")
        page.until(lambda: "fig6.toml" in page.text(".source"), "the study")
        page.until(lambda: "table-iv" in page.text("#numbers"), "its numbers")
        assert page.text("#alert") == ""
        page.driver.refresh()
        page.until(lambda: "fig6.toml" in page.text(".source"), "the study after a reload")

    def test_no_request_leaves_this_machine_and_no_script_fails(self, page):
        page.driver.get_log("browser")
        page.load()
        urls = page.run("return performance.getEntriesByType('resource').map(e => e.name)")
        assert urls and all(url.startswith((page.address, "data:", "blob:")) for url in urls)
        severe = [e for e in page.driver.get_log("browser") if e["level"] == "SEVERE"]
        assert severe == []

    def test_all_inputs_have_names_for_a_screen_reader(self, page):
        page.load()
        unnamed = page.run(
            "return [...document.querySelectorAll('input')].filter(e => !e.labels.length)"
            ".map(e => e.id)"
        )
        assert unnamed == []

    def test_a_wrong_address_is_refused(self, page):
        root = page.address.rsplit("/", 2)[0]
        for address in (f"{root}/", f"{root}/wrong/", page.address.rstrip("/") + "x/"):
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(address)
            assert error.value.code == 403
            error.value.close()
