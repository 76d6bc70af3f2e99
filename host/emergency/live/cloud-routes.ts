import { z } from "zod";
import { type Clock, fromBase64Url, MedcloudletError, toBase64Url } from "../../base/index.ts";
import { createBinaryReader } from "../../http/index.ts";
import { admitBatch, type Routes, type TicketVerifier } from "../../identity/index.ts";
import type { DeviceGrants, Records } from "../../records/index.ts";
import {
  keyThumbprint,
  type SigningKey,
  signStatement,
  unverifiedPayload,
  verifyStatement,
} from "../../sealing/index.ts";
import { ACKNOWLEDGEMENT, FORWARD_PERMIT, type ForwardPermit } from "./statements.ts";

/** Emergency batches are ten seconds of readings: what is larger waits for the cloudlet's own line. */
export const RELAYED_BATCH_MOST = 64 * 1024;
const CLOCK_SKEW_MS = 30_000;
const STATEMENT = z.string().min(1).max(4_096);

/** The cloud's side of relaying: what helpers bring, and the key by which cloudlets know its word. Under `/v1`. */
export function addRelayRoutes(
  routes: Routes,
  rooms: {
    readonly tickets: TicketVerifier;
    readonly deviceGrant: DeviceGrants;
    readonly records: Records;
    readonly clock: Clock;
    /** Signs acknowledgements. */
    readonly key: SigningKey;
  },
): void {
  const { tickets, deviceGrant, records, clock, key } = rooms;
  const readBinary = createBinaryReader(RELAYED_BATCH_MOST);

  routes.open({
    method: "get",
    path: "/acknowledgement-key",
    action: "relay.key",
    handle: () => ({ status: 200, json: { key: toBase64Url(key.publicKey) } }),
  });

  /** The permit, by a cloudlet that the KDC knows now. */
  const permitOf = async (statement: string | undefined, forwardTicket: string | undefined) => {
    // A cloudlet that is closed gets no ticket any more, and its permits end with the last one.
    const { cnf, cloudlet } = await tickets.verify(forwardTicket ?? "", "forward").catch((cause) => {
      throw refused(
        "FORWARD_TICKET_INVALID",
        "comes without a ticket of the cloudlet that is valid now",
        cause,
      );
    });
    const text = STATEMENT.safeParse(statement).data ?? "";
    const claimed: ForwardPermit = unverifiedPayload(FORWARD_PERMIT, text);
    const signer = fromBase64Url(claimed.cloudletKey);
    if (claimed.cloudlet !== cloudlet || (await keyThumbprint(signer)) !== cnf.jkt) {
      throw refused("PERMIT_CLOUDLET_MISMATCH", "is not by the cloudlet whose ticket comes with it");
    }
    const permit: ForwardPermit = await verifyStatement(FORWARD_PERMIT, text, signer);
    const now = clock.now();
    if (now >= permit.until || permit.at > now + CLOCK_SKEW_MS) {
      throw refused("PERMIT_EXPIRED", "is not valid now");
    }
    return permit;
  };
  /** What the relation found, for the handler. */
  const found = new WeakMap<object, ForwardPermit>();

  routes.proof({
    method: "post",
    path: "/relayed-batches",
    action: "batch.relay",
    async relation({ request, key: proven }) {
      const permit = await permitOf(request.get("Forward-Permit"), request.get("Forward-Ticket"));
      found.set(request, permit);
      return (await keyThumbprint(fromBase64Url(permit.helper))) === proven.thumbprint ? "own" : "other";
    },
    refusal: () => refused("PERMIT_HOLDER_MISMATCH", "is for the holder of another key"),
    async handle({ request, response, concerning }) {
      const permit = found.get(request) as ForwardPermit;
      const { receivedAt, cloudlet } = permit;
      const grant = await deviceGrant(request.get("Device-Ticket"), receivedAt);
      const bytes = await readBinary(request, response);
      const { batch, digest } = await admitBatch(bytes, grant);
      const { deviceId, sequence, priority } = batch.header;
      if (digest !== permit.batch) {
        throw refused("PERMIT_BATCH_MISMATCH", "is for another batch");
      }
      if (priority !== "emergency") {
        throw refused(
          "RELAY_NOT_EMERGENCY",
          "is for a batch that is no emergency: it can wait for its cloudlet",
        );
      }
      concerning({ object: deviceId });
      const stored = await records.add(batch, bytes, digest, receivedAt);
      const acknowledgement = await signStatement(
        ACKNOWLEDGEMENT,
        { deviceId, sequence, digest, cloudlet, at: clock.now() },
        key,
      );
      return {
        status: stored.status === "stored" ? 201 : 200,
        json: { status: stored.status, acknowledgement },
      };
    },
  });
}

function refused(code: string, why: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(code, `The permit ${why}: fetch a new one from the cloudlet.`, {
    status: 403,
    cause,
  });
}
