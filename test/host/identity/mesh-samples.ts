import { toBase64Url } from "../../../host/base/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { type Member, signRoster } from "../../../host/ids/mesh/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../../../host/sealing/index.ts";
import type { System } from "../../support/system.ts";
import type { Sample } from "./policy-samples.ts";

/** What members say is judged one by one: here it is whether they are heard at all. */
export const MESH_SAMPLES = {
  "mesh.tell": () => ({ json: { alerts: ["no.alert.really"] } }),
  "mesh.catch-up": () => ({ path: `/mesh/alerts?log=${"0".repeat(32)}&after=0&roster=0` }),
} satisfies Partial<Record<Action, Sample>>;

/** Puts a peer of the three services on a roster that none of themselves is on, so that they ask nobody. */
export async function createPeer(system: System): Promise<SigningKey> {
  const peer = await importSigningKey(generateSigningSeed());
  const member: Member = {
    id: "peer",
    operator: "clinic",
    url: "http://127.0.0.1:9",
    signingKey: toBase64Url(peer.publicKey),
  };
  const roster = { mesh: "0".repeat(32), version: 1, createdAt: 1, members: [member] };
  const statement = await signRoster(roster, system.meshOperator);
  for (const { ids } of Object.values(system.services)) {
    await ids.mesh?.adopt(statement);
  }
  return peer;
}
