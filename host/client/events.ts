import type { EventSourceMessage } from "eventsource-parser";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { MedcloudletError } from "../base/index.ts";

/**
 * The Server-Sent Events of an answer (WHATWG HTML, section 9.2), until the service ends it or `signal` aborts. The first
 * is `open`, as soon as the subscription stands: an event source has it, too.
 * @param service who answered, for the error: "the cloud"
 * @throws MedcloudletError `SERVICE_UNREACHABLE` when the connection breaks
 */
export async function* eventsOf(
  response: Response,
  signal: AbortSignal,
  service: string,
): AsyncGenerator<Pick<EventSourceMessage, "event" | "data">> {
  if (response.body === null) {
    return;
  }
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  // Node 20 forgets the signal of a fetch once the garbage collector has been by: the reader is ended by hand.
  const end = () => {
    events.cancel().catch(() => {});
  };
  signal.addEventListener("abort", end);
  try {
    yield { event: "open", data: "" };
    for (;;) {
      const { done, value } = await events.read().catch((cause) => {
        throw new MedcloudletError(
          "SERVICE_UNREACHABLE",
          `The connection to ${service} broke off: try again in a moment.`,
          { status: 503, cause },
        );
      });
      if (done) {
        return;
      }
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}
