/** A text with what stands between backticks set as what is typed at a terminal. */
export function Prose({ of }: { readonly of: string }) {
  return <>{of.split("`").map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part))}</>;
}
