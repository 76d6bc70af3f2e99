import { useEffect, useState } from "preact/hooks";

/** For so long the second click is waited for. */
const DOUBT_MS = 6000;

/** A button for what cannot be undone: the first click asks, the second does. */
export function SureButton(props: {
  readonly label: string;
  /** What the button says after the first click. */
  readonly question: string;
  readonly disabled?: boolean;
  readonly onSure: () => void;
}) {
  const { label, question, disabled = false, onSure } = props;
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) {
      return;
    }
    const timer = setTimeout(() => setAsking(false), DOUBT_MS);
    return () => clearTimeout(timer);
  }, [asking]);
  return (
    <button
      type="button"
      class={asking ? "danger" : ""}
      disabled={disabled}
      onBlur={() => setAsking(false)}
      onClick={() => {
        if (asking) {
          onSure();
        }
        setAsking(!asking);
      }}
    >
      {asking ? question : label}
    </button>
  );
}
