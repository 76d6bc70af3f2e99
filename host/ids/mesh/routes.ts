import { z } from "zod";
import { MedcloudletError } from "../../base/index.ts";
import type { Routes } from "../../identity/index.ts";
import { idSchema } from "../../sealing/index.ts";
import { MOST_TOLD } from "./exchange.ts";
import type { Mesh } from "./mesh.ts";
import { MOST_ALERT_CHARACTERS } from "./statements.ts";

const TOLD = z.strictObject({
  alerts: z.array(z.string().max(MOST_ALERT_CHARACTERS)).min(1).max(MOST_TOLD),
});
const ASKED = z.strictObject({
  log: idSchema,
  after: z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
  roster: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
});

const stranger = () =>
  new MedcloudletError(
    "MESH_STRANGER",
    "This key belongs to no member of the mesh: an operator adds members to the roster.",
    { status: 403 },
  );

/** The routes that members use among themselves. Without a mesh everybody is a stranger. */
export function addMeshRoutes(routes: Routes, mesh: () => Mesh | null): void {
  const relation = ({ key }: { readonly key: { readonly publicKey: Uint8Array<ArrayBuffer> } }) =>
    mesh()?.peer(key.publicKey) === undefined ? ("other" as const) : ("own" as const);
  const here = (): Mesh => {
    const there = mesh();
    if (there === null) {
      throw stranger();
    }
    return there;
  };

  routes.proof({
    method: "post",
    path: "/mesh/alerts",
    action: "mesh.tell",
    body: TOLD,
    relation,
    refusal: stranger,
    async handle({ key, body }) {
      const peer = here().peer(key.publicKey);
      if (peer === undefined) {
        throw stranger();
      }
      return { status: 200, json: { results: await here().hear(body.alerts, peer) } };
    },
  });

  routes.proof({
    method: "get",
    path: "/mesh/alerts",
    action: "mesh.catch-up",
    query: ASKED,
    relation,
    refusal: stranger,
    async handle({ query }) {
      return { status: 200, json: await here().page(query) };
    },
  });
}
