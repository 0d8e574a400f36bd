"""The site builds without a warning, and the built pages need no network and link to each other."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("object", "data")}
"""Attributes that a browser follows by itself."""
NO_FILE = ("http://", "https://", "mailto:", "data:")


class Page(HTMLParser):
    """Links, anchors and formulas of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.formulas = 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.formulas += tag == "math"
        for name, value in attrs:
            if value and (tag, name) in LOADS:
                self.loads.append(value)
            if value and tag == "a" and name == "href":
                self.links.append(value)
            if value and name in ("id", "name"):
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """All pages, built as ``make docs`` does, with warnings as errors."""
    out = tmp_path_factory.mktemp("site")
    words = ["-m", "sphinx", "-q", "-W", "--keep-going", str(ROOT / "docs"), str(out)]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=os.environ | nowhere
    )
    assert done.returncode == 0, done.stderr
    return {file: Page(file) for file in sorted(out.rglob("*.html"))}


def outside(page: Page) -> list[str]:
    return [address for address in page.loads if address.startswith((*NO_FILE[:2], "//"))]


def broken(page: Page, pages: dict[Path, Page]) -> list[str]:
    """Links of a page to files or anchors that are not there."""
    found = []
    for link in (link for link in page.links if not link.startswith(NO_FILE)):
        name, _, anchor = unquote(link).partition("#")
        target = (page.file.parent / name).resolve() if name else page.file
        there = target.exists()
        if not there or anchor and target in pages and anchor not in pages[target].anchors:
            found.append(link)
    return found


@pytest.mark.slow
def test_pages_load_nothing_from_elsewhere(site: dict[Path, Page]) -> None:
    assert {page.file.name: outside(page) for page in site.values() if outside(page)} == {}


@pytest.mark.slow
def test_every_link_of_the_site_leads_to_a_page_and_its_anchor(site: dict[Path, Page]) -> None:
    assert sum(len(page.links) for page in site.values()) > 1000
    faults = {page.file.name: broken(page, site) for page in site.values()}
    assert {name: links for name, links in faults.items() if links} == {}


@pytest.mark.slow
def test_formulas_are_drawn_by_the_browser(site: dict[Path, Page]) -> None:
    (signal,) = [page for page in site.values() if page.file.name == "signal.html"]
    source = (ROOT / "docs" / "signal.md").read_text(encoding="utf-8")
    assert signal.formulas == source.replace("$$", "$").count("$") // 2


@pytest.mark.slow
def test_every_public_module_has_a_page(site: dict[Path, Page]) -> None:
    names = {page.file.stem for page in site.values()}
    for file in (ROOT / "renp_infer").rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if not any(part.startswith("_") for part in parts):
            assert ".".join(parts) in names


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text('<script src="https://cdn"></script><a href="no.html">x</a><a href="#no">y</a>')
    page = Page(file)
    assert outside(page) == ["https://cdn"]
    assert broken(page, {file: page}) == ["no.html", "#no"]
