// Hills and walks over them, painted by raw WebGL 2 or, where that is missing, on a plain 2-D canvas.
//
// Both painters take the same orders: `look` (colours), `grid` (a mesh), `path` (ways), `paint` (a moment and a view, fine
// or quick), and what a hill hides is hidden in both. Heights are shares 0..1; the box is 2 wide, 2 deep and TALL high, its
// floor at FLOOR.

const TALL = 1.12, FLOOR = -0.4, MIDDLE = (TALL + FLOOR) / 2;
const LIFT = 0.02; // how far above the ground a walk is drawn, so that it does not sink into it
const SIDES = { o: [0, 0], s: [4, Math.PI / 4], D: [4, 0], "^": [3, 0], v: [3, Math.PI], P: [5, 0] }; // corners, turn
const CASING = "#10151c", COARSE = 48; // cells a side that suffice while the hills turn, where GL is slow

// ---- the camera: one matrix, used by both painters and for the letters ----------------------------------

function lens([turn, tilt, zoom], width, height) {
  const [a, e] = [turn, tilt].map((degrees) => (degrees * Math.PI) / 180);
  const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
  const right = [-sa, ca, 0], up = [-se * ca, -se * sa, ce], out = [ce * ca, ce * sa, se];
  const away = 7.4 / zoom, near = Math.max(0.2, away - 2.2), far = away + 2.2;
  const size = 4.45 * Math.min(1, width / height / 1.16), flat = (size * height) / width;
  const row = (v, factor, extra = 0) => [...v.map((x) => x * factor), -v[2] * MIDDLE * factor + extra];
  const w = row(out, -1, away), shifted = (line, part) => line.map((value, k) => value + part * w[k]);
  const [x, y] = [shifted(row(right, flat), -0.03), shifted(row(up, size), 0.045)]; // room for letters right and below
  const z = w.map((each, k) => (each * (far + near)) / (far - near) - (k === 3 ? (2 * far * near) / (far - near) : 0));
  const matrix = new Float32Array(16);
  [x, y, z, w].forEach((line, r) => line.forEach((value, c) => { matrix[4 * c + r] = value; }));
  const dot = (line, p) => line[0] * p[0] + line[1] * p[1] + line[2] * p[2] + line[3];
  const project = (p) => { // pixels from the upper left, and how far away
    const depth = dot(w, p);
    return [(0.5 + (0.5 * dot(x, p)) / depth) * width, (0.5 - (0.5 * dot(y, p)) / depth) * height, depth];
  };
  return { matrix, project, width, height, front: [ca >= 0 ? 1 : -1, sa >= 0 ? 1 : -1] };
}

/** The lines of the floor and of the two walls behind the hills, as pairs of points. */
function box(look, front) {
  const [back, side] = [-front[0], -front[1]], lines = [];
  const across = ({ at }) => 2 * at - 1;
  for (const x of [-1, 1, ...look.x.ticks.map(across)]) lines.push([x, side, FLOOR], [x, side, TALL]);
  for (const y of [-1, 1, ...look.y.ticks.map(across)]) lines.push([back, y, FLOOR], [back, y, TALL]);
  for (const z of [FLOOR, TALL, ...look.z.ticks.map(({ at }) => at * TALL)]) lines.push([-1, side, z], [1, side, z], [back, -1, z], [back, 1, z]);
  lines.push([-1, front[1], FLOOR], [1, front[1], FLOOR], [front[0], -1, FLOOR], [front[0], 1, FLOOR]);
  return lines;
}

/** Letters on the axes: along the two front edges of the floor, and up the edge that is farthest right. */
function letters(c, look, { project, width, height, front }) {
  const size = Math.min(12.5 * look.scale, width / 37); // smaller in a narrow column
  const middle = project([0, 0, FLOOR]);
  c.textBaseline = "middle"; c.textAlign = "center";
  const write = (text, point, far, ink = look.ink) => {
    const [x, y] = project(point), length = Math.hypot(x - middle[0], y - middle[1]) || 1;
    c.fillStyle = ink;
    const half = c.measureText(text).width / 2 + 2, at = x + ((x - middle[0]) / length) * far; // inside the picture
    c.fillText(text, Math.max(half, Math.min(width - half, at)), Math.min(height - 0.7 * size, y + ((y - middle[1]) / length) * far));
  };
  for (const [axis, place] of [[look.x, (u) => [u, front[1], FLOOR]], [look.y, (u) => [front[0], u, FLOOR]]]) {
    c.font = `${size}px system-ui, sans-serif`;
    for (const { at, text } of axis.ticks) write(text, place(2 * at - 1), 1.3 * size);
    c.font = `600 ${size}px system-ui, sans-serif`;
    write(axis.label, place(0), 3.2 * size + 0.15 * axis.label.length * size);
  }
  const edges = [[front[0], -front[1]], [-front[0], front[1]]];
  const [x, y] = edges.sort((p, q) => project([...q, 0])[0] - project([...p, 0])[0])[0];
  c.font = `${size}px system-ui, sans-serif`; c.textAlign = "left"; c.fillStyle = look.ink;
  let below = Infinity, wide = 3 * size;
  for (const { at, text } of look.z.ticks) { // seen from above they would lie on one another
    const [u, v] = project([x, y, at * TALL]);
    if (below - v > 0.9 * size) { c.fillText(text, u + 0.6 * size, v); below = v; wide = Math.max(wide, c.measureText(text).width); }
  }
  const [u, v] = project([x, y, TALL / 2]);
  c.font = `600 ${size}px system-ui, sans-serif`; c.textAlign = "center";
  c.save(); c.translate(Math.min(u + wide + 1.4 * size, width - 0.7 * size), v); c.rotate(-Math.PI / 2); c.fillText(look.z.label, 0, 0); c.restore();
}

// ---- data -----------------------------------------------------------------------------------------------

const floats = ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));

/** Every so manyeth grid line, so that at most `most` cells are left, and always the last. */
function picked(count, most) {
  const step = Math.max(1, Math.ceil((count - 1) / most)), found = [];
  for (let k = 0; k < count - 1; k += step) found.push(k);
  return [...found, count - 1];
}

/** The grid as points (x, y in -1..1, share) and two triangles a cell, leaving out what has no height; once fine, once coarse. */
function mesh({ shape: [A, B], data }) {
  const shares = floats(data), points = new Float32Array(3 * A * B);
  for (let i = 0, k = 0; i < A; i++) for (let j = 0; j < B; j++, k++) points.set([(2 * i) / (A - 1) - 1, (2 * j) / (B - 1) - 1, shares[k]], 3 * k);
  const known = (...all) => all.every((k) => !Number.isNaN(shares[k]));
  const corners = (rows, columns) => {
    const found = [];
    for (let r = 0; r < rows.length - 1; r++) for (let q = 0; q < columns.length - 1; q++) {
      const [a, c] = [rows[r] * B, rows[r + 1] * B].map((row) => row + columns[q]), [b, d] = [a, c].map((k) => k - columns[q] + columns[q + 1]);
      if (known(a, b, c)) found.push(a, b, c);
      if (known(b, c, d)) found.push(b, d, c);
    }
    return new Uint32Array(found);
  };
  return { A, B, shares, points, fine: corners(picked(A, A), picked(B, B)), coarse: corners(picked(A, COARSE), picked(B, COARSE)) };
}

/** Every walker's way as its own row of points. */
function ways(sent) {
  if (!sent?.shape?.[0]) return [];
  const [rows, walkers] = sent.shape, all = floats(sent.data), found = [];
  for (let w = 0; w < walkers; w++) {
    const way = new Float32Array(3 * rows);
    for (let r = 0; r < rows; r++) {
      const [x, y, share] = all.subarray(3 * (r * walkers + w), 3 * (r * walkers + w) + 3);
      way.set([2 * x - 1, 2 * y - 1, share], 3 * r);
    }
    found.push(way);
  }
  return found;
}

/** Both ends of every stroke, six times over, one for each corner of its two triangles; the next stroke is `step` on. */
function strokes(points, step) {
  const count = Math.max(0, Math.floor((points.length - 6) / step) + 1), found = new Float32Array(36 * count);
  for (let k = 0; k < count; k++) for (let corner = 0; corner < 6; corner++) found.set(points.slice(k * step, k * step + 6), 36 * k + 6 * corner);
  return found;
}
const color = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
const inside = (x, y) => Math.abs(x) <= 1.0001 && Math.abs(y) <= 1.0001;

/** Where a walker is at a frame: the last of its points that is a number, and whether it is in the box. */
function ball(way, frame) {
  for (let r = Math.min(frame, way.length / 3 - 1); r >= 0; r--) {
    const [x, y, share] = way.subarray(3 * r, 3 * r + 3);
    if (!Number.isNaN(x + y + share)) return { r, point: [x, y, share], here: inside(x, y) };
  }
  return null;
}

// ---- WebGL ----------------------------------------------------------------------------------------------

// A pixel's colour comes from the heights themselves, not from the mesh, so that a coarse mesh has the same map on it.
const SURFACE = [`#version 300 es
in vec3 at; uniform mat4 lens; uniform float flatten; out float share; out vec3 place;
void main() {
  share = at.z;
  place = vec3(at.xy, flatten > 0.5 ? ${FLOOR.toFixed(2)} : at.z * ${TALL.toFixed(2)});
  gl_Position = lens * vec4(place, 1.0);
}`, `#version 300 es
precision highp float; in float share; in vec3 place; out vec4 ink;
uniform sampler2D ramp, heights; uniform float bands; uniform vec3 paper; uniform float flatten; uniform vec2 size;
void main() {
  float height = texture(heights, ((place.yx * 0.5 + 0.5) * (size - 1.0) + 0.5) / size).r;
  if (!(height == height)) { if (flatten > 0.5) discard; height = share; }
  float band = min(floor(height * bands), bands - 1.0);
  vec3 tint = texture(ramp, vec2((band + 0.5) / bands, 0.5)).rgb;
  vec3 level = normalize(cross(dFdx(place), dFdy(place)));
  float steep = flatten > 0.5 ? 1.0 : 0.84 + 0.16 * abs(level.z);
  float x = height * bands / 2.0, thick = fwidth(x);              // a thin line at every second band
  float line = 1.0 - smoothstep(0.4, 1.2, abs(fract(x - 0.5) - 0.5) / max(thick, 1e-6));
  line *= 0.35 * (1.0 - smoothstep(0.25, 0.6, thick)) * step(0.5, x);
  tint = mix(tint * steep, vec3(1.0), line);
  ink = vec4(flatten > 0.5 ? mix(paper, tint, 0.5) : tint, 1.0);
}`];
const LINE = [`#version 300 es
in vec3 from; in vec3 to; uniform mat4 lens; uniform vec2 screen; uniform float width, flatten, lift, solid; out vec3 place;
vec3 stand(vec3 p) {
  if (solid > 0.5) return p;
  return vec3(p.xy, flatten > 0.5 ? ${(FLOOR + 0.004).toFixed(3)} : clamp(p.z, 0.0, 1.0) * ${TALL.toFixed(2)} + ${LIFT});
}
void main() {
  float sum = from.x + from.y + from.z + to.x + to.y + to.z;
  if (!(sum == sum)) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }  // a gap
  vec3 a = stand(from), b = stand(to);
  vec4 start = lens * vec4(a, 1.0), end = lens * vec4(b, 1.0);
  vec2 way = (end.xy / end.w - start.xy / start.w) * screen;
  way = length(way) > 1e-5 ? normalize(way) : vec2(1.0, 0.0);
  int corner = gl_VertexID % 6;                                    // two triangles: 0 1 2, 3 4 5
  bool second = corner == 1 || corner == 2 || corner == 4, left = corner == 2 || corner > 3;
  gl_Position = second ? end : start;
  place = second ? b : a;
  gl_Position.xy += vec2(-way.y, way.x) * (left ? 1.0 : -1.0) * width / screen * gl_Position.w;
  gl_Position.z -= lift * gl_Position.w;
}`, `#version 300 es
precision highp float; in vec3 place; uniform vec4 tint; out vec4 ink;
void main() { if (max(abs(place.x), abs(place.y)) > 1.001) discard; ink = tint; }`];
const POINT = [`#version 300 es
in vec3 at; uniform mat4 lens; uniform float size, lift; out vec3 place;
void main() {
  if (!(at.x + at.y + at.z == at.x + at.y + at.z)) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  place = vec3(at.xy, clamp(at.z, 0.0, 1.0) * ${TALL.toFixed(2)} + ${LIFT});
  gl_Position = lens * vec4(place, 1.0);
  gl_Position.z -= lift * gl_Position.w; gl_PointSize = size;
}`, `#version 300 es
precision highp float; in vec3 place; uniform vec4 tint; uniform vec4 edge; uniform float size, rim, corners, turn; out vec4 ink;
void main() {
  if (max(abs(place.x), abs(place.y)) > 1.001) discard;
  vec2 p = 2.0 * gl_PointCoord - 1.0; float far = length(p);
  if (corners > 0.5) {
    float part = 6.2831853 / corners, angle = atan(p.x, -p.y) + turn;
    far *= cos(floor(0.5 + (angle - part / 2.0) / part) * part + part / 2.0 - angle) / cos(part / 2.0);
  }
  float soft = 2.0 / size, body = 1.0 - 2.0 * rim / size;
  if (far > 1.0) discard;
  ink = mix(tint, edge, smoothstep(body - soft, body, far)); ink.a = tint.a * (1.0 - smoothstep(1.0 - soft, 1.0, far));
}`];

function webgl(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: false, powerPreference: "low-power" });
  if (!gl) return null;
  const program = ([vertex, fragment]) => {
    const made = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(made, shader);
    }
    gl.linkProgram(made);
    if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(made));
    const at = {};
    for (let k = 0; k < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); k++) {
      const { name, type } = gl.getActiveUniform(made, k), place = gl.getUniformLocation(made, name);
      at[name] = { [gl.FLOAT]: (v) => gl.uniform1f(place, v), [gl.FLOAT_VEC2]: (v) => gl.uniform2fv(place, v), [gl.FLOAT_VEC3]: (v) => gl.uniform3fv(place, v),
        [gl.FLOAT_VEC4]: (v) => gl.uniform4fv(place, v), [gl.FLOAT_MAT4]: (v) => gl.uniformMatrix4fv(place, false, v), [gl.SAMPLER_2D]: (v) => gl.uniform1i(place, v) }[type];
    }
    return { set(values) { gl.useProgram(made); for (const [name, value] of Object.entries(values)) at[name]?.(value); }, slot: (name) => gl.getAttribLocation(made, name) };
  };
  const [surface, line, point] = [SURFACE, LINE, POINT].map(program);
  const buffer = (kind, data) => { const made = gl.createBuffer(); gl.bindBuffer(kind, made); gl.bufferData(kind, data, gl.STATIC_DRAW); return made; };
  const feed = (slot, from, stride, offset) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, from); gl.enableVertexAttribArray(slot); gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, stride, offset);
  };
  const apart = (work) => { const all = gl.createVertexArray(); gl.bindVertexArray(all); work(); gl.bindVertexArray(null); gl.deleteVertexArray(all); };
  const tint = (hex, alpha = 1) => [...color(hex).map((v) => v / 255), alpha];
  const textures = [0, 1].map((unit) => {
    gl.activeTexture(gl.TEXTURE0 + unit); gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, unit ? gl.LINEAR : gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    return (...picture) => { gl.activeTexture(gl.TEXTURE0 + unit); gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1); gl.texImage2D(gl.TEXTURE_2D, 0, ...picture); };
  });
  const floor = buffer(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 0, 1, -1, 0, -1, 1, 0, 1, 1, 0]));
  let ground = null, paths = [], glass = null;
  /** A frame with four samples a pixel, copied to the canvas when it is done; smooth edges cost too much to have always. */
  function smoothly(work) {
    const { width, height } = canvas;
    if (!glass || glass.width !== width || glass.height !== height) {
      glass?.parts.forEach((part) => gl.deleteRenderbuffer(part)); if (glass) gl.deleteFramebuffer(glass.frame);
      glass = { width, height, frame: gl.createFramebuffer(), parts: [] };
      gl.bindFramebuffer(gl.FRAMEBUFFER, glass.frame);
      for (const [where, kind] of [[gl.COLOR_ATTACHMENT0, gl.RGBA8], [gl.DEPTH_ATTACHMENT, gl.DEPTH_COMPONENT24]]) {
        const part = gl.createRenderbuffer();
        gl.bindRenderbuffer(gl.RENDERBUFFER, part); gl.renderbufferStorageMultisample(gl.RENDERBUFFER, 4, kind, width, height);
        gl.framebufferRenderbuffer(gl.FRAMEBUFFER, where, gl.RENDERBUFFER, part); glass.parts.push(part);
      }
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, glass.frame); work();
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, glass.frame); gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }
  const lines = (from, count, values) => count > 0 && apart(() => {
    line.set({ flatten: 0, lift: 0, solid: 0, ...values, width: Math.max(1.3, values.width) }); // thinner ones would break up
    feed(line.slot("from"), from, 24, 0); feed(line.slot("to"), from, 24, 12); gl.drawArrays(gl.TRIANGLES, 0, 6 * count);
  });
  const points = (from, first, count, values) => count > 0 && apart(() => {
    point.set({ corners: 0, turn: 0, ...values });
    feed(point.slot("at"), from, 12, 0); gl.drawArrays(gl.POINTS, first, count);
  });
  return {
    mode: "webgl",
    grid({ A, B, shares, points: at, ...corners }) {
      if (ground) for (const each of [ground.at, ground.fine[0], ground.coarse[0]]) gl.deleteBuffer(each);
      const [fine, coarse] = ["fine", "coarse"].map((name) => [buffer(gl.ELEMENT_ARRAY_BUFFER, corners[name]), corners[name].length]);
      ground = { size: [B, A], at: buffer(gl.ARRAY_BUFFER, at), fine, coarse };
      textures[1](gl.R16F, B, A, 0, gl.RED, gl.FLOAT, shares);
    },
    path(all) {
      for (const { at, strung } of paths) for (const each of [at, strung]) gl.deleteBuffer(each);
      paths = all.map((way) => ({ way, at: buffer(gl.ARRAY_BUFFER, way), strung: buffer(gl.ARRAY_BUFFER, strokes(way, 3)) }));
    },
    look({ colors }) { textures[0](gl.RGB, colors.length, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, new Uint8Array(colors.flatMap(color))); },
    paint(moment) { if (moment.fine) smoothly(() => this.draw(moment)); else this.draw(moment); },
    draw({ look, view, frame, sharp, fine }) {
      const common = { lens: view.matrix, screen: [canvas.width, canvas.height] }, wide = sharp * look.scale;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(...tint(look.paper)); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.enable(gl.DEPTH_TEST); gl.depthFunc(gl.LEQUAL);
      gl.enable(gl.BLEND); gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      const paper = tint(look.paper).slice(0, 3), [corners, count] = fine ? ground.fine : ground.coarse;
      surface.set({ ...common, ramp: 0, heights: 1, size: ground.size, bands: look.colors.length, paper, flatten: 1 });
      apart(() => { feed(surface.slot("at"), floor, 12, 0); gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4); });
      surface.set({ flatten: 0 });
      apart(() => {
        feed(surface.slot("at"), ground.at, 12, 0);
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, corners); gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
      });
      const walls = box(look, view.front), frameLines = buffer(gl.ARRAY_BUFFER, strokes(walls.flat(), 6));
      lines(frameLines, walls.length / 2, { ...common, solid: 1, width: sharp, tint: tint(look.muted, 0.45) });
      gl.deleteBuffer(frameLines);
      paths.forEach(({ way, at, strung }, k) => {
        const now = ball(way, frame), steps = Math.min(frame, way.length / 3 - 1), hue = look.walkers[k % look.walkers.length];
        if (!now) return;
        const trace = paths.length <= look.crowd ? steps : 0;
        lines(strung, trace, { ...common, flatten: 1, width: 1.4 * wide, tint: tint(CASING, 0.7) });
        const strokes = [[CASING, 4.4, 0.003], [hue.path, 2.2, 0.004]], marks = { ...common, rim: 1.6 * wide, edge: tint("#ffffff") };
        const [corners, turn] = SIDES[hue.shape], size = (paths.length > 6 ? 10 : 16) * wide;
        for (const [test, alpha] of [[gl.GREATER, 0.3], [gl.LEQUAL, 1]]) { // what a hill hides is faint
          gl.depthFunc(test); gl.depthMask(test === gl.LEQUAL);
          for (const [hex, width, lift] of strokes) {
            if (alpha < 1 && hex === CASING) continue;
            lines(strung, trace, { ...common, width: width * wide, lift, tint: tint(hex, alpha) });
            if (look.dots) points(at, 0, trace ? trace + 1 : 0, { ...common, size: (width + 2.6) * wide, rim: 0, lift: lift + 5e-4, tint: tint(hex, alpha), edge: tint(hex, alpha) });
          }
          points(at, now.r, 1, { ...marks, size, corners, turn, lift: 0.012, tint: tint(hue.ball, alpha) });
        }
        gl.depthMask(true); gl.depthFunc(gl.LEQUAL);
      });
    },
    leave() { gl.getExtension("WEBGL_lose_context")?.loseContext(); },
  };
}

// ---- the same on a plain canvas: far things first -------------------------------------------------------

function plain(canvas) {
  const c = canvas.getContext("2d");
  let ground, paths = [];
  return {
    mode: "canvas",
    grid: (made) => { ground = made; },
    path: (all) => { paths = all; },
    look() {},
    paint({ look, view, frame, sharp, fine }) {
      const { A, B, shares } = ground, n = look.colors.length, most = fine ? 56 : 32;
      const paper = color(look.paper), place = (i, j, z) => view.project([(2 * i) / (A - 1) - 1, (2 * j) / (B - 1) - 1, z]);
      const steps = (count) => picked(count, most).slice(0, -1).map((k, place) => [k, picked(count, most)[place + 1]]);
      c.setTransform(sharp, 0, 0, sharp, 0, 0); c.fillStyle = look.paper; c.fillRect(0, 0, canvas.width, canvas.height);
      const strokes = (points, ink, width, alpha = 1) => {
        c.globalAlpha = alpha; c.strokeStyle = ink; c.lineWidth = width; c.lineCap = "round"; c.beginPath();
        for (let k = 0; k < points.length; k += 2) { c.moveTo(...points[k]); c.lineTo(...points[k + 1]); }
        c.stroke(); c.globalAlpha = 1;
      };
      const sheet = (corners, ink) => { // a hair larger than its cell, so that no seam shows
        c.fillStyle = c.strokeStyle = ink; c.lineWidth = 0.7; c.beginPath();
        corners.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y))); c.closePath(); c.fill(); c.stroke();
      };
      const things = [];
      for (const [i, i1] of steps(A)) for (const [j, j1] of steps(B)) {
        const around = [[i, j], [i1, j], [i1, j1], [i, j1]], heights = around.map(([p, q]) => shares[p * B + q]);
        const mean = (heights[0] + heights[1] + heights[2] + heights[3]) / 4;
        if (Number.isNaN(mean)) continue;
        const hex = look.colors[Math.max(0, Math.min(n - 1, Math.floor(mean * n)))];
        sheet(around.map(([p, q]) => place(p, q, FLOOR)), `rgb(${color(hex).map((v, k) => Math.round((v + paper[k]) / 2))})`);
        const corners = around.map(([p, q], k) => place(p, q, heights[k] * TALL));
        things.push([corners.reduce((sum, each) => sum + each[2], 0) / 4, () => sheet(corners, hex)]);
      }
      strokes(box(look, view.front).map(view.project).map((p) => p.slice(0, 2)), look.muted, 0.8, 0.45);
      paths.forEach((way, k) => {
        const hue = look.walkers[k % look.walkers.length], now = ball(way, frame);
        if (!now) return;
        const at = (r, z) => view.project([way[3 * r], way[3 * r + 1], z ?? Math.min(1, Math.max(0, way[3 * r + 2])) * TALL + LIFT]);
        for (let r = 0; r < Math.min(frame, way.length / 3 - 1) && paths.length <= look.crowd; r++) {
          if (!inside(way[3 * r], way[3 * r + 1]) || !inside(way[3 * r + 3], way[3 * r + 4]) || Number.isNaN(way[3 * r + 5])) continue;
          const [p, q] = [at(r), at(r + 1)];
          strokes([at(r, FLOOR).slice(0, 2), at(r + 1, FLOOR).slice(0, 2)], CASING, 1.2, 0.7);
          things.push([(p[2] + q[2]) / 2 - 0.06, () => { strokes([p, q], CASING, 4.2); strokes([p, q], hue.path, 2.2); }]);
        }
        const [x, y, depth] = at(now.r), [corners, turn] = SIDES[hue.shape], size = 7 * look.scale;
        if (now.here) things.push([depth - 0.12, () => {
          c.beginPath();
          if (!corners) c.arc(x, y, size, 0, 7);
          for (let s = 0; s < corners; s++) c.lineTo(x + size * Math.sin((6.2832 * s) / corners + turn), y - size * Math.cos((6.2832 * s) / corners + turn));
          c.closePath(); c.fillStyle = hue.ball; c.fill(); c.strokeStyle = "#ffffff"; c.lineWidth = 1.6; c.stroke();
        }]);
      });
      things.sort((p, q) => q[0] - p[0]);
      for (const [, draw] of things) draw();
    },
    leave() {},
  };
}
