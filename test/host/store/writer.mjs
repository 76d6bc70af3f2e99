// Inserts documents into an embedded store until it is told to stop or killed, and prints the id of every insert that
// was acknowledged. Arguments: directory, prefix of the ids, number of documents, bytes in each.
import { writeSync } from "node:fs";
import { createEmbeddedStore } from "../../../build/host/store/index.js";

const [directory, prefix, count, size] = process.argv.slice(2);
const store = createEmbeddedStore({ directory });
const items = await store.collection({
  name: "items",
  indexes: [{ fields: { n: 1 } }, { fields: { handle: 1 }, unique: true }],
});
try {
  for (let n = 0; n < Number(count); n++) {
    const _id = `${prefix}${n}`;
    await items.insertOne({ _id, n, handle: _id, bytes: new Uint8Array(Number(size)) });
    await items.updateOne({ _id: "counter" }, { $inc: { n: 1 } }, { upsert: true });
    writeSync(1, `${_id}\n`);
  }
  await store.close();
} catch (error) {
  writeSync(1, `error ${error.code}\n`);
}
