import { useEffect, useRef, useState } from "preact/hooks";
import { Choice } from "../parts/choice.tsx";
import { Failure } from "../parts/failure.tsx";
import { Compare } from "../patient/compare.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import type { PartnerLine } from "../worker/community/questions.ts";
import type { InPlace } from "./place.tsx";
import { StillReads } from "./still-reads.tsx";

const text = TEXTS.community;
const shared = TEXTS.home.sharing;

const DAY_MS = 24 * 60 * 60 * 1000;
const LENGTHS = { day: DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS } as const;

/** Sharing with a partner: why the gate is closed, or who they are, for how long, and what that cannot take back. */
export function PartnerShareForm(props: {
  readonly partner: PartnerLine;
  readonly card: NonNullable<PartnerLine["card"]>;
  readonly within: InPlace;
  readonly onShared: () => void;
  readonly onCancel: () => void;
}) {
  const { partner, card, within, onShared, onCancel } = props;
  const { doing } = within;
  /** The fingerprint itself: the card may be another at any visit. */
  const [compared, setCompared] = useState(card.known === "same" ? card.fingerprint : null);
  const [length, setLength] = useState<keyof typeof LENGTHS>("month");
  const [since, setSince] = useState<"all" | "now">("all");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [compared]);
  const cancel = (
    <button type="button" disabled={doing.busy} onClick={onCancel}>
      {text.cancel}
    </button>
  );

  if (!partner.share) {
    return (
      <div class="words">
        <h4 ref={heading} tabIndex={-1}>
          {text.shareClosed(partner.name)}
        </h4>
        <p>{partner.why}</p>
        {partner.reads ? <StillReads name={partner.name} /> : null}
        {cancel}
      </div>
    );
  }
  if (compared !== card.fingerprint) {
    const found = compared === null ? card : { ...card, known: "changed" as const };
    return <Compare found={found} busy={doing.busy} onSame={setCompared} onCancel={onCancel} />;
  }
  return (
    <form
      class="words"
      onSubmit={async (event) => {
        event.preventDefault();
        const terms = { forMs: LENGTHS[length], fromNow: since === "now", fingerprint: compared };
        if (await within.act({ act: "share", partner: partner.pseudonym, ...terms })) {
          onShared();
        }
      }}
    >
      <h4 ref={heading} tabIndex={-1}>
        {text.shareTitle(card.handle)}
      </h4>
      <ul>
        {text.shareLimits.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
      <Choice
        name={`length-${partner.pseudonym}`}
        legend={shared.howLong}
        value={length}
        options={shared.lengths}
        onValue={setLength}
      />
      <Choice
        name={`since-${partner.pseudonym}`}
        legend={shared.historyLabel}
        value={since}
        options={{ all: shared.historyAll, now: shared.historyNow }}
        onValue={setSince}
      />
      <Failure text={doing.failure} />
      <p class="acts">
        <button type="submit" class="danger" disabled={doing.busy}>
          {doing.busy ? TEXTS.home.busy : text.shareYes(card.handle)}
        </button>
        {cancel}
      </p>
    </form>
  );
}
