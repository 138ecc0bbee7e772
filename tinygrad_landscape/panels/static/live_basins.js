// The hundred balls of the Basins panel in the page: all of them roll here, at whatever learning rate a hand
// chooses, and then a grid of starts, a few at a time, to tell the share of every valley.

const FATES = { elsewhere: -1, walking: -2, fallen: -3 };
const RESTING = 1e-3; // as in panels/valleys.py
const theOthers = kept(), theGrid = kept();

LIVE.basins = (live, { lr, momentum, seed }, { start }, home) => {
  const rows = live.steps + 1, from = start ?? home.start, { valleys } = live, manner = `${lr} ${momentum}`;
  const fateOf = ({ points, norms, fell }) => {
    if (fell >= 0) return FATES.fallen;
    const at = reached(valleys, points[2 * rows - 2], points[2 * rows - 1]);
    return at < 0 && norms.at(-1) > RESTING * norms.reduce((a, b) => Math.max(a, b)) ? FATES.walking : at;
  };
  const walk = (place) => descend(live, place, lr, { momentum });
  const others = theOthers(`${manner} ${seed}`, () => live.dropped[seed].map(walk).map((each) => ({ ...each, fate: fateOf(each) })));
  const mine = walk(from), fate = fateOf(mine), end = mine.points.subarray(2 * rows - 2);

  const path = sent(rows, 1, 2, (r, _, c) => mine.points[2 * r + c]), curve = sent(rows, 1, 2, (r, _, c) => (c ? mine.losses[r] : r));
  const layers = { start: sent(1, 1, 2, (r, i, c) => from[c]), walk: path, ball: path, curve, cursor: curve, readout: curve };
  for (const k of [...valleys.points.keys(), ...Object.values(FATES)]) {
    const group = others.filter((each) => each.fate === k), place = (r, i, c) => group[i].points[2 * r + c];
    layers[`from ${k}`] = sent(1, group.length, 2, place);
    layers[`balls ${k}`] = sent(rows, group.length, 2, place);
    layers[`losses ${k}`] = sent(rows, group.length, 2, (r, i, c) => (c ? group[i].losses[r] : r));
    if (k < 0) continue;
    const arrived = new Array(rows).fill(0); // who is there and does not leave again
    for (const { points } of group) for (let r = rows - 1; r >= 0 && reached(valleys, points[2 * r], points[2 * r + 1]) === k; r--) arrived[r]++;
    layers[`count ${k}`] = sent(rows, 1, 1, (r) => arrived[r]);
  }

  const tally = (fates, shares) => {
    const parts = [];
    for (const k of [...valleys.points.keys(), ...Object.values(FATES)]) {
      const count = fates.filter((each) => each === k).length, one = count === 1 && !shares;
      if (!count) continue;
      const many = shares ? `${((100 * count) / fates.length).toFixed(1)}%` : count;
      if (k < 0) { parts.push(`${many} ${valleys.words[k][one ? 1 : 0]}`); continue; }
      const verb = parts.length ? "in" : one ? "ends in valley" : "end in valley";
      parts.push(`${many} ${verb} ${valleys.letters[k]}${shares ? "" : ` (loss ${valleys.heights[k]})`}`);
    }
    return listed(parts);
  };
  const count = others.length, steps = live.steps, grid = theGrid(manner, () => ({ fates: [], lr, momentum }));
  const last = fate === FATES.fallen ? `leaves the ground at step ${mine.fell}.`
    : fate >= 0 ? `ends in valley ${valleys.letters[fate]}, loss ${valleys.heights[fate]}.`
      : `is at ${placed(live, end)} after ${steps} steps, loss ${lossSaid(mine.losses[steps])}.`;
  const sentence = () => {
    const shares = grid.fates.length < live.grid ** 2 ? "" : ` Of a grid of ${live.grid} x ${live.grid} starts ${tally(grid.fates, true)}.`;
    return `${count} ball${count > 1 ? "s" : ""}, learning rate ${said(lr)}${momentum ? `, momentum ${said(momentum)}` : ""}: `
      + `${tally(others.map((each) => each.fate), false)}.${shares} The white ball, from ${placed(live, from)}, ${last}`;
  };
  const later = (milliseconds) => { // goes on with the grid; at its end says what is new
    for (const late = performance.now() + milliseconds; performance.now() < late && grid.fates.length < live.grid ** 2;) {
      const k = grid.fates.length, at = [Math.floor(k / live.grid), k % live.grid];
      const { norms, ...rest } = walk(at.map((cell, c) => live.low[c] + (cell / (live.grid - 1)) * (live.high[c] - live.low[c])));
      grid.fates.push(fateOf({ ...rest, norms: [norms[0], norms.at(-1)] }));
    }
    return grid.fates.length === live.grid ** 2 ? { sentence: sentence() } : null;
  };
  return { frames: rows, start: from, sentence: sentence(), layers, later };
};
