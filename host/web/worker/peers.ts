import { fromBase64Url, isMedcloudletError, toBase64Url, utf8 } from "../../base/index.ts";
import { lockWith, unlockWith } from "../../client/index.ts";
import type { Work } from "./work.ts";

/** For so long whoever begins waits for what other tabs know: they answer at once, or there are none. */
const GREET_MS = 300;

/** The workers of other tabs in which the same person is at work. */
export interface Peers {
  /** Tells all of them. */
  tell(text: string): Promise<void>;
  /** Done once the first of them has said what it knows, or as good as certainly none is there. */
  readonly greeted: Promise<void>;
}

/**
 * Keeps the workers of one person's tabs in touch. What they tell each other is locked with a key from inside the
 * keystore: nothing on this origin but another worker of the same person can read it, or say anything in its place.
 * @param options.subject what it is about; names the channel together with the person
 * @param options.whole everything that this tab knows, for one that begins
 * @param options.onTold hears what another tab told
 */
export function createPeers(options: {
  readonly work: Pick<Work, "person" | "contents" | "signal">;
  readonly subject: string;
  readonly whole: () => string;
  readonly onTold: (text: string) => void;
}): Peers {
  const { work, subject, whole, onTold } = options;
  const label = `medcloudlet page tabs v1 ${subject}`;
  const seed = fromBase64Url(work.contents.signingSeed);
  const channel = new BroadcastChannel(`medcloudlet-${subject}-${work.person.accountId}`);
  let known: () => void = () => {};
  const greeted = new Promise<void>((resolve) => {
    known = resolve;
    setTimeout(resolve, GREET_MS);
  });

  const post = async (message: { readonly hello: boolean; readonly text: string }): Promise<void> => {
    const locked = await lockWith(seed, label, utf8(JSON.stringify(message)));
    // Who left meanwhile has nothing to say.
    if (!work.signal.aborted) {
      channel.postMessage(toBase64Url(locked));
    }
  };
  const take = async (data: unknown): Promise<void> => {
    const bytes = typeof data === "string" ? await unlockWith(seed, label, fromBase64Url(data)) : null;
    if (bytes === null || work.signal.aborted) {
      return;
    }
    const { hello, text } = JSON.parse(new TextDecoder().decode(bytes)) as { hello: boolean; text: string };
    onTold(text);
    if (hello) {
      await post({ hello: false, text: whole() });
    } else {
      known();
    }
  };

  channel.onmessage = ({ data }: MessageEvent) => {
    take(data).catch((error) => {
      // Not base64url: nothing that one of these workers said.
      if (!isMedcloudletError(error)) {
        throw error;
      }
    });
  };
  work.signal.addEventListener("abort", () => channel.close());
  void post({ hello: true, text: whole() });
  return { tell: (text) => post({ hello: false, text }), greeted };
}
