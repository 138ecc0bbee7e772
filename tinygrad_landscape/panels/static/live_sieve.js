// The Sieve panel in the page: the ball, a hundred others that start close by, and the valley to which each of
// them belongs. Minibatches are those that NumPy drew: `orders` holds the shuffled samples of every ball and epoch.

const FALLEN = -3; // as in panels/valleys.py
const theWalks = kept();

LIVE.sieve = (live, values, { start }, home) => {
  const { peak, schedule } = values, size = live.x.length, batch = values.batch ?? size, cuts = Math.ceil(size / batch);
  const from = start ?? home.start, rows = live.steps + 1, factor = live.factors[schedule], { valleys } = live, height = ground(live);
  const belongs = ({ points, fell }, row) => { // where it rolls to in small steps
    if (fell >= 0 && row) return FALLEN;
    let [x, y] = points.subarray(2 * row), at = -1;
    for (let step = 0; step < live.home && (at = reached(valleys, x, y, 0.1)) < 0; step++) {
      const here = height(x, y);
      x -= live.gently * here[1]; y -= live.gently * here[2];
    }
    return at < 0 ? reached(valleys, x, y) : at;
  };
  const { mine, others, begun, fate } = theWalks(JSON.stringify([peak, schedule, batch, from]), () => {
    const samples = (walker) => (cuts === 1 ? null : Array.from({ length: live.steps }, (_, step) => {
      const epoch = (walker * live.epochs + Math.floor(step / cuts)) * size, from = (step % cuts) * batch;
      return live.orders.subarray(epoch + from, epoch + Math.min(size, from + batch));
    }));
    const walk = (place, walker) => descend(live, place, peak, { factor, samples: samples(walker) });
    const mine = walk(from, 0), others = live.near.map((off, k) => walk(from.map((at, c) => at + off[c]), k + 1));
    return { mine, others: others.map((each) => ({ ...each, fate: belongs(each, rows - 1) })), begun: belongs({ ...mine, fell: -1 }, 0), fate: belongs(mine, rows - 1) };
  });

  const { points, losses } = mine, end = points.subarray(2 * rows - 2), rate = (r) => peak * factor[r];
  const path = sent(rows, 1, 2, (r, _, c) => points[2 * r + c]), curve = sent(rows, 1, 2, (r, _, c) => (c ? losses[r] : r));
  const rates = sent(rows, 1, 2, (r, _, c) => (c ? rate(r) : r));
  const cloud = cuts > 1 ? live.clouds[batch] : [];
  const layers = {
    ...home.layers, start: sent(1, 1, 2, (r, i, c) => from[c]), walk: path, ball: path, curve, cursor: curve, rate: rates, "rate cursor": rates,
    readout: sent(rows, 1, 3, (r, _, c) => [r, rate(r), losses[r]][c]),
    cloud: sent(cloud.length ? rows : 0, cloud.length, 4, (r, i, c) => (c < 2 ? points[2 * r + c] : -rate(r) * height(points[2 * r], points[2 * r + 1], cloud[i])[c - 1])),
  };
  for (const k of [...valleys.points.keys(), -1, -2, FALLEN]) {
    const group = others.filter((each) => each.fate === k);
    layers[`others ${k}`] = sent(rows, group.length, 2, (r, i, c) => group[i].points[2 * r + c]);
  }

  const verdict = () => {
    if (fate === FALLEN) return `the ball leaves the ground at step ${mine.fell}`;
    if (begun < 0 || fate < 0) return `the ball ends at ${placed(live, end)}, loss ${lossSaid(losses[rows - 1])}`;
    const [first, last] = [begun, fate].map((k) => valleys.letters[k]), left = others.filter((each) => each.fate !== begun).length;
    let text = `the ball ${begun === fate ? "stays in valley" : `leaves valley ${first} and ends in`} ${last}, loss ${valleys.heights[fate]}`;
    if (others.length) text += `; of ${others.length} others ${left} leave${left === 1 ? "s" : ""}`;
    const fifth = losses.subarray(rows - Math.max(1, Math.floor(rows / 5)));
    const above = fifth.reduce((a, b) => a + b) / fifth.length - live.floors[fate];
    return above > 1e-4 ? `${text}; in the last fifth it rides ${said(above)} above the floor` : text;
  };
  const fog = cuts > 1 ? `, batches of ${batch}` : "";
  const sentence = `Learning rate ${schedule === "constant" ? "" : "up to "}${said(peak)} (${schedule})${fog}: ${verdict()}. ${live.cliffs}`;
  return { frames: rows, start: from, sentence, honesty: fog ? live.foggy : live.clear, layers };
};
