import { useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { Share } from "../worker/patient/questions.ts";
import { AccessRequests } from "./access-requests.tsx";
import { ShareCard } from "./share-card.tsx";
import { type AskedTerms, ShareForm } from "./share-form.tsx";
import { regionsText } from "./words.ts";

const text = TEXTS.home.sharing;

function EndedShares({ shares }: { readonly shares: readonly Share[] }) {
  return (
    <details>
      <summary>{text.ended(shares.length)}</summary>
      <div class="scroll">
        <table class="wide-table">
          <thead>
            <tr>
              <th scope="col">{text.columns.who}</th>
              <th scope="col">{text.columns.what}</th>
              <th scope="col">{text.columns.from}</th>
              <th scope="col">{text.columns.until}</th>
              <th scope="col">{text.columns.state}</th>
            </tr>
          </thead>
          <tbody>
            {shares.map((share) => (
              <tr key={share.consentId}>
                <th scope="row">{share.who ?? text.changed}</th>
                <td>
                  {regionsText(share.regions)} {TEXTS.home.purposes[share.purpose]}
                </td>
                <td>{dateText(share.from)}</td>
                <td>{dateText(share.revokedAt ?? share.until)}</td>
                <td>{text.states[share.state]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** Who can see what, until when; and letting somebody, or nobody any more. */
export function SharingView() {
  const { answer, failure, again } = useAsked("shares", null);
  const [done, setDone] = useState<readonly string[]>([]);
  const [asked, setAsked] = useState<AskedTerms | null>(null);
  const [round, setRound] = useState(0);
  const { port } = usePage();
  const box = useRef<HTMLElement>(null);
  useFresh(again);
  const shares = answer?.shares ?? [];
  const going = shares.filter(({ state }) => state === "live" || state === "future");
  const over = shares.filter(({ state }) => state === "ended" || state === "revoked");

  const finish = (lines: readonly string[]) => {
    setDone(lines);
    again();
    // What had the focus is gone.
    box.current?.querySelector<HTMLElement>("#shares-title")?.focus();
  };

  return (
    <main ref={box}>
      <h1>{text.title}</h1>
      <Done lines={done} />
      <Failure text={failure} />
      <Sheet id="shares" title={text.who}>
        {answer === null && failure === null ? <p class="dim">{TEXTS.home.loading}</p> : null}
        {answer !== null && going.length === 0 ? <p>{text.nobody}</p> : null}
        <ul class="shares">
          {going.map((share) => (
            <ShareCard key={share.consentId} share={share} onStopped={finish} />
          ))}
        </ul>
        {over.length === 0 ? null : <EndedShares shares={over} />}
      </Sheet>
      <AccessRequests key={round} onAgree={(request) => setAsked({ ...request })} />
      <Sheet id="add" title={text.add} what={text.addWhat}>
        <ShareForm
          known={answer?.known ?? []}
          asked={asked}
          onShared={(who, regions, until) => {
            if (asked?.handle === who) {
              // Granted is answered: it need not wait any more.
              port
                .ask("declineRequest", { requestId: asked.requestId })
                .catch(() => null)
                .then(() => setRound((before) => before + 1));
              setAsked(null);
            }
            finish([text.shared(who, regionsText(regions), dateText(until))]);
          }}
        />
      </Sheet>
    </main>
  );
}
