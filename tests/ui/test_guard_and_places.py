"""The page over plain HTTP: who may ask, what may be meant, what is shown and changed."""

import html
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
import httpx

from garage_like.runs.notes import read_notes
from garage_like.snapshot.disk.pins import pinned_epochs
from garage_like.ui.app import make_app
from garage_like.ui.live_log import LiveLogs, thinned

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from fabricated import fabricate, fabricate_run

PORT, TOKEN = 8123, "secret-of-this-start"
HERE = f"http://127.0.0.1:{PORT}"


class Browser:
    """Ask the application as a browser does, without one."""

    def __init__(self, root: Path) -> None:
        self._app = make_app(root, TOKEN, PORT)
        self.cookies = {f"garage_like_{PORT}": TOKEN}

    def __call__(self, method, path, *, headers=None, data=None, cookies=None, host=None):
        import asyncio

        async def ask():
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            address = f"http://{host}" if host else HERE
            jar = self.cookies if cookies is None else cookies
            given = {"cookie": "; ".join(f"{k}={v}" for k, v in jar.items()), **(headers or {})}
            async with httpx.AsyncClient(transport=transport, base_url=address) as client:
                return await client.request(method, path, headers=given, data=data)

        return asyncio.run(ask())

    def get(self, path, **options):
        return self("GET", path, **options)

    def post(self, path, data, origin=HERE, **options):
        headers = {} if origin is None else {"origin": origin}
        return self("POST", path, data=data, headers=headers, **options)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "runs"
    fabricate_run(folder / "exp" / "ppo", n_epochs=5)
    fabricate_run(folder / "exp" / "ppo_1", seed=2, n_epochs=5)
    fabricate_run(tmp_path / "outside", n_epochs=5)
    return folder


@pytest.fixture
def browser(root):
    return Browser(root)


# ---- who may ask ----------------------------------------------------------------------------


def test_the_token_becomes_a_cookie_that_scripts_do_not_see(browser):
    answer = browser.get(f"/?token={TOKEN}", cookies={})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert TOKEN not in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("path", ["/", "/run?run=exp/ppo", "/curve?run=exp/ppo", "/static/page.js"])
@pytest.mark.parametrize(
    "cookies", [{}, {f"garage_like_{PORT}": "guess"}, {"garage_like_1": TOKEN}]
)
def test_other_users_of_the_machine_see_nothing(browser, path, cookies):
    answer = browser.get(path, cookies=cookies)
    assert answer.status_code == 403
    assert "ppo" not in answer.text


def test_a_wrong_token_opens_nothing(browser):
    answer = browser.get("/?token=guess", cookies={})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", "[::1]:80"]
)
def test_a_name_that_was_pointed_here_is_refused(browser, host):
    assert browser.get("/", host=host).status_code == 421


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://127.0.0.1:1", f"https://127.0.0.1:{PORT}"],
)
def test_pages_of_other_origins_change_nothing(browser, root, origin):
    answer = browser.post("/tags", {"run": "exp/ppo", "add": "evil"}, origin)
    assert answer.status_code == 403
    assert read_notes(root / "exp" / "ppo").tags == ()


def test_nothing_is_changed_by_a_mere_look(browser, root):
    assert browser.get("/tags?run=exp/ppo&add=evil").status_code == 405
    headers = {"origin": HERE, "sec-fetch-site": "cross-site"}
    answer = browser("POST", "/tags", data={"run": "exp/ppo", "add": "x"}, headers=headers)
    assert answer.status_code == 403


def test_every_answer_says_that_no_other_page_may_frame_or_load_it(browser):
    for path in ("/", "/nowhere", "/static/page.css"):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


# ---- what may be meant ----------------------------------------------------------------------

OUTSIDE = [
    "../outside",
    "exp/../../outside",
    "..%2Foutside",
    "%2e%2e/outside",
    "%252e%252e/outside",
    "..%5coutside",
    "/etc",
    "exp//ppo",
    "exp/./ppo",
    "exp/ppo%00",
    "linked",
    "exp/linked_parent/ppo",
    "",
    "exp",
    "exp/ppo/snapshots",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize(
    "page",
    ["/run?", "/log?", "/curve?y=TotalEnvSteps&", "/snapshot?epoch=4&", "/diff?run=exp/ppo&"],
)
def test_no_name_leads_out_of_the_root(browser, root, name, page):
    (root / "linked").symlink_to(root.parent / "outside")
    (root / "exp" / "linked_parent").symlink_to(root / "exp")
    answer = browser.get(f"{page}run={name}")
    assert answer.status_code == 404
    assert "env steps" not in answer.text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"]
)
def test_no_file_beside_the_static_ones_is_served(browser, path):
    assert browser.get(path).status_code == 404


def test_a_run_whose_snapshots_are_links_is_not_shown(browser, root):
    for name, place in (("all", "snapshots"), ("one", "snapshots/epoch_000004")):
        run = root / name
        (run / place).parent.mkdir(parents=True)
        (run / "experiment.json").write_text("{}")
        (run / place).symlink_to(root.parent / "outside" / place)
        assert browser.get(f"/run?run={name}").status_code == 404
        assert browser.get(f"/snapshot?run={name}&epoch=4").status_code == 404
        assert f"run={name}" not in browser.get("/").text


@pytest.mark.parametrize("file", ["progress.csv", "debug.log", "variant.json", "notes.json"])
def test_a_linked_file_of_a_run_is_not_read(browser, root, file):
    secret = root.parent / "secret"
    secret.write_text('{"tags": ["secret-tag"], "secret-key": 1}\nsecret,TotalEnvSteps\n1,2\n')
    (root / "exp" / "ppo" / file).unlink(missing_ok=True)
    (root / "exp" / "ppo" / file).symlink_to(secret)
    answer = browser.get("/run?run=exp/ppo")
    assert answer.status_code == 200
    assert "secret" not in answer.text


def test_a_parent_outside_lends_no_points(browser, root):
    parent = {"run": str(root.parent / "outside"), "epoch": 2}
    fabricate_run(root / "child", n_epochs=5, parent=parent)
    found = browser.get("/curve?run=child&x=TotalEnvSteps&y=policy/Entropy").json()
    assert found["rows"] == 5
    assert "outside" in browser.get("/tree").text
    assert "/run?run=.." not in browser.get("/tree").text


def test_families_tell_nothing_of_linked_snapshots(browser, root):
    parent = {"run": str(root / "exp" / "ppo"), "epoch": 2}
    outside = fabricate_run(root.parent / "secret_child", n_epochs=77, parent=parent)
    run = root / "exp" / "lent"
    run.mkdir()
    (run / "experiment.json").write_text(json.dumps({"parent": parent}))
    (run / "snapshots").symlink_to(outside / "snapshots")
    fabricate_run(root / "exp" / "branched", n_epochs=9, parent=parent)
    text = browser.get("/tree").text
    assert "at epoch 8" in text
    assert "at epoch 76" not in text


def test_a_video_is_one_of_the_run_and_nothing_else(browser, root):
    videos = root / "exp" / "ppo" / "videos"
    videos.mkdir()
    (videos / "epoch_000003.mp4").write_bytes(bytes(range(100)))
    (videos / "epoch_000004.mp4").symlink_to("/etc/hostname")
    whole = browser.get("/video?run=exp/ppo&name=epoch_000003.mp4")
    assert (whole.status_code, whole.content) == (200, bytes(range(100)))
    headers = {"range": "bytes=10-19"}
    part = browser.get("/video?run=exp/ppo&name=epoch_000003.mp4", headers=headers)
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    headers = {"range": "bytes=50-10"}  # is none, and so the whole is meant
    none = browser.get("/video?run=exp/ppo&name=epoch_000003.mp4", headers=headers)
    assert (none.status_code, none.content) == (200, bytes(range(100)))
    for name in ("epoch_000004.mp4", "../progress.csv", "..%2fprogress.csv", "epoch_000009.mp4"):
        assert browser.get(f"/video?run=exp/ppo&name={name}").status_code >= 400


# ---- what is shown --------------------------------------------------------------------------


def test_names_are_escaped(browser, root):
    evil = '<img src=x onerror="alert(1)">'
    run = fabricate_run(root / evil, env="<script>alert(2)</script>", n_epochs=3)
    (run / "notes.json").write_text(json.dumps({"tags": ["<b>"], "note": "<i>'\" "}))
    (run / "debug.log").write_text("</pre><script>alert(3)</script>\u202e")
    (run / "variant.json").write_text(json.dumps({"<u>": {"</dl>": 1}, "seed": 1}))
    for path in ("/", f"/run?run={httpx.QueryParams({'r': evil})['r']}", "/snapshot?epoch=2"):
        query = f"&run={evil.replace(' ', '%20')}" if "snapshot" in path else ""
        answer = browser.get(path + query)
        assert answer.status_code == 200, path
        text = answer.text
        for piece in ("<img", "<script>alert", "<b>", "<i>", "<u>", "</dl>1", "\u202e"):
            assert piece not in text
    assert html.escape(evil, quote=False)[:8] in browser.get("/").text


def test_the_list_is_searched_filtered_and_sorted(browser, root):
    fabricate(root / "many", 150, n_epochs=2)
    assert "152 runs" in browser.get("/").text
    part = browser.get("/?search=VPG+acrobot", headers={"hx-request": "true"}).text
    assert "of 152 runs" in part
    assert "CartPole" not in part
    assert "<html" not in part
    wrong = browser.get("/?where=lrr<1").text
    assert "did you mean lr" in html.unescape(wrong)
    lines = browser.get("/?start=100", headers={"hx-request": "true"}).text
    assert lines.count("<tr>") == 52


def test_a_run_shows_what_its_snapshot_holds(browser):
    text = browser.get("/run?run=exp/ppo").text
    assert "Evaluation/AverageReturn" in text
    held = browser.get("/snapshot?run=exp/ppo&epoch=4").text
    assert "objects.pkl" in held
    assert browser.get("/snapshot?run=exp/ppo&epoch=3").status_code == 404


def test_two_runs_part_somewhere(browser):
    text = browser.get("/diff?run=exp/ppo&run=exp/ppo_1").text
    assert "They part in epoch 0, first in column Evaluation/AverageReturn" in text
    assert "seed" in text
    assert browser.get("/diff?run=exp/ppo").status_code == 400


# ---- what is changed ------------------------------------------------------------------------


def test_a_run_is_tagged_noted_and_pinned(browser, root):
    run = root / "exp" / "ppo"
    assert "baseline" in browser.post("/tags", {"run": "exp/ppo", "add": "baseline odd"}).text
    browser.post("/tags", {"run": "exp/ppo", "remove": "odd"})
    browser.post("/note", {"run": "exp/ppo", "note": "collapsed\r\nat 40"})
    assert (read_notes(run).tags, read_notes(run).note) == (("baseline",), "collapsed\nat 40")
    assert "baseline" in browser.get("/").text
    assert "Pinned" in browser.post("/pin", {"run": "exp/ppo", "epoch": "4", "pinned": "yes"}).text
    assert pinned_epochs(run / "snapshots") == {4}
    browser.post("/pin", {"run": "exp/ppo", "epoch": "4", "pinned": "no"})
    assert pinned_epochs(run / "snapshots") == set()
    assert browser.post("/tags", {"run": "exp/ppo", "add": "x" * 70}).status_code == 400


def test_a_branch_is_made_beside_its_run_and_nowhere_else(browser, root):
    made = browser.post("/branch", {"run": "exp/ppo", "epoch": "4", "name": "again"})
    assert made.status_code == 200, made.text
    assert (root / "exp" / "again" / "snapshots" / "epoch_000004" / "manifest.json").is_file()
    assert "again" in browser.get("/tree").text
    for name in ("../out", "a/b", "..", ".hidden", "/tmp/x", "again"):
        answer = browser.post("/branch", {"run": "exp/ppo", "epoch": "4", "name": name})
        assert answer.status_code in (400, 409)
    assert browser.post("/branch", {"run": "exp/ppo", "epoch": "3"}).status_code == 404
    alone = Browser(root / "exp" / "ppo")
    assert alone.post("/branch", {"run": ".", "epoch": "4"}).status_code == 409


def test_too_much_is_refused(browser):
    assert browser.post("/note", {"run": "exp/ppo", "note": "x" * 100_000}).status_code == 413


# ---- curves ---------------------------------------------------------------------------------


def test_a_curve_follows_a_run_that_goes_on(browser, root):
    address = "/curve?run=exp/ppo&x=TotalEnvSteps&y=policy/Entropy"
    assert browser.get(address).json()["rows"] == 5
    with open(root / "exp" / "ppo" / "progress.csv", "a") as file:
        file.write("1.0,6000,0.5,0.1\r\n1.0,7000,0.")
    found = browser.get(address).json()
    assert (found["rows"], found["x"][-1], found["y"][-1]) == (6, 6000, 0.5)
    with open(root / "exp" / "ppo" / "progress.csv", "a") as file:
        file.write("25,0.1\r\n")
    assert browser.get(address).json()["y"][-1] == 0.25
    assert browser.get("/curve?run=exp/ppo&y=nothing").status_code == 404


def test_a_log_that_was_cut_or_replaced_is_read_anew(tmp_path):
    log, logs = tmp_path / "progress.csv", LiveLogs()
    log.write_text("x,y\n1,2\n3,4\n")
    assert logs.column(tmp_path, "x", "y")[1].tolist() == [2, 4]
    log.write_text("x,y\n1,2\n")
    assert logs.column(tmp_path, "y")[0].tolist() == [2]
    os.replace(log, tmp_path / "old")
    log.write_text("x,z,y\n1,7,9\n5,8,\n")
    assert np.isnan(logs.column(tmp_path, "y")[0][1])
    assert logs.names(tmp_path) == ["x", "z", "y"]


def test_a_log_that_was_cut_and_has_grown_again_is_read_anew(tmp_path):
    log, logs = tmp_path / "progress.csv", LiveLogs()
    log.write_text("x,y\n1,2\n3,4\n5,6\n")
    assert logs.column(tmp_path, "y")[0].tolist() == [2, 4, 6]
    with log.open("r+") as file:
        file.truncate(len("x,y\n1,2\n"))
        file.seek(0, os.SEEK_END)
        file.write("3,44\n5,66\n7,88\n")
    assert logs.column(tmp_path, "y")[0].tolist() == [2, 44, 66, 88]


def test_a_text_in_the_log_may_hold_what_ends_lines_elsewhere(tmp_path):
    (tmp_path / "progress.csv").write_text("x,said,y\n1,a\u2028b,2\n3,c,4\n", encoding="utf-8")
    assert LiveLogs().column(tmp_path, "y")[0].tolist() == [2, 4]


def test_thinning_loses_no_peak_and_keeps_the_order():
    x = np.arange(100_000.0)
    y = np.sin(x / 5000)
    y[[77, 54_321]] = 9.0, -9.0
    seen_x, seen_y = thinned(x, y, 1000)
    assert len(seen_x) <= 1000
    assert {9.0, -9.0} <= {*seen_y.tolist()}
    assert (np.diff(seen_x) > 0).all()
    near_x, _ = thinned(x, y, 1000, 50_000, 50_400)
    assert near_x.tolist() == list(range(50_000, 50_401))
    assert len(thinned(np.array([2.0, np.nan, 1.0]), np.array([1.0, 1.0, 5.0]), 10)[0]) == 2


@pytest.mark.slow
def test_a_million_points_and_ten_thousand_runs_stay_fluid(tmp_path):
    root = tmp_path / "runs"
    fabricate(root, 10_000, n_epochs=2)
    run = root / "long"
    run.mkdir()
    (run / "experiment.json").write_text("{}")
    lines = (f"{i},{np.sin(i / 1e4):.6f},{i % 7}" for i in range(10**6))
    (run / "progress.csv").write_text("TotalEnvSteps,y,z\n" + "\n".join(lines) + "\n")
    browser = Browser(root)
    browser.get("/")
    address = "/curve?run=long&x=TotalEnvSteps&y=y&points=2000"
    assert browser.get(address).json()["rows"] == 10**6

    def spent(*addresses):
        before = time.process_time()
        for one in addresses:
            assert browser.get(one).status_code == 200
        return (time.process_time() - before) / len(addresses)

    assert spent(address, f"{address}&from=5e5&to=6e5") < 0.3
    assert len(browser.get(address).content) < 200_000
    assert spent("/?search=vpg", "/?where=lr<1e-3&sort=-return", "/?start=5000") < 0.5
