import { useLayoutEffect, useRef, useState } from "preact/hooks";

/**
 * A button for what has limits that must be read before: the first click says them, the second does it. Escape or the
 * other button leaves everything as it was, and the focus where it came from.
 */
export function Confirm(props: {
  readonly label: string;
  /** For who hears buttons without their surroundings. */
  readonly describedBy?: string;
  readonly title: string;
  readonly points: readonly string[];
  readonly yes: string;
  readonly no: string;
  readonly busy: boolean;
  readonly onSure: () => void;
}) {
  const { label, describedBy, title, points, yes, no, busy, onSure } = props;
  const [asking, setAsking] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const second = useRef<HTMLButtonElement>(null);
  const before = useRef(false);
  useLayoutEffect(() => {
    if (asking) {
      second.current?.focus();
    } else if (before.current) {
      first.current?.focus();
    }
    before.current = asking;
  }, [asking]);
  if (!asking) {
    return (
      <button
        type="button"
        ref={first}
        aria-describedby={describedBy}
        disabled={busy}
        onClick={() => setAsking(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <fieldset
      class="confirm"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          setAsking(false);
        }
      }}
    >
      <legend>{title}</legend>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
      <div class="acts">
        <button type="button" class="danger" ref={second} disabled={busy} onClick={onSure}>
          {yes}
        </button>
        <button type="button" disabled={busy} onClick={() => setAsking(false)}>
          {no}
        </button>
      </div>
    </fieldset>
  );
}
