import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../../base/index.ts";
import { SIMILARITY_MESSAGE, type SimilarityStatement } from "../../community/index.ts";
import { signStatement } from "../../sealing/index.ts";
import { answerSimilarity, askSimilarity, SIMILARITY_SEED_BYTES } from "../../trust/index.ts";
import { type Desk, memberOf, post, verifyByMember } from "./desk.ts";
import type { KeptRun } from "./member-state.ts";
import type { RelayedRun } from "./relay.ts";

/** Where the run's id lies in a message of `host/trust` (similarity-messages.ts). */
const RUN_AT = 6;
const RUN_BYTES = 16;
const RUN_LIFETIME_MS = 2 * 24 * 60 * 60 * 1000;

function confirmedCodes({ state }: Desk): string[] {
  return (state.admission?.codes ?? []).map(({ confirmed }) => confirmed);
}

async function say(
  desk: Desk,
  { run, partner }: Pick<KeptRun, "run" | "partner">,
  kind: SimilarityStatement["kind"],
  message: Bytes,
): Promise<void> {
  const statement = await signStatement(
    SIMILARITY_MESSAGE,
    {
      community: desk.community.community,
      run,
      from: desk.own,
      to: partner,
      kind,
      message: toBase64Url(message),
      at: desk.clock.now(),
    },
    desk.keys.signing,
  );
  await post(desk, { type: "similarity", statement });
}

/**
 * Begins a comparison with a partner, or leaves one alone that is under way. The answer comes with their next visit.
 * @throws MedcloudletError `SIMILARITY_BUDGET_SPENT` (429), `MEMBER_UNKNOWN`
 */
export async function compare(desk: Desk, partner: string): Promise<"begun" | "waiting"> {
  const now = desk.clock.now();
  if (partner === desk.own) {
    throw new MedcloudletError("MEMBER_SELF", "This is you: choose a partner.", { status: 400 });
  }
  await memberOf(desk, partner);
  const open = Object.values(desk.state.runs).some(
    (run) => run.mine && run.partner === partner && run.seed !== null && now - run.at < RUN_LIFETIME_MS,
  );
  if (open) {
    return "waiting";
  }
  const seed = randomBytes(SIMILARITY_SEED_BYTES);
  const { request } = askSimilarity(confirmedCodes(desk), seed);
  const run = toHex(request.slice(RUN_AT, RUN_AT + RUN_BYTES));
  desk.state.runs[run] = { run, partner, mine: true, seed: toBase64Url(seed), answered: null, at: now };
  try {
    await say(desk, { run, partner }, "request", request);
  } catch (error) {
    if (isMedcloudletError(error) && error.status < 500) {
      delete desk.state.runs[run];
      await desk.save();
    }
    throw error;
  }
  return "begun";
}

async function readMessage(
  desk: Desk,
  statement: string,
  expected: Pick<SimilarityStatement, "run" | "kind" | "from">,
): Promise<Bytes> {
  const { payload } = await verifyByMember(
    SIMILARITY_MESSAGE,
    statement,
    await memberOf(desk, expected.from),
  );
  const fits =
    payload.community === desk.community.community &&
    payload.run === expected.run &&
    payload.kind === expected.kind &&
    payload.from === expected.from &&
    payload.to === desk.own;
  if (!fits) {
    throw new MedcloudletError(
      "SIMILARITY_MESSAGE_INVALID",
      "The relay shows a message of another comparison.",
      { status: 502 },
    );
  }
  return fromBase64Url(payload.message);
}

/**
 * Goes on with a run as the relay shows it, as far as it goes. A seed meets one message of the partner's and no other:
 * under the same keys a second one would tell its sender more.
 */
export async function takeRun(desk: Desk, relayed: RelayedRun): Promise<void> {
  const { run, from } = relayed;
  const kept = desk.state.runs[run];
  if (from === desk.own) {
    if (kept?.mine === true && kept.seed !== null && relayed.reply !== null) {
      await finishOwn(desk, kept, relayed.reply);
    }
    return;
  }
  if (kept === undefined) {
    await answerRun(desk, relayed);
    return;
  }
  const ready = !kept.mine && kept.seed !== null && kept.partner === from && relayed.confirmation !== null;
  if (ready && kept.answered === relayed.request) {
    await finishTheirs(desk, kept, relayed);
  }
}

async function finishOwn(desk: Desk, kept: KeptRun, reply: string): Promise<void> {
  const { run, partner } = kept;
  const bytes = await readMessage(desk, reply, { run, kind: "reply", from: partner });
  const seed = fromBase64Url(kept.seed as string);
  const { overlap, confirmation } = askSimilarity(confirmedCodes(desk), seed).receive(bytes);
  desk.book.setOverlap(partner, overlap);
  kept.seed = null;
  kept.answered = reply;
  await say(desk, kept, "confirmation", confirmation);
}

async function answerRun(desk: Desk, relayed: RelayedRun): Promise<void> {
  const { run, from, request } = relayed;
  if (relayed.reply !== null || relayed.expiresAt <= desk.clock.now()) {
    return;
  }
  const bytes = await readMessage(desk, request, { run, kind: "request", from });
  const seed = randomBytes(SIMILARITY_SEED_BYTES);
  const { reply } = answerSimilarity(confirmedCodes(desk), bytes, seed);
  const kept: KeptRun = {
    run,
    partner: from,
    mine: false,
    seed: toBase64Url(seed),
    answered: request,
    at: desk.clock.now(),
  };
  desk.state.runs[run] = kept;
  await say(desk, kept, "reply", reply);
}

async function finishTheirs(desk: Desk, kept: KeptRun, relayed: RelayedRun): Promise<void> {
  const { run, partner } = kept;
  const request = await readMessage(desk, relayed.request, { run, kind: "request", from: partner });
  const confirmation = await readMessage(desk, relayed.confirmation as string, {
    run,
    kind: "confirmation",
    from: partner,
  });
  const seed = fromBase64Url(kept.seed as string);
  desk.book.setOverlap(partner, answerSimilarity(confirmedCodes(desk), request, seed).receive(confirmation));
  kept.seed = null;
  await desk.save();
}
