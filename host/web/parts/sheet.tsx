import type { ComponentChildren } from "preact";

/** A section of a view under a heading of its own. */
export function Sheet(props: {
  readonly id: string;
  readonly title: string;
  readonly what?: string;
  readonly children: ComponentChildren;
}) {
  const { id, title, what, children } = props;
  return (
    <section class="sheet" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} tabIndex={-1}>
        {title}
      </h2>
      {what === undefined ? null : <p class="dim">{what}</p>}
      {children}
    </section>
  );
}
