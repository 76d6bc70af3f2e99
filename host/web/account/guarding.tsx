import { useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Done } from "../parts/done.tsx";
import { download } from "../parts/download.ts";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { Compare } from "../patient/compare.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { ShownGuarded } from "../worker/account/questions.ts";

const text = TEXTS.own.guarding;

/** Somebody who asks for this person's share: compared by voice, then given in two clicks. */
function Asking(props: { readonly asked: ShownGuarded; readonly onGiven: () => void }) {
  const { asked, onGiven } = props;
  const { requestId, handle, fingerprint, createdAt, expiresAt } = asked;
  const { port } = usePage();
  const [looking, setLooking] = useState(false);
  /** The fingerprint itself: the KDC may tell of another under the same request. */
  const [compared, setCompared] = useState<string | null>(null);
  const doing = useDoing();
  const id = `guarded-${requestId}`;
  return (
    <li class="share">
      <h3 id={id}>{text.asks(handle)}</h3>
      <p>{text.asked(dateText(createdAt), dateText(expiresAt))}</p>
      <Failure text={doing.failure} />
      {!looking ? (
        <button type="button" aria-describedby={id} onClick={() => setLooking(true)}>
          {text.look}
        </button>
      ) : compared !== fingerprint ? (
        <Compare
          // Who asks has a key for this one time: another one in its place is no lost laptop.
          found={{ handle, fingerprint, known: compared === null ? "never" : "changed" }}
          busy={doing.busy}
          words={{
            title: text.compareTitle(handle),
            how: text.compareHow(handle),
            why: text.compareWhy,
            differentDone: text.compareDone(handle),
            typedDiffers: text.compareDiffers(handle),
          }}
          onSame={setCompared}
          onCancel={() => {
            setLooking(false);
            setCompared(null);
          }}
        />
      ) : (
        <Confirm
          label={text.give}
          describedBy={id}
          title={text.giveTitle(handle)}
          points={text.giveLimits}
          yes={doing.busy ? TEXTS.own.busy : text.giveYes}
          no={text.giveNo}
          busy={doing.busy}
          onSure={() =>
            doing.run(async () => {
              await port.ask("giveShare", { requestId, fingerprint: compared });
              onGiven();
            })
          }
        />
      )}
    </li>
  );
}

/** A card for who wants to name this person a guardian. */
function Card() {
  const { port } = usePage();
  const [card, setCard] = useState<string | null>(null);
  return (
    <>
      <h3>{text.card}</h3>
      <p class="dim">{text.cardWhat}</p>
      {card === null ? (
        <button type="button" onClick={async () => setCard((await port.ask("contactCard", null)).text)}>
          {text.cardShow}
        </button>
      ) : (
        <>
          <div class="field">
            <textarea aria-label={text.card} readOnly rows={4} value={card} />
          </div>
          <div class="acts">
            <button type="button" onClick={() => download("contact-card.json", card)}>
              {text.cardSave}
            </button>
          </div>
        </>
      )}
    </>
  );
}

/** Being somebody's guardian. */
export function Guarding() {
  const { answer, failure, again } = useAsked("guarded", null);
  const [done, setDone] = useState<readonly string[]>([]);
  useFresh(again);
  return (
    <Sheet id="guarding" title={text.title} what={text.what}>
      <Done lines={done} />
      <Failure text={failure} />
      {answer?.length === 0 ? <p>{text.none}</p> : null}
      <ul class="shares">
        {(answer ?? []).map((asked) => (
          <Asking
            key={`${asked.requestId} ${asked.handle}`}
            asked={asked}
            onGiven={() => {
              setDone([text.given(asked.handle)]);
              again();
              document.getElementById("guarding-title")?.focus();
            }}
          />
        ))}
      </ul>
      <Card />
    </Sheet>
  );
}
