import { useCallback, useEffect, useState } from "preact/hooks";
import type { AuditEntry } from "../../audit/reading.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import { turnText } from "./turn-text.ts";
import { timeText } from "./words.ts";

const { audit, turns: text } = TEXTS.officer;
const MOST_SHOWN = 100;

/**
 * Every turn of the ticket keys that the audit log has, an operator's and the KDC's own. Only what was verified here is
 * shown, so the log is verified first where it was not.
 */
export function KeyTurns() {
  const { port } = usePage();
  const { busy, failure, run } = useDoing();
  const [turns, setTurns] = useState<readonly AuditEntry[] | null>(null);
  const [whole, setWhole] = useState(true);
  const show = useCallback(
    async (verify: boolean) => {
      const verdict = await port.ask(verify ? "verifyAudit" : "auditVerdict", null);
      if (verdict === null) {
        return;
      }
      setWhole(verdict.whole);
      const search = { action: "ticket-keys." };
      setTurns((await port.ask("searchAudit", { search, limit: MOST_SHOWN })).entries);
    },
    [port],
  );
  useEffect(() => {
    run(() => show(false));
  }, [run, show]);
  return (
    <section aria-labelledby="key-turns">
      <h2 id="key-turns">{text.title}</h2>
      {failure === null ? null : <Failure text={failure} />}
      {whole ? null : (
        <p class="banner" role="alert">
          {text.damaged}
        </p>
      )}
      {turns === null ? (
        <p class="dim">{text.hint}</p>
      ) : turns.length === 0 ? (
        <p>{text.none}</p>
      ) : (
        <ul class="items">
          {turns.map((entry) => (
            <li key={entry.sequence} class="item what">
              <strong>{timeText(entry.at)}</strong>
              {turnText(entry)}
              {typeof entry.details.key === "string" ? <small>{entry.details.key}</small> : null}
            </li>
          ))}
        </ul>
      )}
      <button type="button" aria-busy={busy} onClick={() => run(() => show(true))}>
        {busy ? audit.verifying : text.verify}
      </button>
    </section>
  );
}
