/** Odds as a logarithm, bounded so that one member's certainty cannot outvote everybody. */
const MOST_LOG_ODDS = 12;

function logOdds(score: number): number {
  const bounded = Math.min(1 - 1e-9, Math.max(1e-9, score));
  return Math.max(-MOST_LOG_ODDS, Math.min(MOST_LOG_ODDS, Math.log(bounded / (1 - bounded))));
}

/**
 * Several members' scores of one request as one: the mean of their log-odds weighted by trust (a logarithmic opinion
 * pool; Genest and Zidek, Statistical Science 1(1), 1986). A mean rather than a sum, as members who learned from the
 * same kind of traffic do not err independently.
 */
export function fuseScores(scores: readonly number[], weights?: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const [i, score] of scores.entries()) {
    const weight = weights?.[i] ?? 1;
    sum += weight * logOdds(score);
    total += weight;
  }
  return total <= 0 ? 0 : 1 / (1 + Math.exp(-sum / total));
}
