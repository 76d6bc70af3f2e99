import {
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
  utf8,
} from "../../base/index.ts";
import { APPEAL, MODERATION, REPORT, sealedDigest } from "../../community/index.ts";
import { signStatement, verifyStatement } from "../../sealing/index.ts";
import type { Desk } from "./desk.ts";
import { exchangeOf } from "./exchanging.ts";
import type { ModeratorAction } from "./member-state.ts";
import { openBytes, sealBytes } from "./message.ts";
import type { InboxItem } from "./relay.ts";

type ModerationItem = Extract<InboxItem, { type: "moderation" }>;

/** The same bytes sealed to each moderator, and their digests for the statement. */
async function sealToModerators(
  desk: Desk,
  kind: "report" | "appeal",
  subject: string,
  bytes: Uint8Array<ArrayBuffer>,
) {
  const community = desk.community.community;
  const sealed = await Promise.all(
    desk.community.moderators.map(async ({ id, receivingKey }) => {
      const binding = { kind, community, subject, from: desk.own, to: id };
      return {
        moderator: id,
        sealed: await sealBytes(desk.suite, fromBase64Url(receivingKey), binding, bytes),
      };
    }),
  );
  return {
    digests: sealed.map(({ moderator, sealed: one }) => ({ moderator, sealed: sealedDigest(one) })),
    sealed: sealed.map(({ moderator, sealed: one }) => ({ moderator, sealed: toBase64Url(one) })),
  };
}

/**
 * Shows one message that a partner sent to the moderators: its words, and what proves that the partner wrote them.
 * Nothing else of the exchange goes with it.
 * @throws MedcloudletError `REPORT_NOTHING` (409) where there is no message of theirs, `REPORT_TWICE` (409)
 */
export async function report(desk: Desk, id: string): Promise<string> {
  const kept = exchangeOf(desk, id);
  const which = kept.mine ? "answer" : "question";
  const message = kept[which];
  if (message === null || message.franked === null) {
    throw new MedcloudletError(
      "REPORT_NOTHING",
      "There are no words of your partner's in this exchange that could be reported.",
      { status: 409 },
    );
  }
  if (kept.reported !== null) {
    throw new MedcloudletError("REPORT_TWICE", "You have reported this message: wait for the moderators.", {
      status: 409,
    });
  }
  const subject = toHex(randomBytes(16));
  const { statement, franked } = message;
  const shown = utf8(JSON.stringify({ statement, frankingKey: franked.frankingKey, body: franked.body }));
  const { digests, sealed } = await sealToModerators(desk, "report", subject, shown);
  const said = {
    community: desk.community.community,
    report: subject,
    exchange: id,
    message: which,
    reporter: desk.own,
    sealed: digests,
    at: desk.clock.now(),
  } as const;
  await desk.relay.report(await signStatement(REPORT, said, desk.keys.signing), sealed);
  kept.reported = subject;
  await desk.save();
  return subject;
}

/** Asks the moderators to look again at what they decided about oneself. */
export async function appeal(desk: Desk, subject: string, text: string): Promise<void> {
  const { digests, sealed } = await sealToModerators(desk, "appeal", subject, utf8(text));
  const community = desk.community.community;
  const said = { community, report: subject, from: desk.own, sealed: digests, at: desk.clock.now() };
  await desk.relay.appeal(subject, await signStatement(APPEAL, said, desk.keys.signing), sealed);
}

/** Takes in what moderators decided; what a moderator of the community did not sign is left out. */
export async function takeModeration(desk: Desk, item: ModerationItem): Promise<void> {
  for (const { statement, note } of item.decisions) {
    const action = await readDecision(desk, item, statement, note);
    const known = desk.state.moderation.some(
      (there) => there.report === action?.report && there.at === action.at && there.action === action.action,
    );
    if (action !== null && !known) {
      desk.state.moderation.push(action);
    }
  }
}

async function readDecision(
  desk: Desk,
  item: ModerationItem,
  statement: string,
  note: string | null,
): Promise<ModeratorAction | null> {
  const community = desk.community.community;
  for (const { id, signingKey } of desk.community.moderators) {
    try {
      const said = await verifyStatement(MODERATION, statement, fromBase64Url(signingKey));
      const fits = said.community === community && said.report === item.report && said.moderator === id;
      if (!fits) {
        continue;
      }
      const { report: subject, action, until, reason, at } = said;
      const words =
        note === null || said.member !== desk.own
          ? null
          : new TextDecoder().decode(
              await openBytes(
                desk.keys.receiving,
                { kind: "note", community, subject, from: id, to: desk.own },
                fromBase64Url(note),
              ),
            );
      const { exchange, message, role } = item;
      return { report: subject, exchange, message, role, action, until, reason, note: words, at };
    } catch (error) {
      if (!isMedcloudletError(error)) {
        throw error;
      }
    }
  }
  return null;
}
