import { z } from "zod";
import {
  type Clock,
  equalBytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../../base/index.ts";
import {
  APPEAL,
  COMMUNITY_MESSAGE,
  type Community,
  MODERATION,
  type Moderation,
  REPORT,
  sealedDigest,
} from "../../community/index.ts";
import {
  type SealingSuite,
  type StatementKind,
  signStatement,
  verifyStatement,
} from "../../sealing/index.ts";
import type { PersonKeys } from "../person-keys.ts";
import { type KnownMember, verifyMember } from "./directory.ts";
import { decodeContent, frank, openBytes, sealBytes } from "./message.ts";
import type { Relay, ShownReport, StaffCredentials } from "./relay.ts";

const SHOWN = z.strictObject({
  statement: z.string().max(16_384),
  frankingKey: z.string().max(64),
  body: z.string().max(16_384),
});

/** A reported message as a moderator sees it. */
export interface ReportedMessage {
  readonly report: string;
  readonly exchange: string;
  readonly message: "question" | "answer";
  readonly reporter: string;
  readonly sender: string;
  readonly reportedAt: number;
  /** What the sender wrote, proven; null where the report proves nothing, see `trouble`. */
  readonly text: string | null;
  /** Why the words are not shown: the report was not sealed to this moderator, or what it shows was never sent. */
  readonly trouble: "NOT_FOR_YOU" | "NOT_PROVEN" | null;
  readonly decisions: readonly Moderation[];
  /** What the sender says to it. */
  readonly appeal: string | null;
}

/** What to do about a report. */
export interface ModeratorDecision {
  readonly action: Moderation["action"];
  readonly reason: Moderation["reason"];
  /** End of a suspension. */
  readonly until?: number;
  /** Words for the member, sealed to them. */
  readonly note?: string;
}

/** A moderator at work: sees what was reported, and nothing else. */
export interface Moderator {
  /** Ids of all reports, oldest first, with how many decisions there are. */
  reports(): Promise<{ report: string; decided: number; appealed: boolean }[]>;
  /** @throws MedcloudletError `REPORT_MISMATCH` (502) where the relay shows what nobody signed */
  show(report: string): Promise<ReportedMessage>;
  decide(report: string, decision: ModeratorDecision): Promise<void>;
}

function mismatch(why: string): MedcloudletError {
  return new MedcloudletError("REPORT_MISMATCH", `The relay shows a report that does not fit: ${why}.`, {
    status: 502,
  });
}

/** @param keys the moderator's account keys, which the community's document names under `moderator` */
export function createModerator(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly keys: PersonKeys;
  readonly moderator: string;
  readonly community: Community;
  readonly relay: Relay;
  readonly staff: StaffCredentials;
}): Moderator {
  const { suite, clock, keys, moderator, community } = options;
  const id = community.community;
  const relay = options.relay.moderating(id, options.staff);

  const known = async (told: ShownReport["reporter"]): Promise<KnownMember> => {
    const member = await verifyMember(told, community, clock.now());
    if (member === null) {
      throw mismatch("it names somebody who is no member");
    }
    return member;
  };

  const verifyAs = async <T>(kind: StatementKind<T>, statement: string, member: KnownMember): Promise<T> => {
    for (const { signingKey } of member.credentials) {
      const payload = await verifyStatement(kind, statement, fromBase64Url(signingKey)).catch(() => null);
      if (payload !== null) {
        return payload;
      }
    }
    throw mismatch("a statement in it is not its signer's");
  };

  /** The words, if the sender's signature and commitment prove them. */
  const proven = async (shown: ShownReport, sealed: string, reporter: string, sender: KnownMember) => {
    const binding = {
      kind: "report",
      community: id,
      subject: shown.report,
      from: reporter,
      to: moderator,
    } as const;
    const bytes = await openBytes(keys.receiving, binding, fromBase64Url(sealed));
    const { statement, frankingKey, body } = SHOWN.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const said = await verifyAs(COMMUNITY_MESSAGE, statement, sender);
    const plain = fromBase64Url(body);
    const fits =
      said.community === id &&
      said.exchange === shown.exchange &&
      said.kind === shown.message &&
      said.from === sender.pseudonym &&
      said.to === reporter &&
      equalBytes(frank(fromBase64Url(frankingKey), plain), fromBase64Url(said.commitment));
    return fits ? decodeContent(plain).text : null;
  };

  const appealOf = async ({ appeal, report }: ShownReport, sender: KnownMember): Promise<string | null> => {
    if (appeal === null || appeal.sealed === null) {
      return null;
    }
    const said = await verifyAs(APPEAL, appeal.statement, sender);
    const sealed = fromBase64Url(appeal.sealed);
    const named = said.sealed.find((entry) => entry.moderator === moderator);
    if (said.report !== report || named?.sealed !== sealedDigest(sealed)) {
      throw mismatch("the appeal is another's");
    }
    const binding = {
      kind: "appeal",
      community: id,
      subject: report,
      from: sender.pseudonym,
      to: moderator,
    } as const;
    return new TextDecoder().decode(await openBytes(keys.receiving, binding, sealed));
  };

  const decisionsOf = async ({ decisions }: ShownReport): Promise<Moderation[]> => {
    const read: Moderation[] = [];
    for (const { statement } of decisions) {
      for (const { id: by, signingKey } of community.moderators) {
        const said = await verifyStatement(MODERATION, statement, fromBase64Url(signingKey)).catch(
          () => null,
        );
        if (said !== null && said.moderator === by) {
          read.push(said);
        }
      }
    }
    return read;
  };

  const show: Moderator["show"] = async (report) => {
    const shown = await relay.report(report);
    const reporter = await known(shown.reporter);
    const sender = await known(shown.sender);
    const said = await verifyAs(REPORT, shown.statement, reporter);
    const named = said.sealed.find((entry) => entry.moderator === moderator);
    const fits =
      said.community === id &&
      said.report === report &&
      shown.report === report &&
      said.exchange === shown.exchange &&
      said.message === shown.message &&
      said.reporter === reporter.pseudonym &&
      (shown.sealed === null || named?.sealed === sealedDigest(fromBase64Url(shown.sealed)));
    if (!fits) {
      throw mismatch("its reporter signed something else");
    }
    let text: string | null = null;
    if (shown.sealed !== null) {
      // Whatever a reporter made up is no fault of the relay's: it proves nothing, and that is what is shown.
      text = await proven(shown, shown.sealed, reporter.pseudonym, sender).catch((error) => {
        if (isMedcloudletError(error) || error instanceof z.ZodError || error instanceof SyntaxError) {
          return null;
        }
        throw error;
      });
    }
    return {
      report,
      exchange: shown.exchange,
      message: shown.message,
      reporter: reporter.pseudonym,
      sender: sender.pseudonym,
      reportedAt: said.at,
      text,
      trouble: text !== null ? null : shown.sealed === null ? "NOT_FOR_YOU" : "NOT_PROVEN",
      decisions: await decisionsOf(shown),
      appeal: await appealOf(shown, sender),
    };
  };

  return {
    reports: async () =>
      (await relay.reports()).map(({ report, decisions, appeal }) => ({
        report,
        decided: decisions.length,
        appealed: appeal !== null,
      })),
    show,
    async decide(report, { action, reason, until, note }) {
      const shown = await relay.report(report);
      const sender = await known(shown.sender);
      const binding = {
        kind: "note",
        community: id,
        subject: report,
        from: moderator,
        to: sender.pseudonym,
      } as const;
      const sealed =
        note === undefined ? null : await sealBytes(suite, sender.receivingKey, binding, utf8(note));
      const statement = await signStatement(
        MODERATION,
        {
          community: id,
          report,
          moderator,
          member: sender.pseudonym,
          action,
          until: until ?? null,
          reason,
          note: sealed === null ? null : sealedDigest(sealed),
          at: clock.now(),
        },
        keys.signing,
      );
      await relay.decide(report, statement, sealed === null ? undefined : toBase64Url(sealed));
    },
  };
}
