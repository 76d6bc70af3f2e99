import { addRelayRoutes } from "../emergency/live/index.ts";
import type { Service } from "../http/index.ts";
import {
  addErasureRoute,
  addNoteRoutes,
  addPartRoutes,
  addRecordsRoutes,
  createDeviceGrants,
  createErasures,
  createNotes,
  createParts,
  createRecords,
  createSubscriptions,
} from "../records/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../sealing/index.ts";
import type { MeshedIds } from "./meshed-ids.ts";
import { createTicketService, type TicketServiceOptions } from "./ticket-service.ts";

const SUBSCRIPTION_CAPACITY = 10_000;

/** The cloud: keeps sealed batches by stream id and serves them to ticket holders. It can open none. */
export async function createCloudApp(
  options: TicketServiceOptions & {
    /** Signs what helpers carry back; without one it is made for this process, and cloudlets learn the next one later. */
    readonly acknowledgementKey?: SigningKey;
  },
): Promise<Service & { readonly ids: MeshedIds }> {
  const { store, clock } = options;
  const { tickets, routes, serve } = await createTicketService(options);
  const subscriptions = createSubscriptions(SUBSCRIPTION_CAPACITY);
  const erasures = await createErasures({ store, clock, onErased: subscriptions.end });
  const records = await createRecords({ store, clock, erasures, onStored: subscriptions.publish });
  const key = options.acknowledgementKey ?? (await importSigningKey(generateSigningSeed()));
  addRelayRoutes(routes, {
    tickets,
    deviceGrant: createDeviceGrants({ tickets, clock }),
    records,
    clock,
    key,
  });
  addRecordsRoutes(routes, { tickets, records, subscriptions, erasures, clock });
  addPartRoutes(routes, { parts: await createParts(store, clock), erasures });
  const onNote = (streamId: string, position: number) => subscriptions.publish(streamId, position, "note");
  addNoteRoutes(routes, { notes: await createNotes({ store, clock, onStored: onNote }), erasures });
  addErasureRoute(routes, { erasures });
  return serve({ start: () => erasures.sweep(), drain: () => subscriptions.close() });
}
