// A panel without a kernel. paint.js, stage.js and live.js stand before this file in the same module; what a
// kernel would answer was computed beforehand, and lies in the page as `states` over a grid of control values.
//
// The address says which moment is seen (#lr=0.5&frame=12, and &start=1,-1 where the start can be dragged), so
// that a link opens it. Hooks: .tgl-baked holds an input or select (data-name) for every control.

/** The stage's model: what anywidget's does in a notebook, with this page for a kernel. */
class Model {
  constructor(state) { this.state = state; this.heard = {}; }
  get(name) { return this.state[name]; }
  set(name, value) { this.tell({ [name]: value }); }
  save_changes() {}
  on(event, react) { (this.heard[event] ||= []).push(react); }
  off(event, react) { this.heard[event] = (this.heard[event] || []).filter((each) => each !== react); }
  tell(changes) { // everything first, so that nobody hears of a half-made moment
    const fresh = Object.keys(changes).filter((name) => JSON.stringify(changes[name]) !== JSON.stringify(this.state[name]) || name === "layers");
    Object.assign(this.state, changes);
    for (const name of fresh) for (const react of this.heard[`change:${name}`] || []) react();
  }
}

const spoken = (value) => ({ true: "yes", false: "no" })[value] ?? String(value);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
/** Numbers of `size` bytes, packed as all first bytes, then all second ones, ... */
async function unpacked(text, size) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer()), count = planes.length / size;
  return Uint8Array.from(planes, (_, k) => planes[(k % size) * count + Math.floor(k / size)]);
}

async function open(baked, el) {
  const { controls, states, opening, type, live } = baked, width = type === "f8" ? 8 : 4;
  const numbers = await unpacked(baked.numbers, width);
  const inputs = controls.map(knob);
  let chosen = [...opening.chosen], start = null, late = 0;

  /** The state a place in the grid has, its layers unpacked. */
  function stateAt(places) {
    const { layers, ...words } = states[places.reduce((index, place, k) => index * controls[k].values.length + place, 0)];
    const sent = Object.entries(layers).map(([name, [from, ...shape]]) => {
      const size = shape.reduce((a, b) => a * b, width);
      return [name, { shape, type, data: numbers.subarray(from, from + size) }];
    });
    return { ...words, layers: Object.fromEntries(sent) };
  }
  /** What is to be seen: baked, or walked here and now from a start that was dragged away. */
  function now() {
    const state = stateAt(chosen);
    if (!start) return state;
    const values = Object.fromEntries(controls.map(({ name, values }, k) => [name, values[chosen[k]]]));
    return { ...state, ...walked(live, start, values.lr) };
  }

  const first = now();
  const model = new Model({
    ...first, spec: baked.spec, background: bytes(baked.background), label: baked.label, speed: baked.speed, frame: opening.frame ?? first.frames - 1,
    playing: false, dragging: false, revealed: opening.frame !== null, resting: opening.frame === null, resets: 0,
  });
  /** Show the moment; keep to the frame that was shown, or to the end if that was. */
  function show() {
    const state = now(), atEnd = model.get("resting") || model.get("frame") >= model.get("frames") - 1;
    if (!model.get("playing")) state.frame = atEnd ? state.frames - 1 : Math.min(model.get("frame"), state.frames - 1);
    model.tell(state);
    inputs.forEach((input, k) => input.show(chosen[k]));
    soon();
  }
  function knob({ name, label, values }, k) { // numbers on a slider, words in a list
    const slides = typeof values[0] === "number", output = node("output", "");
    const input = slides ? node("input", "", { type: "range", min: 0, max: values.length - 1, step: 1, "data-name": name })
      : node("select", "", { "data-name": name }, ...values.map((value, place) => node("option", "", { value: place }, spoken(value))));
    el.append(node("div", "tgl-baked", {}, node("label", "", {}, node("span", "", {}, label), input), slides ? output : ""));
    input.oninput = () => { chosen[k] = Number(input.value); show(); };
    return { show: (place) => {
      input.value = place;
      if (slides) { output.textContent = said(values[place]); input.setAttribute("aria-valuetext", said(values[place])); }
    } };
  }
  const reset = () => {
    chosen = [...opening.chosen]; start = null;
    model.tell({ playing: false, revealed: opening.frame !== null, resting: opening.frame === null, frame: opening.frame ?? 0 });
    show();
  };

  // -- the address
  function write() {
    const parts = controls.map(({ name, values }, k) => [name, values[chosen[k]]]).filter((_, k) => chosen[k] !== opening.chosen[k]);
    if (start) parts.push(["start", start.join(",")]);
    if (!model.get("resting")) parts.push(["frame", model.get("frame")]);
    const hash = parts.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");
    try { history.replaceState(null, "", `${location.pathname}${location.search}${hash && `#${hash}`}`); } catch { /* a frame without an address */ }
  }
  function soon() { clearTimeout(late); late = setTimeout(write, 150); } // browsers limit how often
  function read() {
    const asked = new URLSearchParams(location.hash.slice(1)), frame = asked.get("frame");
    chosen = controls.map(({ name, values }, k) => (asked.has(name) ? nearest(values, asked.get(name)) ?? opening.chosen[k] : opening.chosen[k]));
    const place = (asked.get("start") || "").split(",").map(Number);
    start = live && place.length === 2 && place.every(Number.isFinite) ? place : null;
    const at = frame !== null && /^\d+$/.test(frame) ? Math.min(Number(frame), now().frames - 1) : opening.frame;
    const begun = frame !== null || opening.frame !== null;
    model.tell({ playing: false, resting: at === null, revealed: begun, ...now(), frame: at ?? now().frames - 1 });
    inputs.forEach((input, k) => input.show(chosen[k]));
  }

  const leave = render({ model, el });
  for (const name of ["frame", "playing", "resting"]) model.on(`change:${name}`, soon);
  model.on("change:resets", reset);
  model.on("change:start", () => {
    const to = model.get("start"), home = stateAt(chosen).start;
    const next = to.join() === home.join() ? null : to;
    if (live && next?.join() !== start?.join()) { start = next; show(); }
  });
  model.on("change:dial", () => { // the bands are those of the learning rate
    const k = controls.findIndex(({ name }) => name === "lr"), place = k < 0 ? -1 : nearest(controls[k].values, model.get("dial"));
    if (place >= 0 && place !== chosen[k]) { chosen[k] = place; show(); }
  });
  addEventListener("hashchange", read);
  document.addEventListener("keydown", (event) => { // a key pressed anywhere on the page is meant for the picture
    if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event, picture = el.querySelector(".tgl-picture");
    if (!picture.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))) event.preventDefault();
  });
  read();
  return leave;
}

/** The place of the value nearest to what was asked for; none for what is no value. */
function nearest(values, asked) {
  if (typeof values[0] !== "number") { const place = values.map(String).indexOf(asked); return place < 0 ? undefined : place; }
  const far = values.map((value) => Math.abs(value - Number(asked))), best = far.indexOf(Math.min(...far));
  return best < 0 ? undefined : best;
}

await open(JSON.parse(document.getElementById("baked").textContent), document.getElementById("panel"));
document.documentElement.dataset.ready = "true";
