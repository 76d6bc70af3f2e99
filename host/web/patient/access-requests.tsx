import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { ShownRequest } from "../worker/patient/questions.ts";
import { regionsText } from "./words.ts";

const text = TEXTS.home.requests;

/** Who asks for access; nothing where nobody does. */
export function AccessRequests({ onAgree }: { readonly onAgree: (request: ShownRequest) => void }) {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("accessRequests", null);
  const declining = useDoing();
  useFresh(again);
  if (failure === null && (answer === null || answer.length === 0)) {
    return null;
  }
  return (
    <Sheet id="requests" title={text.title} what={text.what}>
      <Failure text={declining.failure ?? failure} />
      <ul class="shares">
        {(answer ?? []).map((request) => (
          <li class="share" key={request.requestId}>
            <h3>
              {request.handle}
              <span class="chip is-pending">{TEXTS.home.trail.roles[request.role] ?? request.role}</span>
            </h3>
            <p>
              <strong>{regionsText(request.regions)}</strong> {TEXTS.home.purposes[request.purpose]},{" "}
              {text.days(request.days)}
            </p>
            <p>{text.because(request.reason)}</p>
            <p class="dim">{text.until(dateText(request.expiresAt))}</p>
            <div class="acts">
              <button type="button" class="accent" onClick={() => onAgree(request)}>
                {text.agree}
              </button>
              <SureButton
                label={text.decline}
                question={text.declineQuestion}
                disabled={declining.busy}
                onSure={() =>
                  declining.run(async () => {
                    await port.ask("declineRequest", { requestId: request.requestId });
                    again();
                  })
                }
              />
            </div>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}
