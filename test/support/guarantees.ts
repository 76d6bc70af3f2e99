import { MongoClient } from "mongodb";

/** A guarantee of the store's port that some stand-in servers do not keep. */
export type Guarantee = "atomic updates" | "unique missing fields";

/** FerretDB over SQLite reads and writes in separate transactions, and its unique indexes skip missing fields. */
export async function lackingAt(server: string): Promise<ReadonlySet<Guarantee>> {
  const client = new MongoClient(server, { serverSelectionTimeoutMS: 5_000 });
  try {
    const info = await client.db("admin").command({ buildInfo: 1 });
    return new Set(info.ferretdbVersion === undefined ? [] : ["atomic updates", "unique missing fields"]);
  } finally {
    await client.close();
  }
}

/** Yellow and on stderr: a skipped guarantee must not go unnoticed. */
export function warn(message: string): void {
  process.stderr.write(`\n\u001b[1;33mWARNING: ${message}\u001b[0m\n\n`);
}
