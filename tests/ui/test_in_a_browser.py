"""The page as a person uses it, in headless Chromium: clicks, keys, a phone, a screen reader.

Screenshots are left in `build/screenshots`, or below the folder that `CI_ARTIFACTS` names.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from garage_like.runs.notes import read_notes
from garage_like.snapshot.disk.pins import pinned_epochs

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate, fabricate_run

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=20_000)  # another test may have the processor
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), "")
BUILD = Path(__file__).parents[2] / "build"
SCREENSHOTS = Path(os.environ.get("CI_ARTIFACTS") or BUILD) / "screenshots"
SERIOUS = ("critical", "serious", "moderate")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown") / "runs"
    fabricate(folder / "study", 130, n_epochs=30)
    run = fabricate_run(folder / "exp" / "ppo", n_epochs=30)
    fabricate_run(folder / "exp" / "ppo_1", seed=2, n_epochs=30)
    parent = {"run": str(run), "epoch": 29}
    fabricate_run(folder / "exp" / "branched", n_epochs=40, parent=parent)
    return folder


@pytest.fixture(scope="module")
def address(root, tmp_path_factory):
    """Return the address that the command prints, while it serves."""
    command = [sys.executable, "-m", "garage_like", "ui", root, "--no-browser"]
    cache = str(tmp_path_factory.mktemp("cache"))
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": cache, "PYTHONUNBUFFERED": "1"},
    ) as process:
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                break
        yield found[0]
        process.terminate()


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(chromium, address, width=1280, scheme="light"):
    context = chromium.new_context(
        viewport={"width": width, "height": 860}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.goto(address)
    page.wait_for_url(re.compile(r"^[^?]*/$"))  # the token has gone
    page.wait_for_function("window.htmx !== undefined")
    return page


@pytest.fixture
def page(chromium, address):
    found = opened(chromium, address)
    yield found
    assert found.problems == []
    found.context.close()


def go(page, path):
    page.goto(re.match(r"http://[^/]+", page.url)[0] + path)


def lines(page):
    return page.locator("table.runs tbody th")


def test_runs_are_searched_filtered_and_sorted(page):
    assert "token" not in page.url
    sync_api.expect(page.locator(".count")).to_have_text("133 runs")
    page.keyboard.press("/")
    page.keyboard.type("vpg acrobot")
    sync_api.expect(page.locator(".count")).to_have_text(re.compile(r"^\d+ of 133 runs"))
    sync_api.expect(lines(page).first).to_contain_text("vpg_acrobot")
    assert "search=vpg" in page.url
    page.get_by_label("Only where").fill("seed<4")
    sync_api.expect(page.locator(".count")).to_have_text("4 of 133 runs")
    page.get_by_role("link", name="return").click()
    sync_api.expect(page.locator("th[aria-sort=ascending]")).to_contain_text("return")
    numbers = page.locator("td[data-title=return]").all_inner_texts()
    assert numbers == sorted(numbers, key=float)
    page.get_by_role("link", name="return").click()
    sync_api.expect(page.locator("th[aria-sort=descending]")).to_contain_text("return")
    page.reload()
    sync_api.expect(page.locator(".count")).to_have_text("4 of 133 runs")


def test_more_runs_come_as_one_scrolls(page):
    assert lines(page).count() == 100
    page.mouse.wheel(0, 100_000)
    sync_api.expect(lines(page)).to_have_count(133)


def test_two_runs_are_chosen_and_compared(page):
    page.get_by_label("Search").fill("exp/ppo")
    sync_api.expect(lines(page)).to_have_count(2)
    page.get_by_label("Choose exp/ppo", exact=True).check()
    sync_api.expect(page.get_by_role("button", name="Diff")).to_be_disabled()
    page.get_by_label("Choose exp/ppo_1").check()
    page.get_by_role("button", name="Diff").click()
    sync_api.expect(page.get_by_role("heading", name="Diff")).to_be_visible()
    sync_api.expect(page.get_by_role("rowheader", name="seed")).to_be_visible()
    page.go_back()
    page.get_by_label("Choose exp/ppo", exact=True).check()
    page.get_by_label("Choose exp/ppo_1").check()
    page.get_by_role("button", name="Curves").click()
    sync_api.expect(page.locator(".chart canvas")).to_be_visible()
    sync_api.expect(page.locator(".chart-said")).to_contain_text("60 rows")


def test_a_run_is_tagged_noted_pinned_and_branched(page, root):
    run = root / "exp" / "ppo"
    page.get_by_label("Search").fill("exp/ppo")
    page.get_by_role("link", name="exp/ppo", exact=True).click()
    page.get_by_label("Add a tag").fill("baseline")
    page.get_by_label("Add a tag").press("Enter")
    sync_api.expect(page.get_by_role("button", name="Remove the tag baseline")).to_be_visible()
    page.get_by_label("Note").fill("odd <b>one</b>")
    page.get_by_role("button", name="Keep the note").click()
    sync_api.expect(page.get_by_label("Note")).to_have_value("odd <b>one</b>")
    page.get_by_role("button", name="Pin epoch 29").click()
    sync_api.expect(page.get_by_role("button", name="Pinned")).to_be_visible()
    assert (read_notes(run).tags, read_notes(run).note) == (("baseline",), "odd <b>one</b>")
    assert pinned_epochs(run / "snapshots") == {29}
    page.get_by_role("button", name="Remove the tag baseline").click()
    sync_api.expect(page.get_by_role("button", name="Remove the tag baseline")).to_have_count(0)
    page.get_by_label("Add a tag").fill("x" * 70)
    page.get_by_role("button", name="Tag", exact=True).click()
    sync_api.expect(page.locator("#said")).to_contain_text("is no tag")
    page.problems.clear()  # Chromium tells of the answer that was refused
    page.get_by_role("button", name="What it holds").click()
    sync_api.expect(page.get_by_role("heading", name="Epoch 29 holds")).to_be_visible()
    page.get_by_role("button", name="Branch from epoch 29").click()
    name = page.locator("#branch-name")
    sync_api.expect(name).to_be_focused()  # so that one may type at once
    name.fill("from_the_page")
    name.press("Enter")
    page.get_by_role("link", name="exp/from_the_page").click()
    sync_api.expect(page.get_by_role("heading", name="from_the_page")).to_be_visible()
    page.get_by_role("link", name="Families").click()
    sync_api.expect(
        page.locator(".tree").get_by_role("link", name="exp/from_the_page")
    ).to_be_visible()


def test_a_curve_follows_a_live_run_and_is_looked_at_closely(page, root):
    go(page, "/run?run=exp/ppo_1")
    said = page.locator(".chart-said")
    sync_api.expect(said).to_contain_text("30 rows")
    with open(root / "exp" / "ppo_1" / "progress.csv", "a") as file:
        file.write("123.25,31000,0.5,0.5\r\n")
    sync_api.expect(said).to_contain_text("31 rows, the last Evaluation/AverageReturn is 123.25")
    page.get_by_label("Show", exact=True).select_option("policy/Entropy")
    sync_api.expect(said).to_contain_text("policy/Entropy is 0.5")
    box = page.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Show the whole").click()
    sync_api.expect(page.get_by_role("button", name="Show the whole")).to_be_hidden()


def test_a_column_chosen_while_another_is_being_read_is_the_one_that_is_drawn(page):
    held = []  # Playwright wants a function, and no method of a list
    page.route(lambda url: "/curve" in url and "Return" in url, lambda route: held.append(route))
    go(page, "/run?run=exp/ppo")
    while not held:
        page.wait_for_timeout(20)
    page.get_by_label("Show", exact=True).select_option("TotalEnvSteps")
    held[0].continue_()
    said = page.locator(".chart-said")
    sync_api.expect(said).to_contain_text("the last TotalEnvSteps is 30000")


def test_the_keyboard_reaches_everything(page):
    page.keyboard.press("Tab")
    sync_api.expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    names = []
    for _ in range(9):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert {"Runs", "Families", "theme", "search", "where"} <= set(names)


def test_dark_and_light_are_switched_and_kept(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


PAGES = {
    "runs": "/",
    "run": "/run?run=exp/ppo",
    "diff": "/diff?run=exp/ppo&run=exp/ppo_1",
    "curves": "/compare?run=exp/ppo&run=exp/ppo_1",
    "families": "/tree",
    "missing": "/run?run=nowhere",
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_accessible(chromium, address, width, scheme):
    page = opened(chromium, address, width, scheme)
    found = {}
    for name, path in PAGES.items():
        go(page, path)
        page.wait_for_timeout(300)
        if name == "run":
            page.get_by_role("button", name="What it holds").click()
            page.get_by_role("heading", name="Epoch 29 holds").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        place = SCREENSHOTS / f"{name}_{width}_{scheme}.png"
        page.screenshot(path=place, full_page=name != "runs")
        page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
        violations = axe.Axe().run(page).response["violations"]
        serious = [one for one in violations if one["impact"] in SERIOUS]
        if serious:
            found[name] = [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]
    page.context.close()
    assert found == {}


def test_ten_thousand_runs_and_a_million_points_stay_fluid(chromium, tmp_path):
    fabricate(tmp_path / "runs", 10_000, n_epochs=1)
    run = tmp_path / "runs" / "long"
    run.mkdir()
    (run / "experiment.json").write_text("{}")
    text = "\n".join(f"{i},{i % 1000}" for i in range(10**6))
    (run / "progress.csv").write_text(f"TotalEnvSteps,y\n{text}\n")
    command = [sys.executable, "-m", "garage_like", "ui", tmp_path / "runs", "--no-browser"]
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **cache}
    ) as process:
        address = next(
            re.search(r"http://\S+", line)[0] for line in process.stdout if "http" in line
        )
        page = opened(chromium, address)
        sync_api.expect(page.locator(".count")).to_have_text("10001 runs", timeout=60_000)
        began = time.monotonic()
        page.get_by_label("Search").fill("pendulum_9998")
        sync_api.expect(page.locator(".count")).to_have_text("1 of 10001 runs")
        searched = time.monotonic() - began
        go(page, "/run?run=long")
        sync_api.expect(page.locator(".chart-said")).to_contain_text(
            "1,000,000 rows", timeout=60_000
        )
        longest = page.evaluate(
            "async () => { let most = 0, last = performance.now();"
            " for (let i = 0; i < 200; i++) { await new Promise(requestAnimationFrame);"
            " const now = performance.now(); most = Math.max(most, now - last); last = now }"
            " return most }"
        )
        page.context.close()
        process.terminate()
    assert searched < 3
    assert longest < 300, "milliseconds between two pictures"


def test_damaged_run_fits_a_phone_and_says_that_nothing_can_be_read(chromium, address, root):
    run = fabricate_run(root / "damage" / "broken", n_epochs=3)
    (run / "snapshots" / "epoch_000002" / "manifest.json").write_text("{ rubbish")
    page = opened(chromium, address, width=390)
    go(page, "/run?run=damage/broken")
    sync_api.expect(page.locator("#snapshots ~ *").last).to_have_text("No snapshot can be read.")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) == 0
    page.context.close()
    shutil.rmtree(run.parent)


def test_curves_have_their_colours_beside_the_names_and_a_run_that_goes_is_told(
    chromium, address, root
):
    runs = [fabricate_run(root / "going" / f"run_{n}", n_epochs=3) for n in range(3)]
    page = opened(chromium, address, width=390, scheme="dark")
    go(page, "/compare?" + "&".join(f"run=going/{run.name}" for run in runs))
    sync_api.expect(page.locator(".chart-said")).to_contain_text("9 rows")
    colours = "e => e.map(one => getComputedStyle(one).borderTopColor)"
    assert len(set(page.locator(".swatch").evaluate_all(colours))) == 3
    shutil.rmtree(root / "going")
    sync_api.expect(page.locator(".chart-said")).to_contain_text("no run is called 'going/run_0'")
    page.context.close()
