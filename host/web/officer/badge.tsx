import type { Severity } from "./words.ts";

/** A word with a colour of its severity; `quiet` for what is over. */
export function Badge(props: { readonly severity: Severity | "good" | "quiet"; readonly word: string }) {
  return <span class={`badge ${props.severity}`}>{props.word}</span>;
}
