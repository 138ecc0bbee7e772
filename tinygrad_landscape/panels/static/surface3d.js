// A surface that mouse, touch and keys turn, with a walk over it, in step with a stage.
//
// Everything arrives as traits of one model: `look` (colours, axes, letters), `grid` (shares of height as bytes),
// `path` (rows, walkers, x y share), `frame`, `playing`, `speed`, `camera` (turn, tilt, zoom), `home`, `label`, `honesty`, `aspect`,
// and `player`, another model whose frame, playing and speed count instead of ours. Turning needs no message; the camera is
// saved when the hand lets go. No library, no build step, no network.
//
// hills.js stands before this file in the same module; it holds what knows pixels but no page.
//
// Hooks for tests and for style sheets:
//   .tgl-surface3d  root; data-paints counts paints, data-mode is "webgl" or "canvas", data-frame, data-playing,
//                   data-camera ("turn tilt zoom"), data-fine
//   .tgl-hills      the picture (focus it: arrows turn, + and - zoom, r resets the view, space plays)
//   .tgl-ground and .tgl-words (canvases)   .tgl-nearer .tgl-farther .tgl-home (buttons)   .tgl-honesty   .tgl-live

const LIMITS = { tilt: [3, 90], zoom: [0.5, 6] };
const QUICK = 0.75, LATE = 22; // pixels a pixel while it turns on a slow machine, and the milliseconds a frame that make it one

function node(tag, className, attributes = {}, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const held = (value, [low, high]) => Math.max(low, Math.min(high, value));

function render({ model, el }) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const button = (name, sign, label) => node("button", `tgl-${name}`, { type: "button", title: label, "aria-label": label }, sign);
  let ground = node("canvas", "tgl-ground", { "aria-hidden": "true" });
  const over = node("canvas", "tgl-words", { "aria-hidden": "true" });
  const hills = node("div", "tgl-hills", { role: "group", tabindex: "0" }, ground, over);
  const [nearer, farther, home] = [button("nearer", "+", "Nearer (+)"), button("farther", "\u2212", "Farther (-)"), button("home", "\u21ba", "Reset the view (r)")];
  const live = node("div", "tgl-live", { role: "status", "aria-live": "polite" });
  const hint = node("span", "tgl-hint", {}, "drag or arrow keys: turn"), honesty = node("p", "tgl-honesty");
  const root = node("div", "tgl-surface3d", { "data-paints": "0" }, hills, node("div", "tgl-views", { role: "toolbar", "aria-label": "View" }, hint, nearer, farther, home), honesty, live);
  el.append(root);

  let painter = model.get("plain") ? null : webgl(ground), lead = model, camera, frame = 0, clock = null, waiting = 0, gliding = 0, pending = 0;
  if (!painter) {
    const fresh = node("canvas", "tgl-ground", { "aria-hidden": "true" }); // one that never met WebGL
    ground.replaceWith(fresh); ground = fresh; painter = plain(fresh);
  }
  root.dataset.mode = painter.mode;
  const last = () => Math.max(0, (model.get("path").shape?.[0] ?? 1) - 1);
  const save = (changes) => { for (const [name, value] of Object.entries(changes)) model.set(name, value); model.save_changes(); };
  const tell = () => { live.textContent = `Seen from ${Math.round(camera[0])} degrees, ${Math.round(camera[1])} degrees up, zoom ${camera[2].toFixed(1)}.`; };

  // -- painting: fine when all rests; while it moves as fine as this machine can, judged by the browser's own frames
  let sharp = 1, quick = false, slow = 0, rest = 0;
  const moving = () => rest > performance.now() || clock !== null;
  function paint(now) {
    waiting = 0;
    const fine = !(quick && moving()), { width, height } = hills.getBoundingClientRect();
    fit(ground, fine ? sharp : QUICK, width, height);
    if (!ground.width) return;
    const look = model.get("look"), view = lens(camera, width, height);
    painter.paint({ look, view, frame: Math.min(frame, last()), sharp: ground.width / width, fine });
    fit(over, sharp, width, height);
    const c = over.getContext("2d"), zoom = over.width / width;
    c.setTransform(zoom, 0, 0, zoom, 0, 0); c.clearRect(0, 0, width, height);
    letters(c, look, view);
    Object.assign(root.dataset, { paints: Number(root.dataset.paints) + 1, frame: Math.min(frame, last()), camera: camera.map((v) => +v.toFixed(2)).join(" "), playing: clock !== null, fine });
    if (now && moving() && !quick) requestAnimationFrame((then) => { slow = 0.6 * slow + 0.4 * (then - now); quick = slow > LATE; });
  }
  const dirty = () => { waiting ||= requestAnimationFrame(paint); };
  function fit(canvas, zoom, width, height) {
    const [wide, high] = [width, height].map((side) => Math.round(side * zoom));
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  }
  function resize() {
    sharp = Math.max(1, window.devicePixelRatio || 1);
    cancelAnimationFrame(waiting); paint(); // at once: a canvas is wiped when its size changes
  }
  function busy() { // and once more, fine, when the hand rests
    rest = performance.now() + 160;
    clearTimeout(pending); pending = setTimeout(dirty, 180);
  }

  // -- the camera
  function look([turn, tilt, zoom], done = true) {
    camera = [((turn % 360) + 360) % 360, held(tilt, LIMITS.tilt), held(zoom, LIMITS.zoom)];
    busy(); dirty();
    if (done) { save({ camera: [...camera] }); tell(); }
  }
  function glide(to) { // the short way round, unless motion is unwanted
    cancelAnimationFrame(gliding);
    if (still.matches) return look(to);
    const from = [...camera], begun = performance.now(), around = ((to[0] - from[0] + 540) % 360) - 180;
    const turn = (now) => {
      const t = Math.min(1, (now - begun) / 350), s = t * t * (3 - 2 * t);
      look([from[0] + around * s, from[1] + (to[1] - from[1]) * s, from[2] + (to[2] - from[2]) * s], t === 1);
      if (t < 1) gliding = requestAnimationFrame(turn);
    };
    gliding = requestAnimationFrame(turn);
  }
  const zoomed = (factor, done = true) => look([camera[0], camera[1], camera[2] * factor], done);

  // -- hands: one finger turns, two zoom; the wheel zooms once the picture was chosen, so that pages can be scrolled
  const fingers = new Map();
  const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  hills.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || fingers.size === 2) return;
    cancelAnimationFrame(gliding); event.preventDefault(); hills.focus({ preventScroll: true });
    hills.setPointerCapture(event.pointerId); fingers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  hills.addEventListener("pointermove", (event) => {
    const was = fingers.get(event.pointerId);
    if (!was) return;
    const before = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (before) return zoomed(spread() / before, false);
    const degree = 200 / hills.clientWidth; // the width of the picture is 200 degrees
    look([camera[0] - (event.clientX - was[0]) * degree, camera[1] + (event.clientY - was[1]) * degree, camera[2]], false);
  });
  const drop = (event) => { if (fingers.delete(event.pointerId) && !fingers.size) look(camera); };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) hills.addEventListener(name, drop);
  hills.addEventListener("dblclick", () => glide(model.get("home")));
  hills.addEventListener("wheel", (event) => {
    if (document.activeElement !== hills && !event.ctrlKey) return;
    event.preventDefault(); zoomed(Math.exp(-event.deltaY / (event.deltaMode ? 10 : 400)));
  }, { passive: false });
  nearer.onclick = () => glide([camera[0], camera[1], camera[2] * 1.3]);
  farther.onclick = () => glide([camera[0], camera[1], camera[2] / 1.3]);
  home.onclick = () => glide(model.get("home"));

  // -- keys; JupyterLab listens further out and would take the arrows, so no key of ours gets there
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Tab") event.stopPropagation();
    const step = event.shiftKey ? 1 : 6, way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (event.target !== hills && event.key !== "r") return;
    if (way) look([camera[0] + way[0], camera[1] + way[1], camera[2]]);
    else if (event.key === "+" || event.key === "=") zoomed(1.15);
    else if (event.key === "-" || event.key === "_") zoomed(1 / 1.15);
    else if (event.key === "r" || event.key === "Home") glide(model.get("home"));
    else if (event.key === " ") { lead.set("playing", !lead.get("playing")); lead.save_changes(); }
    else return;
    event.preventDefault();
  });

  // -- time: the same clock as the stage's, started and stopped by the same traits
  function tick(now) {
    if (clock === null) return;
    const speed = lead.get("speed"), pace = still.matches ? 2 : speed, jump = still.matches ? Math.max(1, Math.round(speed / 2)) : 1;
    const due = Math.floor(((now - clock) / 1000) * pace);
    if (due > 0) { frame = Math.min(last(), frame + due * jump); clock += (1000 * due) / pace; dirty(); }
    if (frame < last()) requestAnimationFrame(tick); else halt();
  }
  function run() {
    if (clock !== null) return;
    frame = lead.get("frame");
    if (frame >= last()) frame = 0;
    clock = performance.now(); dirty(); requestAnimationFrame(tick);
  }
  function halt() {
    if (clock === null) return;
    clock = null; dirty();
    if (lead === model && model.get("playing")) save({ playing: false, frame }); // a stage stops by itself
  }

  // -- life
  const heard = {
    look() {
      const look = model.get("look");
      for (const name of ["paper", "ink", "muted", "scale"]) root.style.setProperty(`--tgl-${name}`, look[name]);
      painter.look(look); dirty();
    },
    grid() { painter.grid(mesh(model.get("grid"))); dirty(); },
    path() { painter.path(ways(model.get("path"))); dirty(); },
    camera() { if (!fingers.size) { camera = [...model.get("camera")]; dirty(); } },
    aspect() { hills.style.aspectRatio = model.get("aspect"); },
    label() { hills.setAttribute("aria-label", `${model.get("label")}. Arrow keys turn, plus and minus zoom, r resets the view, space plays.`); },
    honesty() { honesty.textContent = model.get("honesty"); honesty.hidden = !model.get("honesty"); },
  };
  const timed = {
    frame() { frame = lead.get("frame"); if (clock !== null) clock = performance.now(); dirty(); },
    playing() { if (lead.get("playing")) run(); else halt(); },
  };
  const listen = (to, reactions, how) => { for (const [name, react] of Object.entries(reactions)) to[how](`change:${name}`, react); };
  async function join() { // keep step with a stage, if there is one
    let stage = model.get("player");
    if (typeof stage === "string") stage = await model.widget_manager.get_model(stage.replace("IPY_MODEL_", ""));
    listen(lead, timed, "off"); lead = stage || model; listen(lead, timed, "on");
    timed.frame(); timed.playing();
  }
  for (const react of Object.values(heard)) if (react !== heard.camera) react();
  camera = [...model.get("camera")];
  ground.addEventListener("webglcontextlost", (event) => event.preventDefault());
  ground.addEventListener("webglcontextrestored", () => { painter = webgl(ground); heard.look(); heard.grid(); heard.path(); });
  listen(model, heard, "on"); model.on("change:player", join); join();
  const watcher = new ResizeObserver(resize);
  watcher.observe(hills);
  return () => {
    listen(model, heard, "off"); listen(lead, timed, "off"); model.off("change:player", join);
    watcher.disconnect(); clock = null; cancelAnimationFrame(waiting); cancelAnimationFrame(gliding); clearTimeout(pending); painter.leave();
  };
}

export default { render };
