"use strict";
// The table of all trials: sorted and filtered in memory; rows are made as they are asked for.
{
  const CHUNK = 100;
  const COLUMNS = [
    ["row", "Trial", (t) => t.number], ["purpose", "For", (t) => (t.purpose === "confirm" ? "fresh seed" : "search")],
    ["status", "Outcome", (t) => t.status], ["value", `Validation ${page.objective.name}`, (t) => exactly(t.value)],
    ["fidelity", "Training", (t) => `${+(100 * t.fidelity).toFixed(1)} %`], ["parameters", "Parameters", (t) => short(t.parameters)],
    ["latency_ms", "Latency", (t) => (t.latency_ms === null ? "–" : short(t.latency_ms) + " ms")],
    ["seconds", "Took", (t) => clock(t.seconds)], ["origin", "Where from, why it ended", (t) => [t.origin, t.reason].filter(Boolean).join(": ")],
  ];
  const NUMERIC = new Set(["row", "value", "fidelity", "parameters", "latency_ms", "seconds"]);
  const choicesOf = (t) => Object.entries(page.choices)
    .map(([path, column]) => [path, column.values[column.codes[t.row]]]).filter(([, label]) => label !== null);
  const texts = trials.map((t) => [`#${t.number}`, t.status, t.purpose, t.origin, t.reason,
    ...choicesOf(t).map(([path, label]) => `${path}=${label}`)].join(" ").toLowerCase());
  let key = "row", down = false, shown = CHUNK;

  const search = make("input", { type: "search", placeholder: "Filter: a reason, an origin, a choice such as depth=3", "aria-label": "Filter the trials" });
  const outcome = make("select", { "aria-label": "Outcome" }, ...["every outcome", "finished", "failed", "pruned"].map((s) => make("option", {}, s)));
  const told = make("span", { class: "note" });
  const body = make("tbody");
  const more = make("button", { type: "button", class: "more" });
  const heads = COLUMNS.map(([name, title]) => {
    const button = make("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      [key, down] = name === key ? [key, !down] : [name, name === "value" && page.objective.higher];
      update();
    });
    return make("th", { scope: "col", class: NUMERIC.has(name) ? "number" : "" }, button);
  });

  function compare(a, b) {
    const [u, v] = [a[key], b[key]];
    if (u === null || v === null) return (u === null) - (v === null) || a.row - b.row;
    const order = typeof u === "number" ? u - v : String(u).localeCompare(String(v));
    return (down ? -order : order) || a.row - b.row;
  }

  function details(t) {
    const facts = [["seed", t.seed], ["continues trial", t.parent], ["FLOPs", short(t.flops)], ["training", clock(t.train_seconds)],
      ["memory", t.memory_bytes === null ? null : short(t.memory_bytes) + "B"]].filter(([, v]) => v !== null);
    const list = make("dl", {}, ...[...facts, ...choicesOf(t)].map(([name, v]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(v)))));
    const cell = make("td", { colspan: COLUMNS.length }, list);
    if (t.reason) cell.prepend(make("p", {}, t.reason));
    if (t.traceback) cell.append(make("pre", { tabindex: "0" }, t.traceback));
    return make("tr", { class: "details" }, cell);
  }

  function row(t) {
    const open = make("button", { type: "button", "aria-expanded": "false" }, String(t.number));
    const cells = COLUMNS.map(([name, , text], i) => make("td", { class: NUMERIC.has(name) ? "number" : name }, i ? text(t) : open));
    const line = make("tr", { class: `${t.status} ${t.number === page.winner && t.purpose === "search" ? "winner-row" : ""}` }, ...cells);
    line.addEventListener("click", () => {
      const opened = open.getAttribute("aria-expanded") === "true";
      open.setAttribute("aria-expanded", String(!opened));
      if (opened) line.nextSibling.remove();
      else line.after(details(t));
    });
    return line;
  }

  function update() {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const kept = trials.filter((t) => (outcome.selectedIndex === 0 || t.status === outcome.value) && wanted.every((w) => texts[t.row].includes(w)));
    kept.sort(compare);
    body.replaceChildren(...kept.slice(0, shown).map(row));
    heads.forEach((head, i) => head.setAttribute("aria-sort", COLUMNS[i][0] !== key ? "none" : down ? "descending" : "ascending"));
    told.textContent = `${kept.length} of ${trials.length}`;
    more.hidden = kept.length <= shown;
    more.textContent = `Show ${Math.min(kept.length - shown, 5 * CHUNK)} more of ${kept.length - shown}`;
  }

  search.addEventListener("input", () => { shown = CHUNK; update(); });
  outcome.addEventListener("change", () => { shown = CHUNK; update(); });
  more.addEventListener("click", () => { shown += 5 * CHUNK; update(); });
  const table = make("table", { class: "trials" }, make("thead", {}, make("tr", {}, ...heads)), body);
  document.getElementById("trials").append(make("div", { class: "filter" }, search, outcome, told), make("div", { class: "scroll" }, table), more);
  update();
}
