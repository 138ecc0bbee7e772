// A panel without a kernel. paint.js, stage.js and, where the page can walk, live.js with its panel's own file
// stand before this one in the same module; whatever else a kernel would answer was computed beforehand, and lies
// in the page as `states` over a grid of control values.
//
// The address says which moment is seen (#lr=0.5&frame=12, with start=1,-1 or loop=0,0,1,0,1,1 where a hand moved
// them), so that a link opens it. Hooks: .tgl-baked holds an input or select (data-name) for every control.

const same = (a, b) => a === b || (Array.isArray(a) && JSON.stringify(a) === JSON.stringify(b));

/** The stage's model: what anywidget's does in a notebook, with this page for a kernel. */
class Model {
  constructor(state) { this.state = state; this.heard = {}; }
  get(name) { return this.state[name]; }
  set(name, value) { this.tell({ [name]: value }); }
  save_changes() {}
  on(event, react) { (this.heard[event] ||= []).push(react); }
  off(event, react) { this.heard[event] = (this.heard[event] || []).filter((each) => each !== react); }
  tell(changes) { // everything first, so that nobody hears of a half-made moment
    const fresh = Object.keys(changes).filter((name) => !same(changes[name], this.state[name]));
    Object.assign(this.state, changes);
    for (const name of fresh) for (const react of this.heard[`change:${name}`] || []) react();
  }
}

const spoken = (value) => ({ true: "yes", false: "no" })[value] ?? String(value);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
async function inflated(text) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
/** Numbers of `size` bytes, packed as all first bytes, then all second ones, ... */
async function unpacked(text, size) {
  const planes = await inflated(text), count = planes.length / size;
  return Uint8Array.from(planes, (_, k) => planes[(k % size) * count + Math.floor(k / size)]);
}
const HANDS = { start: (points) => points.length === 1, loop: (points) => points.length > 2 }; // what a hand may move

async function open(baked, el) {
  const { controls, states, opening, type, live } = baked, width = type === "f8" ? 8 : 4;
  const numbers = await unpacked(baked.numbers, width);
  const grounds = baked.grounds.map(({ spec, background }) => ({ spec, background: bytes(background) }));
  for (const [name, text] of Object.entries(live?.packed || {})) live[name] = await inflated(text);
  const fold = node("details", "tgl-fold", {}, node("summary", "", {}, "More controls")), inputs = controls.map(knob);
  if (live?.hands.includes("loop")) el.append(node("p", "tgl-hint", {}, "Draw a loop on the map."));
  let chosen = [...opening.chosen], hand = {}, late = 0, rest = 0;

  const indexOf = (places) => places.reduce((index, place, k) => index * controls[k].values.length + place, 0);
  /** The baked state at a place in the grid, its layers unpacked. */
  function stateAt(places) {
    const { layers, ground, honesty, ...rest } = states[live?.whole ? 0 : indexOf(places)];
    const sent = Object.entries(layers).map(([name, [from, ...shape]]) => {
      const rows = [from].flat(), size = shape.reduce((a, b) => a * b, width) / rows.length, data = new Uint8Array(size * rows.length);
      rows.forEach((at, row) => data.set(numbers.subarray(at, at + size), row * size));
      return [name, { shape, type, data }];
    });
    return { ...grounds[ground], ...rest, honesty: baked.words[honesty], layers: Object.fromEntries(sent) };
  }
  /** What is to be seen: baked, or made here and now; `later` is what the page may do when it rests. */
  function now() {
    const { later, ...state } = made();
    clearTimeout(rest);
    if (later) rest = setTimeout(finish, 150, later);
    return state;
  }
  function made() {
    const state = stateAt(chosen);
    if (!live || !(live.whole || Object.keys(hand).length)) return state;
    const values = Object.fromEntries(controls.map(({ name, values }, k) => [name, values[chosen[k]]]));
    return { ...state, told: null, ...LIVE[live.kind](live, values, hand, state) };
  }
  function finish(later) {
    const more = later(8);
    if (more) model.tell(more); else rest = setTimeout(finish, 0, later);
  }
  /** Where the controls stand in the state whose baked start is nearest; of several, where fewest would move. */
  function nearestStart([x, y], fits = () => true) {
    let best = chosen, least = [Infinity, 0];
    states.forEach(({ start }, index) => {
      const places = controls.map(({ values }, k) => Math.floor(index / controls.slice(k + 1).reduce((size, each) => size * each.values.length, 1)) % values.length);
      const far = [Math.hypot(start[0] - x, start[1] - y), places.filter((place, k) => place !== chosen[k]).length];
      if (fits(start) && (far[0] < least[0] || (far[0] === least[0] && far[1] < least[1]))) { best = places; least = far; }
    });
    return best;
  }
  /** The same for an arrow key, whose step may be smaller than the way to the next baked start. */
  function nextStart([x, y], [u, v]) {
    const near = nearestStart([x, y]);
    return same(near, chosen) ? nearestStart([x, y], (start) => (start[0] - u) * (x - u) + (start[1] - v) * (y - v) > 0) : near;
  }

  /** Show the moment; keep to the frame that was shown, or to the end if that was. */
  function show() {
    const state = now(), atEnd = model.get("resting") || model.get("frame") >= model.get("frames") - 1;
    if (model.get("revealed")) state.sentence = state.told ?? state.sentence;
    if (!model.get("playing")) state.frame = atEnd ? state.frames - 1 : Math.min(model.get("frame"), state.frames - 1);
    model.tell(state);
    inputs.forEach((input, k) => input.show(chosen[k]));
    soon();
  }
  function knob({ name, label, values }, k) { // numbers on a slider, words in a list
    const slides = typeof values[0] === "number", output = node("output", "");
    const input = slides ? node("input", "", { type: "range", min: 0, max: values.length - 1, step: 1, "data-name": name })
      : node("select", "", { "data-name": name }, ...values.map((value, place) => node("option", "", { value: place }, spoken(value))));
    (k ? fold : el).append(node("div", "tgl-baked", {}, node("label", "", {}, node("span", "", {}, label), input), slides ? output : ""));
    input.oninput = () => { chosen[k] = Number(input.value); show(); };
    return { show: (place) => {
      input.value = place;
      if (slides) { output.textContent = said(values[place]); input.setAttribute("aria-valuetext", said(values[place])); }
    } };
  }

  // -- the address
  function write() {
    const parts = controls.map(({ name, values }, k) => [name, values[chosen[k]]]).filter((_, k) => chosen[k] !== opening.chosen[k]);
    for (const [name, points] of Object.entries(hand)) parts.push([name, points.join(",")]);
    if (!model.get("resting") && !model.get("playing")) parts.push(["frame", model.get("frame")]);
    const hash = parts.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");
    try { history.replaceState(null, "", `${location.pathname}${location.search}${hash && `#${hash}`}`); } catch { /* a frame without an address */ }
  }
  function soon() { clearTimeout(late); late = setTimeout(write, 150); } // browsers limit how often
  /** The moment that an address means; what is no value of a control leaves it where it began. */
  function moment(hash) {
    const asked = new URLSearchParams(hash.slice(1)), frame = asked.get("frame") ?? "";
    chosen = controls.map(({ name, values }, k) => (asked.has(name) ? nearest(values, asked.get(name)) ?? opening.chosen[k] : opening.chosen[k]));
    hand = {};
    for (const [name, fits] of Object.entries(HANDS)) {
      const flat = (asked.get(name) || "").split(",").map(Number), points = [];
      for (let k = 0; k < flat.length; k += 2) points.push(flat.slice(k, k + 2));
      if (live?.hands.includes(name) && flat.length % 2 === 0 && flat.every(Number.isFinite) && fits(points)) hand[name] = name === "start" ? points[0] : points;
    }
    inputs.forEach((input, k) => input.show(chosen[k]));
    const state = now(), last = state.frames - 1, at = /^\d+$/.test(frame) ? Math.min(Number(frame), last) : null;
    const playing = at === null && opening.playing, begun = playing || at !== null || opening.frame !== null;
    if (begun) state.sentence = state.told ?? state.sentence;
    return { ...state, frame: at ?? (playing ? 0 : opening.frame ?? last), revealed: begun, resting: !begun, playing };
  }
  const went = () => { model.tell({ playing: false }); model.tell(moment(location.hash)); };

  const model = new Model({ ...moment(location.hash), label: baked.label, speed: baked.speed, dragging: false, resets: 0 });
  const leave = render({ model, el });
  if (controls.length > 1) el.append(fold);
  fold.open = chosen.some((place, k) => k > 0 && place !== opening.chosen[k]); // a link shows what it changed
  for (const name of ["frame", "playing", "resting"]) model.on(`change:${name}`, soon);
  model.on("change:revealed", () => { // some panels keep the answer to themselves until then
    const { told } = stateAt(chosen);
    if (told && model.get("revealed")) model.tell({ sentence: told });
  });
  model.on("change:resets", () => { model.tell(moment("")); soon(); });
  model.on("change:start", () => {
    const to = model.get("start"), home = stateAt(chosen).start, shown = hand.start ?? home;
    if (same(to, shown)) return;
    if (live) { if (same(to, home)) delete hand.start; else hand.start = to; } else chosen = model.get("dragging") ? nearestStart(to) : nextStart(to, shown);
    show();
  });
  model.on("change:loop", () => { hand.loop = LIVE[live.kind].drawn(live, model.get("loop")); show(); });
  model.on("change:dial", () => { // the bands are those of the learning rate
    const k = controls.findIndex(({ name }) => name === "lr"), place = k < 0 ? -1 : nearest(controls[k].values, model.get("dial"));
    if (place >= 0 && place !== chosen[k]) { chosen[k] = place; show(); }
  });
  addEventListener("hashchange", went);
  document.addEventListener("keydown", (event) => { // a key pressed anywhere on the page is meant for the picture
    if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event, picture = el.querySelector(".tgl-picture");
    if (!picture.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))) event.preventDefault();
  });
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
