import { useEffect, useRef, useState } from "preact/hooks";
import { TEXTS } from "../texts/index.ts";
import type { OwnWish } from "../worker/doctor/questions.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const CHOICES = [15, 60, 240];

/** How long from now until the clock next shows `time` (HH:MM), ms; null where that is no time. */
function msUntil(time: string, now: number): number | null {
  const [hours, minutes] = time.split(":").map(Number);
  if (hours === undefined || minutes === undefined || Number.isNaN(hours + minutes)) {
    return null;
  }
  const then = new Date(now).setHours(hours, minutes, 0, 0);
  return then > now ? then - now : then + DAY_MS - now;
}

/** For how long an alert keeps silent: a few usual times, or until a time of the clock. */
export function SnoozeForm(props: {
  readonly id: string;
  /** ms */
  readonly longest: number;
  readonly busy: boolean;
  readonly onWish: (wish: OwnWish) => void;
  readonly onCancel: () => void;
}) {
  const { id, longest, busy, onWish, onCancel } = props;
  const [until, setUntil] = useState("");
  const [tooLate, setTooLate] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const text = TEXTS.alerts;
  const snooze = (forMs: number) => onWish({ type: "snooze", forMs });

  return (
    <form
      class="acting"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
      }}
      onSubmit={(event) => {
        event.preventDefault();
        const forMs = msUntil(until, Date.now());
        setTooLate(forMs === null || forMs > longest);
        if (forMs !== null && forMs <= longest) {
          snooze(forMs);
        }
      }}
    >
      <fieldset class="ranges" disabled={busy}>
        <legend>{text.snoozeFor}</legend>
        {CHOICES.filter((minutes) => minutes * MINUTE_MS <= longest).map((minutes, at) => (
          <button
            type="button"
            key={minutes}
            {...(at === 0 ? { ref: first } : {})}
            onClick={() => snooze(minutes * MINUTE_MS)}
          >
            {text.minutes(minutes)}
          </button>
        ))}
        <label for={`until-${id}`}>{text.until}</label>
        <input
          id={`until-${id}`}
          type="time"
          value={until}
          required
          onInput={(event) => setUntil(event.currentTarget.value)}
        />
        <button type="submit">{text.untilButton}</button>
        <button type="button" onClick={onCancel}>
          {text.cancel}
        </button>
      </fieldset>
      <p class={tooLate ? "failure" : "dim"} role="status">
        {tooLate ? text.untilTooLate : text.longest(text.minutes(longest / MINUTE_MS))}
      </p>
    </form>
  );
}
