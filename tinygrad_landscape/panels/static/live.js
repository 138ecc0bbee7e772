// Gradient descent in the page, for the four networks of two weights that tinygrad_landscape.formulas knows
// completely. What is walked here NumPy walks too. A panel whose page walks has a file of its own beside this
// one, with one entry in LIVE: from the controls' values and what a hand has moved to all that is to be seen.

export const LIVE = {};
const FALL = 1e6; // as in descent/walk.py

/** What the network says at x, and its slopes along the two weights, written into `at`. */
const NETWORKS = {
  one: (_, at) => (w, v, x) => { const t = Math.tanh(w * x); at[0] = v * t; at[1] = v * (1 - t * t) * x; at[2] = t; },
  sine: (_, at) => (w, b, x) => { const slope = Math.cos(w * x + b); at[0] = Math.sin(w * x + b); at[1] = slope * x; at[2] = slope; },
  pair: ({ biases: [p, q], outputs: [f, g] }, at) => (w, v, x) => {
    const s = Math.tanh(w * x + p), t = Math.tanh(v * x + q);
    at[0] = f * s + g * t; at[1] = f * (1 - s * s) * x; at[2] = g * (1 - t * t) * x;
  },
};

/** A function of two weights: half the mean squared error and its gradient, always in the same array. */
export function ground(live) {
  const at = new Float64Array(3), sum = new Float64Array(3), network = NETWORKS[live.network](live, at), { x, y } = live;
  const all = x.map((_, k) => k);
  return (a, b, samples = all) => {
    sum.fill(0);
    for (let i = 0; i < samples.length; i++) {
      const k = samples[i];
      network(a, b, x[k]);
      const miss = at[0] - y[k];
      sum[0] += 0.5 * miss * miss; sum[1] += miss * at[1]; sum[2] += miss * at[2];
    }
    for (let k = 0; k < 3; k++) sum[k] /= samples.length;
    return sum;
  };
}

/**
 * A walk: points (x and y in turn), losses and lengths of the gradient (NaN from where it fell), and the step at
 * which it fell, or -1. `factor` is the schedule, step by step; `samples` the minibatches.
 */
export function descend(live, [a, b], lr, { steps = live.steps, momentum = 0, factor = null, samples = null } = {}) {
  const height = ground(live), points = new Float64Array(2 * steps + 2);
  const losses = new Float64Array(steps + 1).fill(NaN), norms = new Float64Array(steps + 1).fill(NaN);
  let fell = -1, limit = Infinity, v = 0, w = 0;
  for (let step = 0; step <= steps; step++) {
    if (fell < 0) {
      let here = height(a, b);
      const loss = here[0], norm = Math.sqrt(here[1] * here[1] + here[2] * here[2]);
      if (step === 0) limit = FALL * (1 + Math.abs(loss));
      if (!(loss <= limit && Number.isFinite(a * a + b * b + norm))) {
        fell = step; [a, b] = step ? points.subarray(2 * step - 2) : [a, b];
      } else {
        losses[step] = loss; norms[step] = norm; points[2 * step] = a; points[2 * step + 1] = b;
        if (samples && step < steps) here = height(a, b, samples[step]);
        v = momentum * v + here[1]; w = momentum * w + here[2];
        const rate = factor ? lr * factor[step] : lr;
        a -= rate * v; b -= rate * w;
        continue;
      }
    }
    points[2 * step] = a; points[2 * step + 1] = b;
  }
  return { points, losses, norms, fell };
}

// ---- what the panels' files share -----------------------------------------------------------------

/** A layer as the stage takes it, filled by fill(row, item, column). */
function sent(rows, items, columns, fill) {
  const values = new Float64Array(rows * items * columns);
  for (let r = 0, k = 0; r < rows; r++) for (let i = 0; i < items; i++) for (let c = 0; c < columns; c++) values[k++] = fill(r, i, c);
  return { shape: [rows, items, columns], type: "f8", data: new Uint8Array(values.buffer) };
}
/** The last thing made, for as long as the key stays the same. */
function kept() {
  let last = null, made;
  return (key, make) => { if (key !== last) { last = key; made = make(); } return made; };
}
const placed = (live, at) => live.labels.map((label, k) => `${label} = ${said(at[k])}`).join(", ");
const listed = (parts) => (parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join(""));
const lossSaid = (loss) => said(Math.abs(loss) < 1e-12 ? 0 : loss);
/** The valley (see panels/valleys.py) that a place lies in, or -1; `share` of its width counts. */
function reached({ points, near }, x, y, share = 1) {
  let best = -1, away = Infinity;
  points.forEach(([u, v], k) => {
    const far = Math.hypot(x - u, y - v);
    if (far <= near * share * (1 + Math.hypot(u, v)) && far < away) { best = k; away = far; }
  });
  return best;
}
