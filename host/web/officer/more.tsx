import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { TEXTS } from "../texts/index.ts";

/** A list that may be long: so many of it, and as many more at each wish. */
export function MoreList<T>(props: {
  readonly items: readonly T[];
  readonly step: number;
  readonly row: (item: T) => ComponentChildren;
}) {
  const { items, step, row } = props;
  const [shown, setShown] = useState(step);
  return (
    <>
      {items.length === 0 ? null : <ul class="items">{items.slice(0, shown).map(row)}</ul>}
      {items.length > shown ? (
        <button type="button" onClick={() => setShown(shown + step)}>
          {TEXTS.officer.watch.more(items.length - shown)}
        </button>
      ) : null}
    </>
  );
}
