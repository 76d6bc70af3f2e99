import { dateText } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import type { Share } from "../worker/patient/questions.ts";
import { doneLines, regionsText } from "./words.ts";

const text = TEXTS.home.sharing;

/** One share that goes on, and the way to stop it. */
export function ShareCard(props: {
  readonly share: Share;
  readonly onStopped: (lines: readonly string[]) => void;
}) {
  const { share, onStopped } = props;
  const { port } = usePage();
  const doing = useDoing();
  const who = share.who ?? text.changed;
  const id = `share-${share.consentId}`;
  return (
    <li class="share">
      <h3 id={id}>
        {who} <span class={`chip is-${share.state}`}>{text.states[share.state]}</span>
      </h3>
      {share.who === null ? <p class="failure">{text.changedWhat}</p> : null}
      <p>
        <strong>{regionsText(share.regions)}</strong> {TEXTS.home.purposes[share.purpose]}
      </p>
      <p>{text.until(dateText(share.until))}</p>
      <p class="dim">
        {(share.state === "future" ? text.fromFuture : text.from)(dateText(share.from))},{" "}
        {share.fromNow ? text.fromNow : text.history}
      </p>
      <Failure text={doing.failure} />
      <Confirm
        label={doing.busy ? TEXTS.home.busy : text.stop}
        describedBy={id}
        title={text.stopTitle(who)}
        points={text.irrevocable}
        yes={doing.busy ? TEXTS.home.busy : text.stopYes}
        no={text.stopNo}
        busy={doing.busy}
        onSure={() =>
          doing.run(async () => {
            const done = await port.ask("revoke", { consentId: share.consentId });
            onStopped([text.stopped(who), ...doneLines(done)]);
          })
        }
      />
    </li>
  );
}
