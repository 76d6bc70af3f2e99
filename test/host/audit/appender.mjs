// Appends to a log without end, and prints the hash of each entry once it is on disk. Ends by SIGKILL.
import { setTimeout } from "node:timers/promises";
import { createAuditLog, openWitnessFile } from "../../../build/host/audit/index.js";
import { fromHex, systemClock } from "../../../build/host/base/index.js";
import { importSigningKey } from "../../../build/host/sealing/index.js";
import { openStore } from "../../../build/host/store/index.js";

const [folder, database, seed] = process.argv.slice(2);
const log = await createAuditLog({
  store: await openStore({ mongodbUrl: process.env.MONGODB_URL, database, directory: folder }),
  clock: systemClock,
  key: await importSigningKey(fromHex(seed)),
  witness: await openWitnessFile(`${folder}/audit-heads.ndjson`),
  everyEntries: 50,
  onTrouble: () => {},
});
const event = {
  action: "ticket.read",
  actor: null,
  actorRole: null,
  owner: null,
  object: null,
  outcome: "success",
  code: null,
  details: {},
};
await Promise.all(
  Array.from({ length: 20 }, async (_, caller) => {
    for (let i = 0; ; i++) {
      const { hash } = await log.append({ ...event, requestId: `${process.pid}-${caller}-${i}` });
      process.stdout.write(`${hash}\n`);
      await setTimeout(20 * Math.random());
    }
  }),
);
