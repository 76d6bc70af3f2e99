import { useEffect, useState } from "preact/hooks";
import "../style/officer.css";
import "../style/officer-tables.css";
import { dateText, groups } from "../format.ts";
import { useDoing, useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import type { AuditVerdict } from "../worker/officer/audit-questions.ts";
import { AuditSearchView } from "./audit-search.tsx";
import { Prose, Scroll } from "./blocks.tsx";

const text = TEXTS.officer.audit;

function Findings({ verdict }: { readonly verdict: AuditVerdict }) {
  const { findings, moreFindings } = verdict;
  if (findings.length === 0) {
    return null;
  }
  const head = text.findingHead;
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">{text.findings}</h2>
      <Scroll label={text.findings}>
        <table>
          <thead>
            <tr>
              <th scope="col">{head.place}</th>
              <th scope="col">{head.what}</th>
              <th scope="col">{head.says}</th>
            </tr>
          </thead>
          <tbody>
            {findings.map(({ place, kind, at, action }) => (
              <tr key={place} class="wrong">
                <th scope="row">{place}</th>
                <td>{text.finding[kind]}</td>
                <td>{at === null ? "–" : `${action ?? ""}, ${dateText(at)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {moreFindings === 0 ? null : <p>{text.moreFindings(moreFindings)}</p>}
    </section>
  );
}

function Verdict({ verdict }: { readonly verdict: AuditVerdict }) {
  const { whole, damage, witness, entries, vouchedUpTo } = verdict;
  return (
    <>
      <div role={whole ? "status" : "alert"} class={`verdict ${whole ? "whole" : "broken"}`}>
        {whole ? (
          <p>✓ {text.whole(entries)}</p>
        ) : (
          <>
            <p>✗ {damage === null ? text.withKept : text.broken}</p>
            <p>{damage?.message ?? witness}</p>
            <p class="advice">{text.damaged}</p>
          </>
        )}
      </div>
      <dl class="facts">
        <dt>{text.entries}</dt>
        <dd>
          {entries.toLocaleString("en")}{" "}
          <small class="dim">{text.took((verdict.tookMs / 1000).toFixed(1), dateText(verdict.at))}</small>
        </dd>
        {damage === null ? (
          <>
            <dt>{text.heads}</dt>
            <dd>{verdict.heads.toLocaleString("en")}</dd>
            <dt>{text.vouched}</dt>
            <dd>{vouchedUpTo >= entries ? text.vouchedAll : text.vouchedTo(vouchedUpTo, entries)}</dd>
            <dt>{text.keptHeads}</dt>
            <dd>{text.compared(verdict.keptHeads)}</dd>
          </>
        ) : (
          <>
            <dt>{text.vouched}</dt>
            <dd>{text.vouchedBroken(vouchedUpTo)}</dd>
          </>
        )}
        <dt>{text.log}</dt>
        <dd>
          <code>{groups(verdict.log)}</code>
        </dd>
        <dt>{text.key}</dt>
        <dd>
          <code>{verdict.key}</code>
          <small class="dim">{verdict.keyPinned ? text.keyPinned : text.keyUnproven}</small>
        </dd>
      </dl>
      <Findings verdict={verdict} />
    </>
  );
}

/** The KDC's log of who did what: checked here, searched, exported. */
export function AuditView() {
  const { port } = usePage();
  const [verdict, setVerdict] = useState<AuditVerdict | null>(null);
  const [progress, setProgress] = useState<{ done: number; total: number } | null>(null);
  const verifying = useDoing();
  useTold("auditProgress", ({ done, total }) => setProgress({ done, total }));
  useEffect(() => {
    port.ask("auditVerdict", null).then(setVerdict, () => null);
  }, [port]);
  const verify = () => {
    verifying.run(async () => {
      setProgress(null);
      setVerdict(await port.ask("verifyAudit", null));
    });
  };
  return (
    <main class="officer">
      <h1>{text.title}</h1>
      <p class="dim lead">
        <Prose of={text.what} />
      </p>
      <div class="verify">
        <button type="button" class="primary" aria-busy={verifying.busy} onClick={verify}>
          {verifying.busy ? text.verifying : text.verify}
        </button>
        {progress === null ? null : (
          <label class="progress">
            <progress max={Math.max(1, progress.total)} value={progress.done} />
            <span>{text.progress(progress.done, progress.total)}</span>
          </label>
        )}
      </div>
      <Failure text={verifying.failure} />
      {verdict === null ? null : <Verdict verdict={verdict} />}
      <AuditSearchView verified={verdict} />
    </main>
  );
}
