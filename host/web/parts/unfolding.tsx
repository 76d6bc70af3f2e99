import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** A button that opens a form; the form's first field gets the focus, and the button gets it back. */
export function Unfolding(props: {
  readonly label: string;
  readonly open: boolean;
  readonly onOpen: () => void;
  readonly children: ComponentChildren;
}) {
  const { label, open, onOpen, children } = props;
  const box = useRef<HTMLDivElement>(null);
  const before = useRef(open);
  useLayoutEffect(() => {
    if (open) {
      box.current?.querySelector<HTMLElement>("input, select, button")?.focus();
    } else if (before.current) {
      box.current?.querySelector<HTMLElement>("button")?.focus();
    }
    before.current = open;
  }, [open]);
  return (
    <div ref={box} class={open ? "unfolded" : ""}>
      {open ? (
        children
      ) : (
        <button type="button" onClick={onOpen}>
          {label}
        </button>
      )}
    </div>
  );
}
