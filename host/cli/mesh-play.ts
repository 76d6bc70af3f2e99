import { setTimeout as sleep } from "node:timers/promises";
import type { LabPatient, MeshLab } from "./mesh-lab.ts";

/** Addresses that are reserved for documentation (RFC 5737). */
export const ATTACKER = "203.0.113.66";
export const ACCUSED = "198.51.100.7";

/** What a scanner looks for. Nothing of it is an attack by its content: only the many misses tell. */
const LOOKED_FOR = [
  "admin",
  "users",
  "backup",
  "patients",
  "export",
  "debug",
  "status",
  "config",
  "internal",
  "report",
  "console",
  "login",
  "metrics-old",
  "dump",
  "private",
  "test",
  "beta",
  "upload-old",
  "stage",
  "keys-old",
];
/** Ordinary uploads after which a service knows somebody. */
const ORDINARY = 12;
const PEERS_HEAR_WITHIN_MS = 10_000;

/** What happened at one cloudlet. */
export interface Visit {
  readonly cloudlet: string;
  readonly startedAt: number;
  /** Requests of the attacker that got an answer before the first that was held back, and what held it back. */
  readonly answered: number;
  readonly refusedWith: string | null;
  /** Of the two requests after that. */
  readonly after: readonly (string | null)[];
  /** Uploads of the honest patient behind the same address, before and after. */
  readonly neighbour: readonly string[];
}

export interface Play {
  readonly visits: readonly Visit[];
  /** Uploads of whom the liars accuse, and requests from there without a key, after the lies; by honest cloudlet. */
  readonly accused: readonly {
    readonly cloudlet: string;
    readonly uploads: readonly string[];
    readonly keyless: string | null;
  }[];
}

/** Waits until every honest cloudlet has told its peers all that it found. */
async function everybodyHeard(lab: MeshLab): Promise<void> {
  const end = Date.now() + PEERS_HEAR_WITHIN_MS;
  for (const { mesh, liar } of lab.cloudlets) {
    while (!liar && (await mesh.status()).some(({ waiting }) => waiting > 0)) {
      if (Date.now() > end) {
        throw new Error("the peers did not hear in time");
      }
      await sleep(10);
    }
  }
}

async function visit(lab: MeshLab, i: number, neighbour: LabPatient): Promise<Visit> {
  const startedAt = Date.now();
  const before = await neighbour.upload(i);
  let answered = 0;
  let refusedWith: string | null = null;
  for (const name of LOOKED_FOR) {
    const { code } = await lab.knock(i, ATTACKER, `/v1/${name}`);
    if (code?.startsWith("IDS_")) {
      refusedWith = code;
      break;
    }
    answered++;
  }
  const after = [
    (await lab.knock(i, ATTACKER, "/v1/again")).code,
    (await lab.knock(i, ATTACKER, "/v1/once-more")).code,
  ];
  const later = await neighbour.upload(i);
  await everybodyHeard(lab);
  const cloudlet = lab.cloudlets[i]?.id ?? "";
  return { cloudlet, startedAt, answered, refusedWith, after, neighbour: [before, later] };
}

/**
 * An attacker goes from one cloudlet to the next; an honest patient uploads from behind the same address; then the liars
 * accuse another honest patient, whom the cloudlets know.
 */
export async function playMesh(
  lab: MeshLab,
  on: {
    readonly scene?: (text: string) => void;
    readonly visited?: (visit: Visit) => void;
  } = {},
): Promise<Play> {
  const { scene = () => {}, visited = () => {} } = on;
  const honest = lab.cloudlets.map((_, i) => i).filter((i) => lab.cloudlets[i]?.liar === false);
  scene("an ordinary morning: a patient uploads at the honest cloudlets");
  const neighbour = await lab.patient("ada", ATTACKER);
  const accused = await lab.patient("bo-b", ACCUSED);
  for (const i of honest) {
    for (let n = 0; n < ORDINARY; n++) {
      await accused.upload(i);
    }
  }

  scene("a scanner goes from one cloudlet to the next; an honest patient uploads from behind its address");
  const visits: Visit[] = [];
  for (const i of lab.cloudlets.keys()) {
    const seen = await visit(lab, i, neighbour);
    visits.push(seen);
    visited(seen);
  }

  scene("the liars accuse the other patient's address, to everybody");
  for (const [i, { liar }] of lab.cloudlets.entries()) {
    if (liar) {
      await lab.lie(i, ACCUSED);
    }
  }
  const after: Play["accused"][number][] = [];
  for (const i of honest) {
    const uploads: string[] = [];
    for (let n = 0; n < ORDINARY; n++) {
      uploads.push(await accused.upload(i));
    }
    const { code } = await lab.knock(i, ACCUSED, "/v1/ticket-keys");
    after.push({ cloudlet: lab.cloudlets[i]?.id ?? "", uploads, keyless: code });
  }
  return { visits, accused: after };
}
