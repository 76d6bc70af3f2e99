import { isIP } from "node:net";
import type { Clock } from "../base/index.ts";
import type { HttpClient } from "../client/index.ts";
import { errorFields, type Log } from "../http/index.ts";
import { createIds, type Ids, type IdsParts, idsOff } from "../ids/live/index.ts";
import { addMeshRoutes, createMesh, type Mesh, type MeshSettings, type Roster } from "../ids/mesh/index.ts";
import type { Store } from "../store/index.ts";

/** The intrusion detection of a service together with its part in the mesh, where it has one. */
export interface MeshedIds extends Ids {
  readonly mesh: Mesh | null;
}

/** @throws MedcloudletError as `createIds` and `createMesh` */
export async function createMeshedIds(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: HttpClient;
  readonly ids?: IdsParts | undefined;
  readonly mesh?: MeshSettings | undefined;
}): Promise<MeshedIds> {
  const { store, clock, log, http, ids: parts = idsOff(), mesh: settings } = options;
  let ids: Ids | null = null;
  let known: Roster | null = null;

  const tellRoster = (roster: Roster): void => {
    known = roster;
    if (ids === null || settings === undefined) {
      return;
    }
    ids.observe({ kind: "roster", at: clock.now(), self: settings.self, members: roster.members });
    for (const { url } of roster.members) {
      // Nothing is ever held against a peer's own address.
      const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0) {
        ids.exemptAddress(host);
      }
    }
  };
  const mesh =
    settings === undefined
      ? null
      : await createMesh({
          ...{ settings, store, clock, log, http },
          onAlert: (alert) => ids?.observe({ kind: "heard", at: clock.now(), alert }),
          onRoster: tellRoster,
        });
  const made = await createIds({
    ...{ store, clock, log, ...parts },
    ...(mesh === null
      ? {}
      : {
          shared: mesh.pseudonyms,
          onShare: (alert) => void mesh.share(alert),
          peers: () => mesh.status(),
        }),
  });
  ids = made;
  if (known !== null) {
    tellRoster(known);
  }

  return {
    ...made,
    mesh,
    addRoutes(routes) {
      made.addRoutes(routes);
      addMeshRoutes(routes, () => mesh);
    },
    start() {
      made.start();
      mesh?.start().catch((error) => log.error({ event: "mesh_start_failed", ...errorFields(error) }));
    },
    async stop() {
      await mesh?.stop();
      await made.stop();
    },
  };
}
