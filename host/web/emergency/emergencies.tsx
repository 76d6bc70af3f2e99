import { useEffect, useState } from "preact/hooks";
import { useAsked, useNow } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import "../style/emergency.css";
import { TEXTS } from "../texts/index.ts";
import { EmergencyCard } from "./emergency-card.tsx";
import { RequestForm } from "./request-form.tsx";

const ASK_EVERY_MS = 3000;

/** Break-glass: what goes on, and asking for it. */
export function EmergenciesView() {
  const { person } = usePage();
  const { answer, failure, again } = useAsked("emergencies", null);
  const [note, setNote] = useState<string | null>(null);
  const now = useNow(ASK_EVERY_MS);
  const text = TEXTS.emergencies;
  useEffect(again, [now, again]);
  return (
    <main class="emergencies">
      <h1>{text.title}</h1>
      <p>{text.intro}</p>
      {person.role === "doctor" ? (
        <RequestForm
          onAsked={(words) => {
            setNote(words);
            again();
          }}
        />
      ) : null}
      <p role="status">{note}</p>
      <h2>{text.going}</h2>
      <Failure text={failure} />
      {answer === null && failure === null ? <p class="dim">{text.loading}</p> : null}
      {answer?.length === 0 ? <p class="dim">{text.none}</p> : null}
      <ul class="emergency-list">
        {(answer ?? []).map((shown) => (
          <EmergencyCard key={shown.id} shown={shown} now={now} onChange={again} />
        ))}
      </ul>
    </main>
  );
}
