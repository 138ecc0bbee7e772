// The Descent panel in the page: a walk from where the start was dragged, as its layers and a sentence.

LIVE.descent = (live, { lr }, { start }) => {
  const { points, losses, fell } = descend(live, start, lr), end = live.steps, rows = end + 1;
  const path = sent(rows, 1, 2, (r, _, c) => points[2 * r + c]), curve = sent(rows, 1, 2, (r, _, c) => (c ? losses[r] : r));
  const arrow = sent(rows, 1, 4, (r, _, c) => (r === end ? NaN : c < 2 ? points[2 * r + c] : points[2 * r + c] - points[2 * r + c - 2]));
  const sentence = `Learning rate ${said(lr)} from (${start.map(said).join(", ")}): ` + (fell < 0
    ? `after ${end} steps the loss has gone from ${said(losses[0])} to ${said(losses[end])}, at ${placed(live, points.subarray(2 * end))}.`
    : `the walk leaves the ground at step ${fell}${fell ? `, last seen at loss ${said(losses[fell - 1])}` : ""}.`);
  const home = sent(1, 1, 2, (r, i, c) => start[c]), rate = sent(1, 2, 2, (r, i, c) => (c ? 1 - i : lr)); // the bands belong to the baked start
  return { frames: rows, start, sentence, dial: lr, layers: { start: home, rate, walk: path, ball: path, arrow, curve, cursor: curve, readout: curve } };
};
