// Painting: data to pixels, and the kinds of layer a scene is made of. Plain functions that know a canvas
// and nothing of the page; stage.js follows in the same module. What is painted is what draw/layers.py paints.

// ---- numbers and data -----------------------------------------------------------------------------

/** A number in three figures, as `said` in draw/layers.py writes it. */
export function said(value) {
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) {
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(3)));
  }
  const [digits, exponent] = value.toExponential(2).split("e");
  return `${Number(digits)}e${Number(exponent)}`;
}

/** A layer's bytes as { rows, items, columns, at(row, item, column) }. */
function table(sent) {
  if (!sent) return { rows: 0, items: 0, columns: 0, at: () => NaN };
  const [rows, items, columns] = sent.shape;
  const { buffer, byteOffset, byteLength } = sent.data;
  const copy = buffer.slice(byteOffset, byteOffset + byteLength);
  const values = new { f8: Float64Array, f4: Float32Array, u1: Uint8Array }[sent.type](copy);
  return { rows, items, columns, at: (r, i, c) => values[(r * items + i) * columns + c] };
}

/** Data to pixels and back along one side of an axes; `log` where the axis is. */
function ruler([low, high, scale], from, to) {
  const f = scale === "log" ? Math.log10 : (v) => v;
  const g = scale === "log" ? (v) => 10 ** v : (v) => v;
  const zoom = (to - from) / (f(high) - f(low));
  return { px: (v) => from + (f(v) - f(low)) * zoom, value: (px) => g(f(low) + (px - from) / zoom), low, high };
}

const frameOf = (spec) => spec.axes.map(({ box: [left, top, right, bottom], x, y }) => ({
  left, top, right, bottom, x: ruler(x, left, right), y: ruler(y, bottom, top),
}));

/**
 * How a scene lies on the page: whole, or on a narrow one its axes below each other. `pieces` are cut from the scene
 * (left, top, right, bottom), made `zoom` times as large and moved to `at`; `width` and `height` are those of all.
 */
function arranged({ axes, width, height }, narrow) {
  const boxes = axes.map((each) => each.veil_box), whole = [0, 0, width, height];
  const rows = runs(boxes, 1, 3), cuts = [0, ...rows.slice(0, -1).map(({ end }) => end), height]; // captions belong to what is below them
  let pieces = rows.flatMap(({ members }, r) => {
    const columns = runs(members, 0, 2), lefts = [0, ...columns.slice(1).map(({ begin }) => begin), width]; // colour bars to what is left of them
    return columns.map((_, c) => [lefts[c], cuts[r], lefts[c + 1], cuts[r + 1]]);
  });
  if (!narrow || pieces.every(([left, , right]) => right - left === width)) pieces = [whole];
  const narrower = pieces.filter(([left, , right]) => right - left < width).map(([left, , right]) => right - left);
  const side = narrower.length ? Math.max(...narrower) : width;
  let at = 0;
  const placed = pieces.map(([left, top, right, bottom]) => {
    const zoom = Math.min(1, side / (right - left)), piece = { left, top, right, bottom, zoom, at };
    at += (bottom - top) * zoom;
    return piece;
  });
  return { pieces: placed, width: side, height: at };
}

/** Boxes gathered into runs that overlap from side `low` to side `high`, a few pixels of padding aside. */
function runs(boxes, low, high) {
  const found = [];
  for (const box of [...boxes].sort((a, b) => a[low] - b[low])) {
    const last = found.at(-1);
    if (last && box[low] < last.end - 12) { last.end = Math.max(last.end, box[high]); last.members.push(box); }
    else found.push({ begin: box[low], end: box[high], members: [box] });
  }
  return found;
}

// ---- painting the eight kinds of layer ------------------------------------------------------------

const SHAPES = {
  o: (c, r) => c.arc(0, 0, r, 0, 7), s: (c, r) => c.rect(-r * 0.9, -r * 0.9, 1.8 * r, 1.8 * r),
  "^": (c, r) => polygon(c, r * 1.15, 3, -90), v: (c, r) => polygon(c, r * 1.15, 3, 90),
  D: (c, r) => polygon(c, r * 1.2, 4, 0), P: (c, r) => polygon(c, r * 1.2, 5, -90),
  "+": (c, r) => { c.moveTo(-r, 0); c.lineTo(r, 0); c.moveTo(0, -r); c.lineTo(0, r); },
  x: (c, r) => { c.moveTo(-r, -r); c.lineTo(r, r); c.moveTo(-r, r); c.lineTo(r, -r); },
};

function polygon(c, radius, corners, turn) {
  for (let k = 0; k < corners; k++) {
    const angle = ((360 / corners) * k + turn) * (Math.PI / 180);
    c.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  c.closePath();
}

function trace(c, area, data, item, count) {
  c.beginPath();
  for (let r = 0, down = false; r < count; r++) {
    const x = area.x.px(data.at(r, item, 0)), y = area.y.px(data.at(r, item, 1));
    if (!Number.isFinite(x) || !Number.isFinite(y)) { down = false; continue; }
    const [u, v] = [x, y].map((p) => Math.max(-1e5, Math.min(1e5, p)));
    if (down) c.lineTo(u, v); else c.moveTo(u, v);
    down = true;
  }
}

function dots(c, area, data, item, count, radius) {
  for (let r = 0; r < count; r++) {
    const x = area.x.px(data.at(r, item, 0)), y = area.y.px(data.at(r, item, 1));
    if (!Number.isFinite(x + y)) continue;
    c.beginPath(); c.arc(x, y, radius, 0, 7); c.fill();
  }
}

const PAINT = {
  polyline(c, layer, area, data, frame) {
    const seen = layer.follow ? Math.min(frame + 1, data.rows) : data.rows;
    c.beginPath(); c.rect(area.left, area.top, area.right - area.left, area.bottom - area.top); c.clip();
    c.lineJoin = "round"; c.lineCap = layer.dash.length ? "butt" : "round";
    for (let item = 0; item < data.items; item++) {
      const color = layer.colors[item % layer.colors.length];
      const pass = (style, extra, count, alpha) => {
        c.setLineDash(extra ? [] : layer.dash); // a casing is whole, so that its colour shows between dashes
        c.globalAlpha = alpha; c.strokeStyle = c.fillStyle = style; c.lineWidth = layer.width + extra;
        trace(c, area, data, item, count); c.stroke();
        if (layer.dots && alpha === 1) dots(c, area, data, item, count, layer.dots + extra / 3);
      };
      if (layer.follow && layer.ghost && seen < data.rows) pass(color, 0, data.rows, layer.ghost);
      if (layer.casing) pass(layer.casing, 2.4, seen, 1);
      pass(color, 0, seen, 1);
    }
  },
  curve(c, layer, area, data, frame) { // a moment's items are the corners of one polyline
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
    const corners = { rows: data.rows ? data.items : 0, items: 1, at: (r, _, k) => data.at(row, r, k) };
    PAINT.polyline(c, { ...layer, follow: false, dots: 0 }, area, corners, 0);
  },
  heights(c, layer, area, data, frame) {
    if (!data.rows) return;
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
    const wide = Math.round(area.right - area.left), high = Math.round(area.bottom - area.top);
    if (data.picture?.row !== row) data.picture = { row, canvas: relief(data, row, layer, wide, high) };
    c.drawImage(data.picture.canvas, area.left, area.top, area.right - area.left, area.bottom - area.top);
  },
  cells(c, layer, area, data, frame) {
    if (!data.rows) return;
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
    const wide = Math.round(area.right - area.left), high = Math.round(area.bottom - area.top);
    if (data.picture?.row !== row) data.picture = { row, canvas: tiled(data, row, layer, wide, high) };
    c.drawImage(data.picture.canvas, area.left, area.top, area.right - area.left, area.bottom - area.top);
  },
  ball(c, layer, area, data, frame) {
    if (layer.trail) { // the way each has come, half transparent
      const faint = { colors: layer.colors.map((color) => `${color}99`), width: layer.trail, dash: [], follow: layer.follow };
      c.save(); PAINT.polyline(c, faint, area, data, frame); c.restore();
    }
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
    for (let item = 0; item < data.items && data.rows; item++) {
      const x = area.x.px(data.at(row, item, 0)), y = area.y.px(data.at(row, item, 1));
      if (Number.isNaN(x + y)) continue;
      const u = Math.max(area.left, Math.min(area.right, x)), v = Math.max(area.top, Math.min(area.bottom, y));
      const gone = Math.hypot(x - u, y - v) > 0.5, shape = layer.shapes[item % layer.shapes.length];
      c.save(); c.translate(u, v); c.beginPath();
      if (gone) { c.rotate(Math.atan2(y - v, x - u)); polygon(c, layer.size * 0.58, 3, 0); } // on the rim, pointing there
      else SHAPES[shape](c, layer.size / 2);
      const color = layer.colors[item % layer.colors.length], open = "+x".includes(shape) && !gone;
      c.lineJoin = "round"; c.fillStyle = color;
      c.strokeStyle = layer.edge; c.lineWidth = open ? 4 : 1.6;
      if (!open) c.fill();
      c.stroke();
      if (open) { c.strokeStyle = color; c.lineWidth = 2; c.stroke(); }
      c.restore();
    }
  },
  arrow(c, layer, area, data, frame) {
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
    for (let item = 0; item < data.items && data.rows; item++) {
      const [x, y, dx, dy] = [0, 1, 2, 3].map((k) => data.at(row, item, k));
      const from = [area.x.px(x), area.y.px(y)], to = [area.x.px(x + dx), area.y.px(y + dy)];
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      if (!Number.isFinite(length) || length < 1) continue;
      const head = Math.min(9, length * 0.6), color = layer.colors[item % layer.colors.length];
      c.save(); c.translate(...from); c.rotate(Math.atan2(to[1] - from[1], to[0] - from[0]));
      for (const [style, extra] of [[layer.casing, 2.4], [color, 0]]) {
        if (!style) continue;
        c.strokeStyle = c.fillStyle = style; c.lineWidth = layer.width + extra; c.lineJoin = "round";
        c.beginPath(); c.moveTo(0, 0); c.lineTo(length - head, 0); c.stroke();
        c.beginPath(); c.moveTo(length, 0); c.lineTo(length - head, head / 2); c.lineTo(length - head, -head / 2);
        c.closePath(); c.fill(); if (extra) c.stroke();
      }
      c.restore();
    }
  },
  text(c, layer, area, data, frame) {
    const filled = words(layer, data, frame), [x, y] = layer.at;
    if (!filled) return;
    c.font = `${layer.size}px system-ui, sans-serif`; c.fillStyle = layer.color;
    c.textBaseline = y >= 1 ? "bottom" : "top"; c.textAlign = layer.align;
    const at = [area.left + x * (area.right - area.left), area.bottom - y * (area.bottom - area.top)];
    if (layer.halo) { c.strokeStyle = layer.halo; c.lineWidth = 4; c.lineJoin = "round"; c.strokeText(filled, ...at); }
    c.fillText(filled, ...at);
  },
  bands(c, layer, area, data, frame) {
    const row = layer.follow ? Math.min(frame, data.rows - 1) : 0, high = area.bottom - area.top;
    c.font = `${layer.size}px system-ui, sans-serif`; c.textAlign = "center"; c.textBaseline = "middle"; c.lineJoin = "round";
    for (let item = 0; item < data.items && data.rows; item++) {
      const [from, to, kind, mark] = [0, 1, 2, 3].map((k) => data.at(row, item, k));
      const left = area.x.px(from), right = area.x.px(to), color = layer.colors[kind];
      c.save(); c.beginPath(); c.rect(left, area.top, right - left, high); c.clip();
      c.fillStyle = color; c.fill();
      c.strokeStyle = `${layer.ink}59`; c.lineWidth = 1; c.beginPath();
      for (const way of { 0: [], 1: [1], [-1]: [-1], 2: [1, -1] }[layer.hatches[kind]])
        for (let x = Math.floor((left - high) / 10) * 10; x < right + high; x += 10) { c.moveTo(x, area.bottom); c.lineTo(x + way * high, area.top); }
      c.stroke(); c.restore();
      const marked = !Number.isNaN(mark), room = c.measureText(layer.words[kind]).width + 0.6 * layer.size < right - left;
      const word = room ? layer.words[kind] : marked ? layer.words[kind].slice(0, 1) : "";
      const at = [marked ? area.x.px(mark) : (left + right) / 2, (area.top + area.bottom) / 2];
      c.strokeStyle = color; c.lineWidth = 4; c.strokeText(word, ...at);
      c.fillStyle = layer.ink; c.fillText(word, ...at);
    }
  },
};
PAINT.marker = PAINT.ball;

/** A grid of shares 0..1 as a picture: bilinear between its points, one colour a band, thin lines between. */
function relief(data, row, { colors, lines }, wide, high) {
  const canvas = document.createElement("canvas"), c = canvas.getContext("2d");
  canvas.width = wide; canvas.height = high;
  const image = c.createImageData(wide, high), n = colors.length, bands = new Int16Array(wide * high);
  const rgb = colors.map((color) => [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16)));
  for (let y = 0, p = 0; y < high; y++) {
    const v = (1 - (y + 0.5) / high) * (data.columns - 1), j = Math.min(Math.floor(v), data.columns - 2), g = v - j;
    for (let x = 0; x < wide; x++, p++) {
      const u = ((x + 0.5) / wide) * (data.items - 1), i = Math.min(Math.floor(u), data.items - 2), f = u - i;
      const low = data.at(row, i, j) * (1 - f) + data.at(row, i + 1, j) * f;
      const top = data.at(row, i, j + 1) * (1 - f) + data.at(row, i + 1, j + 1) * f;
      const share = low * (1 - g) + top * g;
      if (Number.isNaN(share)) { bands[p] = -1; continue; }
      const band = (bands[p] = Math.max(0, Math.min(n - 1, Math.floor(share * n))));
      const left = x ? bands[p - 1] : band, up = y ? bands[p - wide] : band;
      const line = lines && ((left !== band && Math.max(left, band) % 2 === 0) || (up !== band && Math.max(up, band) % 2 === 0));
      for (let k = 0; k < 3; k++) image.data[4 * p + k] = rgb[band][k] * (line ? 0.7 : 1) + (line ? 76 : 0);
      image.data[4 * p + 3] = 255;
    }
  }
  c.putImageData(image, 0, 0);
  return canvas;
}

const INK = 0.62; // how much of its light a hatched pixel keeps
const HATCHES = { // (x - y) may be negative, hence the offset, a multiple of what follows it
  "": () => false, "/": (x, y) => (x + y) % 9 === 0, "\\": (x, y) => (x - y + 9000) % 9 === 0,
  ".": (x, y) => x % 6 < 2 && y % 6 < 2, x: (x, y) => (x + y) % 11 === 0 || (x - y + 11000) % 11 === 0,
  "-": (x, y) => y % 7 === 0, "|": (x) => x % 7 === 0, "+": (x, y) => x % 9 === 0 || y % 9 === 0,
  o: (x, y) => Math.abs((x % 10) - 5) + Math.abs((y % 10) - 5) === 3,
};

/** A grid of colour numbers as a picture: a rectangle each, hatched; a number without a colour is left open. */
function tiled(data, row, { colors, hatches }, wide, high) {
  const canvas = document.createElement("canvas"), c = canvas.getContext("2d");
  canvas.width = wide; canvas.height = high;
  const image = c.createImageData(wide, high), marks = hatches.map((mark) => HATCHES[mark]);
  const rgb = colors.map((color) => [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16)));
  for (let y = 0, p = 0; y < high; y++) {
    const j = Math.floor(((high - 1 - y) * data.columns) / high);
    for (let x = 0; x < wide; x++, p++) {
      const number = data.at(row, Math.floor((x * data.items) / wide), j);
      if (!(number < colors.length)) continue;
      const light = marks[number % marks.length](x, y) ? INK : 1;
      for (let k = 0; k < 3; k++) image.data[4 * p + k] = Math.floor(rgb[number][k] * light);
      image.data[4 * p + 3] = 255;
    }
  }
  c.putImageData(image, 0, 0);
  return canvas;
}

/** A text layer's template, filled; nothing where it has no numbers. */
function words(layer, data, frame) {
  const row = layer.follow ? Math.min(frame, data.rows - 1) : 0;
  let known = false;
  for (let k = 0; k < data.columns && data.rows; k++) known ||= !Number.isNaN(data.at(row, 0, k));
  if (!known) return "";
  return layer.template.replace(/\{(\d+)\}/g, (_, k) => said(data.at(row, 0, Number(k))));
}

function veil(c, spec, { veil: text, veil_box: [left, top, right, bottom] }) {
  c.fillStyle = spec.paper; c.fillRect(left, top, right - left, bottom - top);
  c.fillStyle = spec.muted; c.font = `${14 * spec.scale}px system-ui, sans-serif`;
  c.textAlign = "center"; c.textBaseline = "middle";
  text.split("\n").forEach((line, k, all) =>
    c.fillText(line, (left + right) / 2, (top + bottom) / 2 + (k - (all.length - 1) / 2) * 22 * spec.scale));
  c.textAlign = "start";
}

/** A string of pixels under way, as a hand draws a lasso. */
function string(c, points) {
  c.save(); c.lineJoin = c.lineCap = "round";
  for (const [color, width] of [["#10151c", 5], ["#ffffff", 2.4]]) {
    c.strokeStyle = color; c.lineWidth = width;
    c.beginPath(); points.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y))); c.stroke();
  }
  c.restore();
}
