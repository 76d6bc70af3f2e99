import { urgencyOf } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import type { Score } from "../worker/streams.ts";

/** A score with its colour and, for whoever sees none, its word. */
export function ScoreBadge({ score }: { readonly score: Score | null }) {
  const urgency = urgencyOf(score);
  const word = TEXTS.score[urgency];
  const incomplete = score !== null && !score.complete;
  return (
    <span class={`score ${urgency}`} title={incomplete ? TEXTS.list.incomplete : undefined}>
      <b>{score === null ? "–" : `${incomplete ? "≥ " : ""}${score.lowerBound}`}</b>
      <small>{word}</small>
    </span>
  );
}
