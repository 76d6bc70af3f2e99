// Welch's t-test on times of two classes, whole and with the slow ones cropped.

/** Times above this share of all are left out, in turn: interruptions hide small differences. */
const CROPS = [1, 0.99, 0.95, 0.9, 0.75, 0.5];

function welch(times, classes, limit) {
  const count = [0, 0];
  const mean = [0, 0];
  const squares = [0, 0];
  for (let i = 0; i < times.length; i++) {
    if (times[i] > limit) {
      continue;
    }
    const k = classes[i];
    count[k]++;
    const difference = times[i] - mean[k];
    mean[k] += difference / count[k];
    squares[k] += difference * (times[i] - mean[k]);
  }
  if (count[0] < 2 || count[1] < 2) {
    return 0;
  }
  const error = [0, 1].map((k) => squares[k] / (count[k] - 1) / count[k]);
  return error[0] + error[1] === 0 ? 0 : (mean[0] - mean[1]) / Math.sqrt(error[0] + error[1]);
}

function median(values) {
  return values.length === 0 ? 0 : values.sort()[values.length >> 1];
}

/**
 * The t of the crop at which it is farthest from zero, that crop, and the medians of both classes.
 * The largest of six is larger than one would be: 4.5 is a generous limit for it, too.
 */
export function worstT(times, classes) {
  const sorted = Float64Array.from(times).sort();
  let worst = { t: 0, crop: "100%" };
  for (const share of CROPS) {
    const t = welch(times, classes, sorted[Math.ceil(share * sorted.length) - 1]);
    if (Math.abs(t) > Math.abs(worst.t)) {
      worst = { t, crop: `${share * 100}%` };
    }
  }
  const medians = [0, 1].map((k) => median(times.filter((_, i) => classes[i] === k)));
  return { ...worst, medians };
}
