/** A share that was counted, with the interval that its true value lies in. All 0 to 1. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Standard normal quantile of 97.5 percent. */
const Z = 1.959_963_984_540_054;

/**
 * A share with its 95 percent score interval (Wilson, JASA 22(158), 1927), which is honest near 0 and 1 and with few
 * observations, where the textbook's interval is empty. Of nothing everything is possible: 0 to 1.
 * @param hits whole number of `of`
 */
export function wilsonShare(hits: number, of: number): Share {
  if (of <= 0) {
    return { value: 0, low: 0, high: 1 };
  }
  const share = hits / of;
  const z2 = (Z * Z) / of;
  const middle = (share + z2 / 2) / (1 + z2);
  const half = (Z * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of))) / (1 + z2);
  return {
    value: share,
    low: hits === 0 ? 0 : Math.max(0, middle - half),
    high: hits === of ? 1 : Math.min(1, middle + half),
  };
}
