// The lasso of the Basins panel in the page: how often the gradient turns along a loop, wherever a hand draws it.

const areaOf = (loop) => loop.reduce((sum, [x, y], k) => { const [u, v] = loop[(k + 1) % loop.length]; return sum + 0.5 * (x * v - u * y); }, 0);
const turn = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI)); // the short way round

/** How often a loop goes round a place. */
function rounds(loop, [x, y]) {
  const angles = loop.map(([u, v]) => Math.atan2(v - y, u - x));
  const total = angles.reduce((sum, angle, k) => sum + turn(angles[(k + 1) % loop.length] - angle), 0);
  return Math.round((total / (2 * Math.PI)) * Math.sign(areaOf(loop)));
}
/** `count` + 1 places at even distances along a loop, the first one twice. */
function along(loop, count) {
  const closed = [...loop, loop[0]], walked = [0];
  for (let k = 1; k < closed.length; k++) walked.push(walked[k - 1] + Math.hypot(closed[k][0] - closed[k - 1][0], closed[k][1] - closed[k - 1][1]));
  let side = 0;
  return Array.from({ length: count + 1 }, (_, n) => {
    const at = (n / count) * walked.at(-1);
    while (side < loop.length - 1 && walked[side + 1] < at) side++;
    const share = Math.min(1, (at - walked[side]) / (walked[side + 1] - walked[side] || 1));
    return closed[side].map((from, c) => from + share * (closed[side + 1][c] - from));
  });
}
/** A drawn loop with few corners, in three figures, as `simplified` in panels/lasso.py makes it. */
function simplified(loop, unit, most) {
  const thinned = (path) => {
    const [x, y] = path[0], [u, v] = path.at(-1).map((end, c) => end - path[0][c]), length = Math.hypot(u, v) || 1;
    const off = path.map((p) => Math.abs((p[0] - x) * v - (p[1] - y) * u) / length), far = off.indexOf(Math.max(...off));
    if (path.length < 3 || off[far] <= unit) return [path[0], path.at(-1)];
    return [...thinned(path.slice(0, far + 1)), ...thinned(path.slice(far)).slice(1)];
  };
  for (const half = Math.floor(loop.length / 2); ; unit *= 1.5) {
    const corners = [...thinned(loop.slice(0, half + 1)), ...thinned(loop.slice(half)).slice(1)];
    if (corners.length <= most) return corners.map((corner) => corner.map((at) => Number(said(at))));
  }
}

LIVE.lasso = (live, _, { loop }) => {
  const corners = loop && areaOf(loop) ? loop : live.loop, height = ground(live), side = Math.sign(areaOf(corners));
  const fine = along(corners, live.fine), slopes = fine.map(([x, y]) => [...height(x, y).subarray(1)]);
  const turned = [0];
  slopes.forEach(([p, q], k) => { if (k) turned.push(turned[k - 1] + (side * turn(Math.atan2(q, p) - Math.atan2(slopes[k - 1][1], slopes[k - 1][0]))) / (2 * Math.PI)); });
  const turns = Math.round(turned[live.fine]), picked = Array.from({ length: live.way + 1 }, (_, n) => Math.round((n * live.fine) / live.way));

  const rows = picked.length, swing = sent(rows, 1, 2, (r, _, c) => (c ? turned[picked[r]] : (100 * r) / live.way));
  const layers = {
    loop: sent(corners.length + 1, 1, 2, (r, _, c) => corners[r % corners.length][c]), ball: sent(rows, 1, 2, (r, _, c) => fine[picked[r]][c]),
    arrow: sent(rows, 1, 4, (r, _, c) => (c < 2 ? fine[picked[r]][c] : (live.reach * slopes[picked[r]][c - 2]) / (Math.hypot(...slopes[picked[r]]) || 1))),
    turned: swing, cursor: swing, readout: swing, goal: sent(2, 1, 2, (r, _, c) => (c ? turns : 100 * r)),
  };
  const counts = Object.entries(live.points).map(([kind, points]) => {
    const times = points.map((point) => rounds(corners, point));
    for (const [name, caught] of [["in", true], ["out", false]]) {
      const group = points.filter((_, k) => (times[k] !== 0) === caught);
      layers[`${name} ${kind}`] = sent(1, group.length, 2, (r, i, c) => group[i][c]);
    }
    return times.reduce((sum, each) => sum + each, 0);
  });

  const [minima, saddles, maxima] = counts, total = minima - saddles + maxima;
  const many = (count, word) => (word === "saddle" ? `${count} saddle${count === 1 ? "" : "s"}` : `${count} ${word.slice(0, -2)}${count === 1 ? "um" : "a"}`);
  let sentence = `Along the loop the gradient turns ${turns === 1 ? "once" : `${turns} times`}. Inside are `
    + `${listed(Object.keys(live.points).map((kind, k) => many(counts[k], kind)))}: ${minima} - ${saddles} + ${maxima} = ${total}.`;
  if (total !== turns) sentence += ` That is not ${turns}: points that count ${turns - total} together are degenerate, or Newton's method missed them.`;
  return { frames: rows, sentence, layers };
};
LIVE.lasso.drawn = (live, loop) => simplified(loop, live.unit, live.corners);
