/**
 * Area under the ROC curve as the Mann-Whitney statistic: the chance that a positive scores above a negative, ties
 * counted half (Hanley and McNeil, Radiology 143, 1982). NaN where one of the two is missing.
 */
export function rankArea<T extends { readonly score: number }>(
  judged: readonly T[],
  isPositive: (one: T) => boolean,
): number {
  const sorted = [...judged].sort((a, b) => a.score - b.score);
  let positives = 0;
  let rankSum = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    let here = 0;
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) {
      here += isPositive(sorted[to] as T) ? 1 : 0;
      to++;
    }
    rankSum += here * ((from + 1 + to) / 2);
    positives += here;
    from = to;
  }
  const negatives = sorted.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
