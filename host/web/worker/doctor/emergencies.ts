import { createEmergencyStaff, type OpenedEmergency, type PendingEmergency } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Streams } from "../streams.ts";
import type { Work } from "../work.ts";
import type { EmergencyQuestions, PageEmergency } from "./questions.ts";

/** As people type what they read from a card. */
function plainHex(text: string): string {
  return text.replace(/[\s:-]/g, "").toLowerCase();
}

/** Break-glass: asking, agreeing, opening for a while, ending. */
export function createEmergencyRoom(options: {
  readonly work: Work;
  readonly streams: Pick<Streams, "ids" | "follow" | "drop">;
}): Answers<EmergencyQuestions> {
  const { work, streams } = options;
  const { suite, clock, session, keys } = work;
  const staff = createEmergencyStaff({ suite, clock, session, keys });
  /** Streams that an emergency opened here, by its id. */
  const opened = new Map<
    string,
    { readonly streamIds: readonly string[]; end: ReturnType<typeof setTimeout> }
  >();

  const close = (emergencyId: string): void => {
    const { streamIds, end } = opened.get(emergencyId) ?? { streamIds: [] };
    clearTimeout(end);
    streamIds.forEach(streams.drop);
    opened.delete(emergencyId);
  };
  work.signal.addEventListener("abort", () => {
    for (const { end } of opened.values()) {
      clearTimeout(end);
    }
  });

  const known = (handle: string, fingerprint: string): PageEmergency["requesterKnown"] => {
    const before = work.contents.known[handle];
    return before === undefined ? "no" : before === fingerprint ? "yes" : "changed";
  };
  const entryOf = ({
    emergency,
    request,
    requesterFingerprint,
    own,
    approved,
  }: PendingEmergency): PageEmergency => {
    const {
      emergencyId: id,
      phase,
      requester,
      reason,
      needed,
      trustees,
      requestedAt,
      until,
      openedAt,
    } = emergency;
    const now = clock.now();
    return {
      ...{ id, phase, reason, needed, trustees, requestedAt, until, own, approved },
      patient: request.patient,
      requester: requester.handle,
      requesterFingerprint,
      requesterKnown: known(requester.handle, requesterFingerprint),
      approvers: emergency.approvers
        .filter(({ expiresAt }) => openedAt !== null || expiresAt > now)
        .map(({ handle, expiresAt }) => ({ handle, until: expiresAt })),
      streamIds: opened.get(id)?.streamIds ?? [],
    };
  };

  const follow = (emergency: OpenedEmergency): readonly string[] => {
    const { emergencyId, until } = emergency;
    const streamIds = emergency.streams.map(({ streamId }) => streamId);
    for (const stream of emergency.streams) {
      // Who is shared with anyway reads on under the consent.
      if (!streams.ids.has(stream.streamId)) {
        streams.follow(stream, { until, purpose: "emergency" });
      }
    }
    const end = setTimeout(() => close(emergencyId), Math.max(0, until - clock.now()));
    opened.set(emergencyId, { streamIds, end });
    return streamIds;
  };

  return {
    emergencies: async () => (await staff.pending()).map(entryOf),
    async requestEmergency({ patient, reason, minutes }) {
      const { trustees, needed } = await staff.request({ patient, reason, minutes });
      return { trustees, needed };
    },
    async approveEmergency({ id, requester, fingerprint }) {
      const { phase } = await staff.approve({ emergencyId: id, expectedFingerprint: fingerprint });
      await work.save({ known: { ...work.contents.known, [requester]: fingerprint } });
      return { opens: phase === "open" };
    },
    async withdrawApproval({ id }) {
      await staff.withdraw(id);
      return null;
    },
    async openEmergency({ id, patient, fingerprint }) {
      const given = plainHex(fingerprint);
      const expected = given === "" ? work.contents.known[patient] : given;
      const release = await staff.open(id, expected);
      return {
        streamIds: follow(release),
        liars: release.liars.map(({ handle }) => handle),
        compared: expected !== undefined,
      };
    },
    async endEmergency({ id }) {
      await staff.end(id);
      close(id);
      return null;
    },
  };
}
