import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, MedcloudletError } from "../base/index.ts";
import { errorFields, type Log } from "../http/index.ts";
import { loadOrCreateSecret } from "../identity/index.ts";
import { decodeModel, modelHash } from "../ids/index.ts";
import { createJournal, type IdsParts, parseRanges } from "../ids/live/index.ts";
import type { ServiceName, Settings } from "./settings.ts";

/**
 * What a service's settings make of its intrusion detection: the key and the logs lie in the service's folder.
 * @throws MedcloudletError `CONFIG_INVALID`, `IDS_MODEL_INVALID`, `SIGNING_KEY_FILE`
 */
export async function readIdsParts(
  service: ServiceName,
  { settings, clock, log }: { readonly settings: Settings; readonly clock: Clock; readonly log: Log },
): Promise<IdsParts> {
  const folder = join(settings.dataDir, service);
  const logs = join(folder, "ids");
  const { idsMode: mode, idsModel, idsDays: days, metricsToken } = settings;
  const onFault = (what: string, error: unknown) =>
    log.error({ event: "ids_failed", reason: what, ...errorFields(error) });
  const startedAt = clock.now();
  const key = await loadOrCreateSecret(join(folder, "ids-key"));
  const journal =
    mode === "off"
      ? undefined
      : await createJournal({ folder: logs, name: "observations", startedAt, onFault });
  const requests =
    settings.idsRequestLog === "yes"
      ? await createJournal({ folder: logs, name: "requests", startedAt, onFault })
      : undefined;
  return {
    settings: {
      ...{ key, mode, days, metricsToken },
      exempt: parseRanges(settings.idsExempt),
      exemptLoopback: settings.idsExemptLoopback === "yes",
      ...(idsModel === undefined ? {} : await readModel(idsModel)),
    },
    journal,
    onRequest:
      requests === undefined ? undefined : (request) => requests.append(`${JSON.stringify(request)}\n`),
  };
}

async function readModel(file: string) {
  const bytes = await readFile(file).catch((cause) => {
    throw new MedcloudletError(
      "CONFIG_INVALID",
      `The model of the intrusion detection ${file} cannot be read: make one with \`medcloudlet ids train\`.`,
      { status: 400, cause },
    );
  });
  return { model: decodeModel(bytes), modelHash: modelHash(bytes) };
}
