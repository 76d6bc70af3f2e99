import { type Clock, fromBase64Url, MedcloudletError } from "../../base/index.ts";
import {
  collectCode,
  createIdentity,
  createKdcClient,
  type HttpClient,
  type KdcSession,
  type KeystoreContents,
  lockKeystore,
  newestContents,
  openIdentity,
  type PersonKeys,
  personFingerprint,
  readRecoveryCode,
  recoverAccount,
  requestRecovery,
  requirePassphrase,
} from "../../client/index.ts";
import type { SealingSuite } from "../../sealing/index.ts";
import type { SessionQuestions } from "./session-questions.ts";
import { openVault, type Vault } from "./vault.ts";

/** Where somebody who lost everything gets it back. */
export interface Recovery {
  ask(asked: SessionQuestions["askGuardians"]["ask"]): Promise<SessionQuestions["askGuardians"]["answer"]>;
  recover(
    asked: SessionQuestions["recover"]["ask"],
  ): Promise<{ readonly vault: Vault; readonly session: KdcSession }>;
}

export function createRecovery(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
}): Recovery {
  const { suite, clock, http } = options;
  /** What a code gave, which gives it once: whatever fails behind it is tried again with this. */
  let given: {
    readonly handle: string;
    readonly newPassword: string;
    readonly contents: KeystoreContents;
  } | null = null;
  let asked: { readonly handle: string; readonly requestId: string; readonly keys: PersonKeys } | null = null;

  return {
    async ask({ places, handle }) {
      const { keys, statement } = await createIdentity(suite, clock);
      const kdc = createKdcClient({ http, url: places.kdcUrl });
      const { requestId, expiresAt } = await requestRecovery(kdc, handle, statement);
      asked = { handle, requestId, keys };
      return { fingerprint: personFingerprint(keys), expiresAt };
    },
    async recover({ places, handle, code: printed, newPassword, passphrase }) {
      // Before the code is used up.
      requirePassphrase(passphrase);
      const kdc = createKdcClient({ http, url: places.kdcUrl });
      if (printed === null && asked?.handle !== handle && given?.handle !== handle) {
        throw new MedcloudletError("RECOVERY_REQUEST_UNKNOWN", "Ask your guardians first.", { status: 404 });
      }
      if (given?.handle !== handle) {
        const code =
          printed !== null || asked === null
            ? readRecoveryCode(printed ?? "")
            : await collectCode(kdc, asked.requestId, asked.keys);
        const { contents } = await recoverAccount(kdc, { handle, code, newPassword });
        code.fill(0);
        given = { handle, newPassword, contents };
      }
      const recovered = given;
      if (recovered.newPassword !== newPassword) {
        throw new MedcloudletError(
          "PASSWORD_CHANGED",
          "Your password is the one that you gave the first time already: give that one.",
          { status: 409 },
        );
      }
      const session = await kdc.login(handle, newPassword);
      const { receiving } = await openIdentity(suite, {
        signingSeed: fromBase64Url(recovered.contents.signingSeed),
        receivingKey: fromBase64Url(recovered.contents.receivingKey),
      });
      const { contents, version } = await newestContents(session, recovered.contents, receiving);
      if (contents.handle !== handle) {
        throw new MedcloudletError("RECOVERY_DAMAGED", "The keys that came back are of another handle.");
      }
      const keystore = await lockKeystore(contents, passphrase);
      return { vault: await openVault({ keystore, version, memory: null }, passphrase), session };
    },
  };
}
