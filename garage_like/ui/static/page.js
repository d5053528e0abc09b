"use strict";
// What the page does beyond links and forms: curves, choosing runs, words of what went wrong.

const ON_LIGHT = ["#2f6fd0", "#c96300", "#2c8a57", "#c2413b", "#8457c8", "#8a6239", "#c9529b", "#6a7382", "#857700", "#14808f"];
const ON_DARK = ["#6ea3f5", "#f0963c", "#55bf85", "#f0756e", "#b18cf0", "#c49a6c", "#ec84c2", "#a1acbe", "#c9b736", "#45c0d3"];
const EVERY = 2000;

function say(text) {
  const place = document.getElementById("said");
  place.textContent = text;
  if (text) setTimeout(() => { if (place.textContent === text) place.textContent = ""; }, 6000);
}

// ---- light and dark -------------------------------------------------------------------------

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.getElementById("theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  charts.forEach((chart) => chart.draw());
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.draw()));

// ---- curves ---------------------------------------------------------------------------------

class Chart {
  constructor(place) {
    this.place = place;
    this.section = place.parentElement;
    this.runs = JSON.parse(place.dataset.runs);
    this.y = this.section.querySelector(".chart-y");
    this.x = this.section.querySelector(".chart-x");
    this.whole = this.section.querySelector(".chart-whole");
    this.said = this.section.querySelector(".chart-said");
    this.range = null;
    this.seen = "";
    for (const choice of [this.x, this.y]) {
      choice.addEventListener("change", () => { this.range = null; this.seen = ""; this.load(); });
    }
    this.whole.addEventListener("click", () => { this.range = null; this.seen = ""; this.load(); this.y.focus(); });
    new ResizeObserver(() => {
      if (this.plot && this.plot.width !== this.width()) this.plot.setSize({ width: this.width(), height: 320 });
    }).observe(place);
    this.load();
    setInterval(() => { if (!document.hidden) this.load(); }, EVERY);
  }

  width() { return Math.max(200, this.place.clientWidth - 16); }

  address(run) {
    const query = new URLSearchParams({ run, x: this.x.value, y: this.y.value, points: 2 * this.width() });
    if (this.range) { query.set("from", this.range[0]); query.set("to", this.range[1]); }
    return "/curve?" + query;
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    const addresses = this.runs.map((run) => this.address(run));
    const asked = addresses.map((one) => fetch(one).then(async (r) => (r.ok ? r.json() : { why: await r.text() })));
    let found;
    try { found = await Promise.all(asked); } catch { found = null; }
    this.loading = false;
    if (found === null) { this.said.textContent = "garage-like ui has ended; start it again to go on."; return; }
    // Something else was chosen meanwhile: this is not what the labels say by now.
    if (addresses.some((one, i) => one !== this.address(this.runs[i]))) { this.load(); return; }
    const now = JSON.stringify(found.map((one) => [one.rows, one.shown, one.why]));
    if (now === this.seen) return;
    this.seen = now;
    this.found = found;
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const there = this.found.map((one, i) => [one, i]).filter(([one]) => one.x?.length);
    const rows = there.reduce((sum, [one]) => sum + one.rows, 0);
    const shown = there.reduce((sum, [one]) => sum + one.shown, 0);
    const last = there.length === 1 ? `, the last ${this.y.value} is ${Number(there[0][0].y.at(-1).toPrecision(5))}` : "";
    this.said.textContent = there.length
      ? `${rows.toLocaleString("en")} rows${shown < rows ? `, ${shown.toLocaleString("en")} points drawn` : ""}${last}. Drag to look closer.`
      : this.found.find((one) => one.why)?.why ?? "None of this has numbers in that column.";
    this.place.setAttribute("aria-label", `${this.y.value} over ${this.x.value || "row"}: ${this.said.textContent}`);
    this.whole.hidden = !this.range;
    const data = there.length ? uPlot.join(there.map(([one]) => [one.x, one.y])) : [[], []];
    const style = getComputedStyle(document.documentElement);
    const quiet = style.getPropertyValue("--quiet").trim();
    const line = style.getPropertyValue("--line").trim();
    const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const colours = isDark() ? ON_DARK : ON_LIGHT;
    const swatches = document.querySelectorAll(".swatch");
    this.runs.forEach((_, i) => {
      if (!swatches[i]) return;
      swatches[i].style.borderColor = colours[i % colours.length];
      swatches[i].style.borderTopStyle = i >= colours.length ? "dashed" : "solid";
    });
    const series = there.map(([one, i]) => ({
      label: this.runs.length > 1 ? this.runs[i] : this.y.value,
      stroke: colours[i % colours.length], width: 1.5, spanGaps: true,
      dash: i >= colours.length ? [6, 4] : undefined,
      points: { show: one.shown < 60, fill: style.getPropertyValue("--ground").trim() },
    }));
    if (this.plot) this.plot.destroy();
    this.place.replaceChildren();
    this.plot = new uPlot({
      width: this.width(), height: 320,
      scales: { x: { time: false } },
      axes: [{ ...axis, values: (u, ticks) => ticks.map(short) }, { ...axis, size: 62, values: (u, ticks) => ticks.map(short) }],
      series: [{ label: this.x.value || "row" }, ...series],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [(u) => this.closer(u)] },
    }, data, this.place);
  }

  closer(u) {
    if (u.select.width < 4) return;
    this.range = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    this.seen = "";
    this.load();
  }
}

function short(number) {
  if (number === null || number === undefined) return "";
  const size = Math.abs(number);
  for (const [least, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= least) return Number((number / least).toPrecision(4)) + unit;
  }
  return String(Number(number.toPrecision(4)));
}

const charts = [...document.querySelectorAll(".chart")].map((place) => new Chart(place));

// ---- choosing runs --------------------------------------------------------------------------

const chosen = new Set();

function showChosen() {
  const bar = document.getElementById("chosen");
  if (!bar) return;
  bar.hidden = !chosen.size;
  document.getElementById("chosen-count").textContent = `${chosen.size} chosen`;
  document.getElementById("diff").disabled = chosen.size !== 2;
  for (const box of document.querySelectorAll("td.choose input")) box.checked = chosen.has(box.value);
}

// Chromium ticks boxes again when one goes back, and tells nobody.
addEventListener("pageshow", () => {
  for (const box of document.querySelectorAll("td.choose input:checked")) chosen.add(box.value);
  showChosen();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("td.choose input")) return;
  chosen[event.target.checked ? "add" : "delete"](event.target.value);
  showChosen();
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "chosen") return;
  event.preventDefault();
  const query = new URLSearchParams([...chosen].map((run) => ["run", run]));
  location.href = event.submitter.getAttribute("formaction") + "?" + query;
});
document.addEventListener("click", (event) => {
  if (event.target.id === "choose-none") { chosen.clear(); showChosen(); }
  const sort = event.target.closest("a[data-sort]");
  if (sort && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    document.getElementById("sort").value = sort.dataset.sort;
    htmx.trigger("#find", "submit");
  }
  const branch = event.target.closest(".branch-at");
  if (branch) {
    document.getElementById("branch").hidden = false;
    document.getElementById("branch-epoch").value = branch.dataset.epoch;
    document.getElementById("branch-shown").textContent = branch.dataset.epoch;
    document.getElementById("branch-name").focus();
  }
});

// ---- the rest -------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  if (event.key === "/" && search && !event.target.matches("input, textarea, select")) {
    event.preventDefault();
    search.focus();
  }
});
document.addEventListener("htmx:responseError", (event) => say(event.detail.xhr.responseText || "That could not be done."));
document.addEventListener("htmx:sendError", () => say("garage-like ui has ended; start it again to go on."));
document.addEventListener("htmx:beforeSwap", (event) => {
  const log = event.detail.target.querySelector?.(".log");
  if (log) event.detail.target.dataset.place = log.scrollHeight - log.scrollTop - log.clientHeight < 8 ? "end" : log.scrollTop;
});
document.addEventListener("htmx:afterSwap", (event) => { showChosen(); placeLog(event.detail.target); });

function placeLog(around) {
  const log = around.querySelector?.(".log");
  if (log) log.scrollTop = (around.dataset?.place ?? "end") === "end" ? log.scrollHeight : Number(around.dataset.place);
}
placeLog(document);
