"use strict";
// Draws the two charts from the data block of the page. No library: an axis, a scale and marks are all there is.
const SVG = document.querySelector("svg.network").namespaceURI;
const page = JSON.parse(document.getElementById("data").textContent);
const trials = page.numbers.number.map((_, row) => {
  const trial = { row };
  for (const [name, column] of Object.entries(page.numbers)) trial[name] = column[row];
  for (const [name, column] of Object.entries(page.words)) trial[name] = column.values[column.codes[row]];
  return trial;
});
const searched = trials.filter((t) => t.purpose === "search");
const scored = searched.filter((t) => t.status === "finished" && t.value !== null);
const better = (a, b) => (page.objective.higher ? a > b : a < b);
const highest = Math.max(...scored.map((t) => t.level));
const AXES = {
  elapsed: "time since the start", number: "trial", parameters: "parameters", flops: "FLOPs for one example",
  latency_ms: "latency of one example, ms", train_seconds: "training time, s",
};

function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function short(value) {
  if (value === null) return "–";
  for (const [size, letter] of [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"]])
    if (Math.abs(value) >= size) return +(value / size).toPrecision(3) + letter;
  return String(+value.toPrecision(3));
}
const exactly = (value) => (value === null ? "–" : Math.abs(value) < 10 ? value.toFixed(4) : String(+value.toPrecision(5)));

function clock(seconds) {
  if (seconds === null) return "–";
  if (seconds < 60) return +seconds.toPrecision(seconds < 10 ? 2 : 3) + " s";
  const minutes = Math.round(seconds / 60 * 10) / 10;
  return minutes < 120 ? minutes + " min" : +(minutes / 60).toFixed(1) + " h";
}

// Steps of 1, 2 or 5 times a power of ten; for times, of whole minutes or hours.
function ticks(low, high, wanted, steps) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (steps || []).find((s) => s >= rough) || power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(+(i * step).toPrecision(12));
  return found;
}

function logTicks(low, high) {
  for (const multiples of [[1], [1, 3], [1, 2, 5]]) {
    const found = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++)
      for (const m of multiples) if (m * 10 ** p >= low && m * 10 ** p <= high) found.push(m * 10 ** p);
    if (found.length > 2) return found;
  }
  return [low, high];
}

// The values shown: all, unless some bad ones would press the others together; the default's always.
function range(values) {
  const sorted = [...values].sort((a, b) => (better(a, b) ? -1 : 1));
  const [best, worst] = [sorted[0], sorted[sorted.length - 1]];
  const most = sorted[Math.floor((sorted.length - 1) * 0.8)];
  let bound = Math.abs(worst - best) > 1.8 * Math.abs(most - best) && most !== best ? most + (most - best) * 0.4 : worst;
  if (page.default.value !== null && better(bound, page.default.value)) bound = page.default.value;
  if (bound === best) bound = best - (page.objective.higher ? 1 : -1) * (Math.abs(best) * 0.01 || 1);
  const margin = (best - bound) * 0.06;
  return [Math.min(best + margin, bound - margin), Math.max(best + margin, bound - margin)];
}

// A frame with both axes; it returns the scales and where to put marks.
function frame(place, key, xs, logarithmic, lane) {
  const width = Math.max(place.clientWidth, 300), height = width < 560 ? 320 : 380;
  const box = { left: 66, right: width - 26, top: 12, bottom: height - 46 - (lane ? 22 : 0) };
  const values = scored.map((t) => t.value);
  if (page.default.value !== null) values.push(page.default.value);
  const [low, high] = range(values);
  let [first, last] = [Math.min(...xs), Math.max(...xs)];
  if (logarithmic) [first, last] = [first / 1.15, last * 1.15];
  else if (key === "elapsed" || key === "number") first = 0;
  else [first, last] = [first - (last - first) * 0.04, last + (last - first) * 0.04];
  if (first === last) [first, last] = first > 0 ? [first / 2, last * 1.5] : [first - 1, last + 1];
  const along = (v) => (logarithmic ? Math.log(v / first) / Math.log(last / first) : (v - first) / (last - first));
  const x = (v) => box.left + along(v) * (box.right - box.left);
  const clamp = (v) => Math.min(Math.max(v, low), high);
  const y = (v) => box.bottom - ((clamp(v) - low) / (high - low)) * (box.bottom - box.top);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": place.dataset.title });
  const wanted = width < 560 ? 4 : 8;
  const minutes = key === "elapsed" && last > 90 ? [15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 36000] : null;
  const marks = logarithmic ? logTicks(first, last) : ticks(first, last, wanted, minutes);
  for (const v of ticks(low, high, 5)) {
    svg.append(draw("line", { x1: box.left, x2: box.right, y1: y(v), y2: y(v), class: "grid-line" }));
    svg.append(draw("text", { x: box.left - 8, y: y(v) + 4, class: "tick end" }, String(v)));
  }
  for (const v of marks.filter((v) => key !== "number" || Number.isInteger(v))) {
    svg.append(draw("line", { x1: x(v), x2: x(v), y1: height - 46, y2: height - 41, class: "axis" }));
    svg.append(draw("text", { x: x(v), y: height - 27, class: "tick" }, key === "elapsed" ? clock(v) : short(v)));
  }
  svg.append(draw("line", { x1: box.left, x2: box.right, y1: height - 46, y2: height - 46, class: "axis" }));
  svg.append(draw("text", { x: (box.left + box.right) / 2, y: height - 8, class: "label" }, AXES[key]));
  const sense = page.objective.higher ? "higher is better" : "lower is better";
  const side = `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)`;
  svg.append(draw("text", { transform: side, class: "label" }, `validation ${page.objective.name}, ${sense}`));
  const hidden = scored.filter((t) => t.value < low || t.value > high).length;
  return { svg, x, y, box, hidden, points: [] };
}

function line(f, points, name) {
  if (points.length) f.svg.append(draw("path", { d: "M" + points.map((p) => p.join(" ")).join("L"), class: name }));
}

function defaultLine(f) {
  if (page.default.value === null) return;
  const y = f.y(page.default.value);
  f.svg.append(draw("line", { x1: f.box.left, x2: f.box.right, y1: y, y2: y, class: "default-line" }));
  f.svg.append(draw("text", { x: f.box.right - 4, y: page.objective.higher ? y + 15 : y - 7, class: "tick end default-text" }, page.default.label));
}

function dot(f, trial, x) {
  const y = f.y(trial.value), rank = Math.min(highest - trial.level, 3);
  f.svg.append(draw("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 4.2 - 0.6 * rank, class: `dot rank${rank}` }));
  f.points.push({ x, y, trial });
}

// Best so far: a step for each better trial, level after level, the highest on top.
function bestSoFar(f, key, level) {
  const points = [];
  let best = null;
  const ordered = scored.filter((t) => t.level === level && t[key] !== null).sort((a, b) => a[key] - b[key]);
  for (const t of ordered) {
    if (best !== null && !better(t.value, best)) continue;
    if (best !== null) points.push([f.x(t[key]).toFixed(1), f.y(best).toFixed(1)]);
    best = t.value;
    points.push([f.x(t[key]).toFixed(1), f.y(best).toFixed(1)]);
  }
  if (best !== null) points.push([f.box.right, f.y(best).toFixed(1)]);
  line(f, points, `best rank${Math.min(highest - level, 3)}`);
}

function progress(place, key) {
  const lost = searched.filter((t) => t.status !== "finished" && t[key] !== null);
  const f = frame(place, key, searched.map((t) => t[key]).filter((v) => v !== null), false, lost.length > 0);
  defaultLine(f);
  for (let level = 0; level <= highest; level++) {
    for (const t of scored) if (t.level === level && t[key] !== null) dot(f, t, f.x(t[key]));
    bestSoFar(f, key, level);
  }
  for (const t of lost) {
    const x = f.x(t[key]), y = f.box.bottom + 13;
    const shape = t.status === "failed" ? `M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7` : `M${x - 3.5} ${y}h7`;
    f.svg.append(draw("path", { d: shape, class: `lost ${t.status}` }));
    f.points.push({ x, y, trial: t });
  }
  mark(f, key);
  finish(place, f, [...levelKeys(), ["best-key", "best so far"], ...lostKeys(lost)]);
}

function cost(place, key) {
  const shown = scored.filter((t) => t[key] !== null && t[key] > 0).sort((a, b) => a.level - b.level);
  const xs = shown.map((t) => t[key]);
  if (page.default[key]) xs.push(page.default[key]);
  if (!xs.length) return place.replaceChildren("No trial tells this cost.");
  const f = frame(place, key, xs, Math.max(...xs) > 8 * Math.min(...xs), false);
  for (const t of shown) dot(f, t, f.x(t[key]));
  const front = [];
  const ordered = shown.filter((t) => t.level === highest).sort((a, b) => a[key] - b[key] || (better(a.value, b.value) ? -1 : 1));
  for (const t of ordered) if (!front.length || better(t.value, front[front.length - 1].value)) front.push(t);
  line(f, front.flatMap((t, i) => {
    const here = [f.x(t[key]).toFixed(1), f.y(t.value).toFixed(1)];
    return i ? [[here[0], f.y(front[i - 1].value).toFixed(1)], here] : [here];
  }), "front");
  mark(f, key);
  finish(place, f, [...levelKeys(), ["front-key", "best for its cost"]]);
}

// Rings around the winner and the default.
function mark(f, key) {
  const marks = [[page.winner, "winner", "chosen"], [page.default.trial, "default-mark", "default"]];
  for (const [number, name, text] of page.winner === page.default.trial ? [[page.winner, "winner", "chosen: the default"]] : marks) {
    const t = scored.find((trial) => trial.number === number);
    let [x, y] = t && t[key] !== null ? [f.x(t[key]), f.y(t.value)] : [null, null];
    if (x === null && name === "default-mark" && page.default[key] && page.default.value !== null)
      [x, y] = [f.x(page.default[key]), f.y(page.default.value)];
    if (x === null) continue;
    const end = x > f.box.right - 90;
    f.svg.append(draw("circle", { cx: x, cy: y, r: 8, class: name }));
    f.svg.append(draw("text", { x: end ? x - 13 : x + 13, y: y + (name === "winner" ? -8 : 20), class: `mark ${name}-text ${end ? "end" : ""}` }, text));
  }
}

function levelKeys() {
  if (!scored.length) return [];
  const used = [...new Set(scored.map((t) => t.level))].sort((a, b) => b - a);
  return used.map((level) => [`dot-key rank${Math.min(highest - level, 3)}`, page.levels[level]]);
}
const lostKeys = (lost) => [["failed", "× failed"], ["pruned", "– pruned"]].filter(([s]) => lost.some((t) => t.status === s));

function finish(place, f, keys) {
  const legend = make("div", { class: "legend" }, ...keys.map(([name, text]) => make("span", {}, make("i", { class: `key ${name}` }), text)));
  if (f.hidden) legend.append(make("span", {}, `${f.hidden} of ${scored.length} trials lie beyond the axis and stand at its edge`));
  const tip = make("div", { class: "tip", hidden: "" });
  f.svg.addEventListener("pointermove", (event) => {
    const scale = f.svg.viewBox.baseVal.width / f.svg.clientWidth;
    const [px, py] = [event.offsetX * scale, event.offsetY * scale];
    let near = null, distance = 22;
    for (const p of f.points) {
      const d = Math.hypot(p.x - px, p.y - py);
      if (d < distance) [near, distance] = [p, d];
    }
    tip.hidden = !near;
    if (!near) return;
    const t = near.trial;
    const facts = [`Trial ${t.number}: ${t.status === "finished" ? exactly(t.value) : t.status}`, t.reason, t.origin,
      `${short(t.parameters)} parameters, ${short(t.flops)} FLOPs`, `${(100 * t.fidelity).toFixed(0)} % of a full training, ${clock(t.seconds)}`];
    tip.replaceChildren(...facts.filter(Boolean).map((text) => make("div", {}, text)));
    tip.style.left = `${Math.min(near.x / scale + 12, f.svg.clientWidth - 210)}px`;
    tip.style.top = `${near.y / scale + 12}px`;
  });
  f.svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  place.replaceChildren(f.svg, tip, legend);
}

for (const [name, chart] of [["progress", progress], ["cost", cost]]) {
  const place = document.getElementById(`${name}-chart`);
  const chosen = () => document.querySelector(`input[name=${name}]:checked`).value;
  const again = () => (scored.length ? chart(place, chosen()) : place.replaceChildren("No trial finished."));
  for (const input of document.querySelectorAll(`input[name=${name}]`)) input.addEventListener("change", again);
  let width = 0;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    again();
  })).observe(place);
}
