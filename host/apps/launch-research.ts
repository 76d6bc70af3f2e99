import { join } from "node:path";
import { createHttpClient } from "../client/index.ts";
import { listen, type RunningService } from "../http/index.ts";
import { loadOrCreateSecret } from "../identity/index.ts";
import { loadNtru } from "../ntru/index.ts";
import { readStudies } from "../research/service/index.ts";
import { createSealingSuite } from "../sealing/index.ts";
import { readIdsParts } from "./ids-parts.ts";
import { addressOf, commonOf, type LaunchOptions, withStore } from "./launch.ts";
import { readMeshSettings } from "./mesh-settings.ts";
import { createResearchApp } from "./research.ts";
import { openResearchAccount } from "./research-account.ts";

/**
 * Starts the research service. The ledger's salt and the releases lie beside the database, in the service's folder.
 * @throws MedcloudletError `RESEARCH_STUDIES_INVALID`, `RESEARCH_LEDGER_DAMAGED`, `CONFIG_INVALID`, `KEYSTORE_PASSPHRASE`
 */
export async function launchResearch(options: LaunchOptions): Promise<RunningService> {
  const { settings, clock } = options;
  const { kdcUrl, cloudUrl } = settings;
  const folder = join(settings.dataDir, "research");
  const studies = await readStudies(settings.studies);
  const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  const account = await openResearchAccount({
    keystoreFile: settings.researchKeystore,
    passphrase: settings.researchPassphrase,
    password: settings.researchPassword,
    secondFactor: settings.researchSecondFactor,
    sessionFile: join(folder, "session"),
    ...{ kdcUrl, suite, clock, http: createHttpClient({ clock }) },
  });
  return withStore(options, "research", async (store) => {
    const service = await createResearchApp({
      ...commonOf(options),
      ...{ store, suite, kdcUrl, cloudUrl, account, studies },
      folder: join(folder, "releases"),
      salt: await loadOrCreateSecret(join(folder, "ledger-salt")),
      ids: await readIdsParts("research", options),
      mesh: await readMeshSettings("research", settings),
    });
    return listen(service, addressOf(options));
  });
}
