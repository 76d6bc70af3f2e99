import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromHex, MedcloudletError } from "../base/index.ts";
import { loadOrCreateSigningKey } from "../identity/index.ts";
import type { MeshSettings } from "../ids/mesh/index.ts";
import { signingKeySchema } from "../sealing/index.ts";
import type { ServiceName, Settings } from "./settings.ts";

/** Where a service's own key in the mesh lies; `ids mesh key` shows its public half for the roster. */
export function meshKeyFile(service: ServiceName, dataDir: string): string {
  return join(dataDir, service, "mesh-key");
}

/**
 * What a service's settings make of its part in the mesh; undefined where it takes none.
 * @throws MedcloudletError `CONFIG_INVALID`, `SIGNING_KEY_FILE`
 */
export async function readMeshSettings(
  service: ServiceName,
  settings: Settings,
): Promise<MeshSettings | undefined> {
  const { meshMember: self, meshSecret, meshOperators, meshRoster, dataDir } = settings;
  if (self === undefined) {
    return undefined;
  }
  const invalid = (why: string, cause?: unknown) =>
    new MedcloudletError("CONFIG_INVALID", why, { status: 400, cause });
  const anchors = (meshOperators ?? "").split(",").map((key) => key.trim());
  if (meshSecret === undefined || !anchors.every((key) => signingKeySchema.safeParse(key).success)) {
    throw invalid(
      "A member of the mesh needs its secret (MEDCLOUDLET_MESH_SECRET_FILE) and the operators' public keys " +
        "(MEDCLOUDLET_MESH_OPERATORS): see `medcloudlet ids mesh`.",
    );
  }
  const roster =
    meshRoster === undefined
      ? undefined
      : await readFile(meshRoster, "utf8").catch((cause) => {
          throw invalid(`The roster of the mesh ${meshRoster} cannot be read.`, cause);
        });
  return {
    self,
    key: await loadOrCreateSigningKey(meshKeyFile(service, dataDir)),
    secret: fromHex(meshSecret),
    anchors,
    ...(roster === undefined ? {} : { roster: roster.trim() }),
  };
}
