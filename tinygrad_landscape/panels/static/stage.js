// The stage: one still picture (the background) and a canvas on which a few layers move.
//
// Everything arrives as traits of one model and leaves as traits, so the newest value wins and nothing
// queues: `spec` (what stays, see draw/scene.py), `background` (PNG), `layers` (float arrays as bytes),
// `frame`, `turns`, `heard`, `playing`, `speed`, `start`, `loop`, `dial`, `dragging`, `revealed`, `resting`, `resets`, `sentence`, `honesty`, `label`.
// Play runs here, on the browser's own clock. No library, no build step, no network.
//
// paint.js stands before this file in the same module; it holds what knows pixels but no page.
//
// Hooks for tests and for style sheets:
//   .tgl-stage      root; data-paints counts canvas paints, data-frame, data-frames, data-playing,
//                   data-start ("x y"), data-revealed
//   .tgl-picture    holds .tgl-background (img) and .tgl-canvas, both in the scene's shape
//   .tgl-start      the starting point's handle (focus it and press arrows, or drag it)
//   .tgl-play .tgl-back .tgl-forward .tgl-reset (buttons)  .tgl-scrub (range)  .tgl-speed (select)
//   .tgl-readout    the frame in words    .tgl-sentence  the answer in a sentence
//   .tgl-honesty    what the picture leaves out    .tgl-live  what a screen reader is told

const ICONS = {
  play: "M5 3l11 7-11 7z", pause: "M5 3h4v14H5zM11 3h4v14h-4z", back: "M4 3h3v14H4zM16 3v14L8 10z",
  forward: "M13 3h3v14h-3zM4 3v14l8-7z", reset: "M10 3a7 7 0 1 0 7 7h-2.4A4.6 4.6 0 1 1 10 5.4V8l5-4-5-4z",
};
const SPEEDS = [2, 5, 10, 20, 60];
const NARROW = 0.52; // a picture no wider than this share of its full width has its columns below each other

// ---- the widget -----------------------------------------------------------------------------------

const node = (tag, className, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20"); svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = `<path d="${ICONS[name]}" fill="currentColor"/>`;
  return svg;
};

function render({ model, el }) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const button = (name, label, key) => node("button", `tgl-${name}`, { type: "button", title: `${label} (${key})` }, icon(name), node("span", "", {}, label));
  const canvas = node("canvas", "tgl-canvas", { "aria-hidden": "true" });
  const background = node("img", "tgl-background", { alt: "", draggable: "false" });
  const start = node("button", "tgl-start", { type: "button", "aria-roledescription": "movable point" });
  const picture = node("div", "tgl-picture", { role: "group", tabindex: "0" }, background, canvas, start);
  const [play, back, forward, reset] = [button("play", "Play", "space"), button("back", "Step back", "left arrow"),
    button("forward", "Step", "right arrow"), button("reset", "Reset", "r")];
  const scrub = node("input", "tgl-scrub", { type: "range", min: "0", step: "1", "aria-label": "Step" });
  const speed = node("select", "tgl-speed", { "aria-label": "Steps a second", title: "Steps a second" },
    ...SPEEDS.map((each) => node("option", "", { value: each }, `${each}/s`)));
  const readout = node("output", "tgl-readout");
  const sentence = node("p", "tgl-sentence"), live = node("div", "tgl-live", { role: "status", "aria-live": "polite" });
  const honesty = node("details", "tgl-honesty", {}, node("summary", "", {}, "What this picture shows, and what not"), node("p", ""));
  const root = node("div", "tgl-stage", { "data-paints": "0" }, picture,
    node("div", "tgl-transport", { role: "toolbar", "aria-label": "Playback" }, play, back, forward, scrub, readout, speed, reset),
    sentence, honesty, live);
  el.append(root);

  let spec, areas, layout, data = {}, frame = 0, clock = null, waiting = 0, grabbed = null, picked = null, hush = 0, drawn = null;
  const last = () => Math.max(0, model.get("frames") - 1);
  const layer = (name) => spec.layers.find((each) => each.name === name);
  const save = (changes) => { // a hand that chooses a frame counts it, so that older news of the kernel's can be told
    if ("frame" in changes) changes = { ...changes, turns: (model.get("turns") ?? 0) + 1 };
    for (const [k, v] of Object.entries(changes)) model.set(k, v);
    model.save_changes();
  };
  const outdated = () => model.get("heard") !== undefined && model.get("heard") !== model.get("turns");
  const text = () => { // the first text that is not blank at this moment
    for (const l of spec.layers) { const told = l.kind === "text" && words(l, data[l.name], frame); if (told) return told; }
    return "";
  };
  const announce = (lead = "") => { live.textContent = [lead, text(), model.get("sentence")].filter(Boolean).join(". "); };

  // -- painting
  function paint() {
    waiting = 0;
    const c = canvas.getContext("2d"), zoom = canvas.width / layout.width;
    c.setTransform(1, 0, 0, 1, 0, 0); c.clearRect(0, 0, canvas.width, canvas.height);
    for (const { left, top, right, bottom, zoom: closer, at } of layout.pieces) {
      const scale = zoom * closer;
      c.save(); c.setTransform(scale, 0, 0, scale, -left * scale, at * zoom - top * scale);
      c.beginPath(); c.rect(left, top, right - left, bottom - top); c.clip();
      if (background.hidden && background.complete) c.drawImage(background, 0, 0, spec.width, spec.height);
      for (const each of spec.layers) {
        c.save(); PAINT[each.kind](c, each, areas[each.axes], data[each.name], frame); c.restore();
      }
      if (drawn) string(c, drawn);
      if (!model.get("revealed")) for (const axes of spec.axes) if (axes.veil) veil(c, spec, axes);
      c.restore();
    }
    readout.textContent = `${frame} / ${last()}`;
    scrub.max = last(); scrub.value = frame; scrub.setAttribute("aria-valuetext", text() || `step ${frame}`);
    Object.assign(root.dataset, { paints: Number(root.dataset.paints) + 1, frame, frames: last() + 1, playing: clock !== null, revealed: model.get("revealed") });
  }
  const dirty = () => { waiting ||= requestAnimationFrame(paint); };

  function resize() {
    const wide = Math.round(picture.clientWidth * Math.max(1, window.devicePixelRatio || 1));
    arrange();
    const high = Math.round((wide * layout.height) / layout.width);
    if (!wide || (canvas.width === wide && canvas.height === high)) return;
    canvas.width = wide; canvas.height = high; sentence.style.minHeight = "";
    if (waiting) cancelAnimationFrame(waiting);
    paint(); // at once: a canvas is wiped when its size changes
  }

  function arrange() {
    layout = arranged(spec, picture.clientWidth <= NARROW * spec.width);
    background.hidden = layout.pieces.length > 1; // then the canvas shows it, in pieces
    picture.style.aspectRatio = `${layout.width} / ${layout.height}`;
    placeStart();
  }

  // -- what the model says
  function takeSpec() {
    spec = model.get("spec"); areas = frameOf(spec);
    arrange(); root.style.maxWidth = `${spec.width}px`;
    for (const [k, v] of [["--tgl-paper", spec.paper], ["--tgl-ink", spec.ink], ["--tgl-muted", spec.muted], ["--tgl-scale", spec.scale]]) root.style.setProperty(k, v);
    start.hidden = !spec.drag;
    picture.style.cursor = spec.lasso ? "crosshair" : ""; picture.style.touchAction = spec.lasso ? "none" : "";
    for (const each of spec.layers) data[each.name] ||= table(null);
  }
  function takeLayers() {
    const sent = model.get("layers");
    data = Object.fromEntries(spec.layers.map(({ name }) => [name, table(sent[name])]));
    frame = Math.min(frame, last()); placeStart(); dirty();
    queueMicrotask(() => { if (waiting) { cancelAnimationFrame(waiting); paint(); } }); // what the kernel sends need not wait for the clock
  }
  function takeBackground() {
    const old = background.src;
    background.src = URL.createObjectURL(new Blob([model.get("background")], { type: "image/png" }));
    background.onload = () => { if (old) URL.revokeObjectURL(old); if (background.hidden) dirty(); };
  }
  function takeWords() {
    if (sentence.textContent !== model.get("sentence")) { // once it rests, a screen reader hears it
      clearTimeout(hush); hush = setTimeout(() => { nameSliders(); if (clock === null) announce(); }, 900);
    }
    if (sentence.offsetHeight) sentence.style.minHeight = `${sentence.offsetHeight}px`; // a shorter one moves nothing below it
    sentence.textContent = model.get("sentence"); honesty.lastChild.textContent = model.get("honesty");
    honesty.hidden = !model.get("honesty"); picture.setAttribute("aria-label", model.get("label"));
  }
  function placeStart() {
    if (!spec.drag || grabbed) return;
    showStart(model.get("start"));
  }
  function showStart([x, y]) {
    const area = home(spec.drag), { left, top, zoom, at } = layout.pieces.find((piece) => area.left < piece.right && area.top < piece.bottom);
    start.style.left = `${(100 * (area.x.px(x) - left) * zoom) / layout.width}%`;
    start.style.top = `${(100 * (at + (area.y.px(y) - top) * zoom)) / layout.height}%`;
    start.setAttribute("aria-label", `Start at ${said(x)}, ${said(y)}. Arrow keys move it.`);
    root.dataset.start = `${x} ${y}`;
  }

  // -- time
  function go(to) {
    frame = Math.max(0, Math.min(last(), to)); dirty();
    save({ frame, revealed: true, resting: false });
  }
  function tick(now) {
    if (clock === null) return;
    const stride = still.matches ? 0.5 : 1 / model.get("speed"); // seconds between changes of the picture
    const jump = still.matches ? Math.max(1, Math.round(model.get("speed") / 2)) : 1;
    const due = Math.floor((now - clock) / 1000 / stride);
    if (due > 0) { frame = Math.min(last(), frame + due * jump); clock += due * stride * 1000; dirty(); }
    if (frame >= last()) pause("End"); else requestAnimationFrame(tick);
  }
  function run() {
    if (clock !== null) return;
    if (frame >= last()) frame = 0;
    clock = performance.now(); showPlay(); dirty();
    save({ playing: true, revealed: true, resting: false, frame });
    requestAnimationFrame(tick);
  }
  function pause(lead = "Paused") {
    if (clock === null) return;
    clock = null; showPlay(); dirty(); save({ playing: false, frame }); announce(lead);
  }
  function showPlay() {
    const playing = clock !== null, label = playing ? "Pause" : "Play";
    play.replaceChildren(icon(playing ? "pause" : "play"), label); play.title = `${label} (space)`;
  }
  const toggle = () => (clock === null ? run() : pause());
  const step = (by) => { // from 0 if the end is shown only because nobody chose a frame
    pause(""); go((by > 0 && model.get("resting") ? 0 : frame) + by); announce();
  };
  const restart = () => { pause(""); save({ resets: model.get("resets") + 1 }); };

  // -- hands
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * layout.width) / box.width, y = ((event.clientY - box.top) * layout.height) / box.height;
    const { left, top, zoom, at } = layout.pieces.findLast((piece) => y >= piece.at) ?? layout.pieces[0];
    return [left + x / zoom, top + (y - at) / zoom];
  };
  const neat = (value, { low, high }) => {
    const unit = 10 ** Math.floor(Math.log10(Math.abs(high - low) / 200));
    const kept = Math.min(Math.max(low, high), Math.max(Math.min(low, high), value));
    return Number((Math.round(kept / unit) * unit).toPrecision(12));
  };
  function moveStart(point, dragging) {
    const area = areas[layer(spec.drag).axes], to = [neat(point[0], area.x), neat(point[1], area.y)];
    showStart(to); save({ dragging, start: to });
  }
  function seek([x]) {
    const l = layer(spec.seek), d = data[spec.seek], value = areas[l.axes].x.value(x);
    let best = 0;
    for (let r = 1; r < d.rows; r++) if (Math.abs(d.at(r, 0, 0) - value) < Math.abs(d.at(best, 0, 0) - value)) best = r;
    pause(""); go(best);
  }
  function throwLasso([x, y]) {
    const before = drawn.at(-1);
    if (!before || Math.hypot(x - before[0], y - before[1]) > 4) { drawn.push([x, y]); dirty(); }
  }
  function tieLasso() {
    const { x, y } = home(spec.lasso), loop = drawn.map((p) => [neat(x.value(p[0]), x), neat(y.value(p[1]), y)]);
    drawn = null; dirty();
    if (loop.length > 2) save({ loop, dragging: false });
  }
  const inside = ([x, y], area) => x >= area.left && x <= area.right && y >= area.top && y <= area.bottom;
  const home = (name) => areas[layer(name).axes];
  const band = (item) => [0, 1, 2, 3].map((k) => data[spec.bands].at(0, item, k));
  function turnDial([x], dragging) { // to a band's mark, if the hand is near one
    const { x: ruled, left, right } = home(spec.bands);
    let value = Number(ruled.value(Math.max(left, Math.min(right, x))).toPrecision(3)), near = 6;
    for (let k = 0; k < data[spec.bands].items; k++) {
      const mark = band(k)[3], far = Math.abs(ruled.px(mark) - x);
      if (far < near) { near = far; value = Number(mark.toPrecision(4)); }
    }
    save({ dial: value, dragging });
  }
  /** Keys 1 to 4: the mark of that kind of band, or in a panel without bands a part of the way. */
  function jump(number) {
    if (!spec.bands) return step(Math.round(((number - 1) / 3) * last()) - frame);
    for (let k = 0; k < data[spec.bands].items; k++) {
      const [, , kind, mark] = band(k);
      if (kind === number - 1 && !Number.isNaN(mark)) return save({ dial: Number(mark.toPrecision(4)) });
    }
    live.textContent = `${layer(spec.bands).words[number - 1]}: nowhere here`;
  }
  function hand(event) {
    const [x, y] = under(event);
    if (grabbed === "seek") return seek([x, y]);
    if (grabbed === "dial") return turnDial([x, y], true);
    if (grabbed === "lasso") return throwLasso([x, y]);
    const area = home(spec.drag);
    return moveStart([area.x.value(x), area.y.value(y)], true);
  }
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !spec) return;
    const place = under(event), onHandle = event.target === start;
    if (spec.drag && (onHandle || (event.pointerType !== "touch" && inside(place, home(spec.drag))))) grabbed = "start";
    else if (spec.lasso && inside(place, home(spec.lasso))) { grabbed = "lasso"; drawn = []; }
    else if (spec.bands && event.pointerType !== "touch" && inside(place, home(spec.bands))) grabbed = "dial";
    else if (spec.seek && data[spec.seek].rows && model.get("revealed") && inside(place, home(spec.seek))) grabbed = "seek";
    else return;
    event.preventDefault(); (grabbed === "start" ? start : picture).focus({ preventScroll: true });
    picked = event.pointerId; picture.setPointerCapture(picked); hand(event);
  });
  picture.addEventListener("pointermove", (event) => { if (grabbed && event.pointerId === picked) hand(event); });
  const drop = (event) => {
    if (!grabbed || event.pointerId !== picked) return;
    const what = grabbed; grabbed = picked = null; placeStart(); // the kernel may have moved it back onto its track
    if (what === "start") { save({ dragging: false }); announce("Start moved"); } else if (what === "lasso") tieLasso();
    else { if (what === "dial") save({ dragging: false }); announce(); }
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) picture.addEventListener(name, drop);
  picture.addEventListener("click", (event) => { // a tap; mouse and pen have dragged already
    if (event.pointerType !== "touch" || event.target === start) return;
    if (spec.bands && inside(under(event), home(spec.bands))) return turnDial(under(event), false);
    if (!spec.drag || !inside(under(event), home(spec.drag))) return;
    const area = home(spec.drag), [x, y] = under(event);
    moveStart([area.x.value(x), area.y.value(y)], false);
  });
  play.onclick = toggle; back.onclick = () => step(-1); forward.onclick = () => step(1); reset.onclick = restart;
  scrub.oninput = () => { pause(""); go(Number(scrub.value)); };
  scrub.onchange = () => announce();
  speed.onchange = () => save({ speed: Number(speed.value) });

  // -- keys; JupyterLab listens further out and would take the arrows, so no key of ours gets there
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const nudge = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const own = event.target === picture || event.target === start;
    if (event.key !== "Tab") event.stopPropagation();
    if (event.target === start && nudge) {
      const area = home(spec.drag), part = event.shiftKey ? 10 : 100, [x, y] = root.dataset.start.split(" ").map(Number);
      moveStart([x + (nudge[0] * (area.x.high - area.x.low)) / part, y + (nudge[1] * (area.y.high - area.y.low)) / part], false);
    } else if (own && nudge) step(nudge[0] || nudge[1]);
    else if (own && event.key === " ") toggle();
    else if (own && event.key === "Home") step(-frame);
    else if (own && event.key === "End") step(last() - frame);
    else if (event.key === "r" && event.target !== speed) restart();
    else if (/^[1-4]$/.test(event.key) && event.target !== speed) jump(Number(event.key));
    else return;
    event.preventDefault();
  });

  // -- ipywidgets' sliders have no name, and their value is a notch: a screen reader hears those of the box in front of them
  const namer = new MutationObserver(() => nameSliders());
  function nameSliders() {
    const panel = root.closest(".tgl-panel");
    for (const handle of panel?.querySelectorAll(".noUi-handle") ?? []) {
      const box = handle.closest(".widget-slider").previousElementSibling;
      handle.setAttribute("aria-label", box?.querySelector("label")?.textContent || "value");
      handle.setAttribute("aria-valuetext", box?.querySelector("input")?.value || handle.getAttribute("aria-valuetext"));
    }
    if (panel) namer.observe(panel, { childList: true, subtree: true }); // others come later
  }

  // -- life
  const heard = {
    spec: () => { takeSpec(); takeLayers(); resize(); }, background: takeBackground, layers: takeLayers, start: placeStart, revealed: dirty,
    frames: dirty, sentence: takeWords, honesty: takeWords, label: takeWords, speed: () => { speed.value = model.get("speed"); },
    frame: () => {
      if (clock !== null) return;
      if (outdated()) { if (model.get("frame") !== frame) model.set("frame", frame); return; } // the kernel has not heard the hand yet
      frame = Math.min(last(), model.get("frame")); dirty();
    },
    playing: () => (model.get("playing") ? run() : pause()),
  };
  takeSpec(); frame = model.get("frame"); takeLayers(); takeBackground(); takeWords(); showPlay(); speed.value = model.get("speed");
  for (const [name, react] of Object.entries(heard)) model.on(`change:${name}`, react);
  const watcher = new ResizeObserver(() => { resize(); nameSliders(); });
  watcher.observe(picture);
  if (model.get("playing") && !still.matches) run();
  else if (model.get("playing")) { frame = last(); dirty(); save({ playing: false, frame }); } // it moves when asked to
  return () => {
    for (const [name, react] of Object.entries(heard)) model.off(`change:${name}`, react);
    watcher.disconnect(); namer.disconnect(); clearTimeout(hush); clock = null; if (waiting) cancelAnimationFrame(waiting); URL.revokeObjectURL(background.src);
  };
}

export default { render };
