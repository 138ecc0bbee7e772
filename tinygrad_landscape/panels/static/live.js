// Gradient descent in the page, for the four networks of two weights that tinygrad_landscape.formulas knows
// completely. Only the start and the learning rate come from a hand; what is walked here NumPy walks too.

/** What the network says at x, and its slopes along the two weights. */
const NETWORKS = {
  one: ([w, v], x) => { const t = Math.tanh(w * x); return [v * t, v * (1 - t * t) * x, t]; },
  sine: ([w, b], x) => { const slope = Math.cos(w * x + b); return [Math.sin(w * x + b), slope * x, slope]; },
  pair: (w, x, { biases, outputs }) => {
    const t = biases.map((bias, j) => Math.tanh(w[j] * x + bias));
    return [outputs[0] * t[0] + outputs[1] * t[1], ...t.map((each, j) => outputs[j] * (1 - each * each) * x)];
  },
};
const FALL = 1e6; // as in descent/walk.py

/** Half the mean squared error and its gradient. */
function height(live, w) {
  const sum = [0, 0, 0];
  live.x.forEach((x, k) => {
    const [answer, ...slopes] = NETWORKS[live.network](w, x, live), miss = answer - live.y[k];
    sum[0] += 0.5 * miss * miss; sum[1] += miss * slopes[0]; sum[2] += miss * slopes[1];
  });
  return sum.map((each) => each / live.x.length);
}

/** A walk: points, losses (NaN from where it fell) and the step at which it fell, or -1. */
export function descend(live, start, lr) {
  const points = [start], losses = [];
  let fell = -1, limit = Infinity;
  for (let step = 0; step <= live.steps; step++) {
    const here = points[step], [loss, ...gradient] = height(live, here);
    if (step === 0) limit = FALL * (1 + Math.abs(loss));
    if (fell < 0 && !(loss <= limit && Number.isFinite(Math.hypot(...here) + Math.hypot(...gradient)))) {
      fell = step; points[step] = points[step - 1];
    }
    losses.push(fell < 0 ? loss : NaN);
    if (step < live.steps) points.push(fell < 0 ? here.map((w, k) => w - lr * gradient[k]) : points[step]);
  }
  return { points, losses, fell };
}

/** The walk as the layers of the Descent panel, with a sentence. */
function walked(live, start, lr) {
  const { points, losses, fell } = descend(live, start, lr), end = points.length - 1, place = live.labels.map((label, k) => `${label} = ${said(points[end][k])}`);
  const sent = (rows) => ({ shape: [rows.length, 1, rows[0].length], type: "f8", data: new Uint8Array(Float64Array.from(rows.flat()).buffer) });
  const path = sent(points), curve = sent(losses.map((loss, step) => [step, loss]));
  const arrow = sent(points.map(([x, y], k) => (k < end ? [x, y, points[k + 1][0] - x, points[k + 1][1] - y] : [NaN, NaN, NaN, NaN])));
  const sentence = `Learning rate ${said(lr)} from (${start.map(said).join(", ")}): ` + (fell < 0
    ? `after ${end} steps the loss has gone from ${said(losses[0])} to ${said(losses[end])}, at ${place.join(", ")}.`
    : `the walk leaves the ground at step ${fell}${fell ? `, last seen at loss ${said(losses[fell - 1])}` : ""}.`);
  const rate = { ...sent([[lr, 1], [lr, 0]]), shape: [1, 2, 2] }; // the bands are known from the baked start only, so they are left out
  return { frames: points.length, start, sentence, dial: lr, layers: { start: sent([start]), walk: path, ball: path, arrow, curve, cursor: curve, readout: curve, rate } };
}
