import { useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";

const text = TEXTS.own.sessions;

/** Where the account is logged in, and ending that. */
export function Sessions() {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("sessions", null);
  const [done, setDone] = useState<readonly string[]>([]);
  const ending = useDoing();
  const box = useRef<HTMLDivElement>(null);
  const end = (work: () => Promise<unknown>) =>
    ending.run(async () => {
      await work();
      setDone([text.ended]);
      again();
      box.current?.focus();
    });
  return (
    <Sheet id="sessions" title={text.title}>
      <Done lines={done} />
      <Failure text={ending.failure ?? failure} />
      <div class="scroll" tabIndex={-1} ref={box}>
        <table class="wide-table">
          <thead>
            <tr>
              <th scope="col">{text.with}</th>
              <th scope="col">{text.since}</th>
              <th scope="col">{text.used}</th>
              <th scope="col">{text.act}</th>
            </tr>
          </thead>
          <tbody>
            {(answer ?? []).map(({ sessionId, agent, createdAt, lastUsedAt, current }) => (
              <tr key={sessionId}>
                <th scope="row" class="agent">
                  {agent === "" ? text.unknownAgent : agent}
                </th>
                <td>{dateText(createdAt)}</td>
                <td>{dateText(lastUsedAt)}</td>
                <td>
                  {current ? (
                    text.current
                  ) : (
                    <SureButton
                      label={text.end}
                      question={text.endQuestion}
                      disabled={ending.busy}
                      onSure={() => end(() => port.ask("endSession", { sessionId }))}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {answer === null && failure === null ? <p class="dim">{text.loading}</p> : null}
      {(answer?.length ?? 0) < 2 ? null : (
        <SureButton
          label={text.endOthers}
          question={text.endOthersQuestion}
          disabled={ending.busy}
          onSure={() => end(() => port.ask("endOtherSessions", null))}
        />
      )}
    </Sheet>
  );
}
