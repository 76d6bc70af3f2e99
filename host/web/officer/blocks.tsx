import type { ComponentChildren } from "preact";

/** A wide table on a narrow screen: it scrolls by itself, by keyboard too, and the page does not. */
export function Scroll(props: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={props.label}>
      {props.children}
    </section>
  );
}

/** A text with what stands between backticks set as what is typed at a terminal. */
export function Prose({ of }: { readonly of: string }) {
  return <>{of.split("`").map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part))}</>;
}
