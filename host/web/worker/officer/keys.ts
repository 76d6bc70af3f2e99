import { createAccountClient, createEmergencyOfficer } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { KeysQuestions } from "./keys-questions.ts";

/** What an officer oversees at the KDC: keys, accounts, emergencies. */
export function createKeysRoom({ session }: Work): Answers<KeysQuestions> {
  const account = createAccountClient(session);
  const emergencies = createEmergencyOfficer(session);
  return {
    ticketKeyAges: () => account.ticketKeyAges(),
    async runningEmergencies() {
      const running = await emergencies.running();
      return running.map(({ emergencyId, phase, patient, requester, reason, approvers, ...rest }) => ({
        ...{ id: emergencyId, phase, patient, requester: requester.handle, reason },
        approved: approvers.length,
        ...{ needed: rest.needed, requestedAt: rest.requestedAt, until: rest.until },
      }));
    },
    async stopEmergency({ id, reason }) {
      await emergencies.stop(id, reason);
      return null;
    },
    factorResets: () => account.factorResets(),
    async confirmFactorReset({ resetId }) {
      await account.confirmFactorReset(resetId);
      return null;
    },
    async suspendAccount({ handle, suspended }) {
      await account.suspend(handle, suspended);
      return null;
    },
  };
}
