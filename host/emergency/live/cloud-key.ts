import { z } from "zod";
import { type Bytes, fromBase64Url } from "../../base/index.ts";
import type { HttpClient } from "../../client/index.ts";
import { signingKeySchema } from "../../sealing/index.ts";
import type { Store } from "../../store/index.ts";

interface KeptKey {
  readonly _id: "cloud";
  readonly key: string;
}

const ANSWER = z.object({ key: signingKeySchema });

/**
 * The cloud's key as the cloudlet learned it over its own line, where the address (and TLS) vouch for it. It is kept: when
 * the line is down an acknowledgement comes by a stranger's hand, and only this tells the cloud's word from a lie.
 */
export interface CloudKey {
  /** Null for a cloudlet that has never reached its cloud: it believes no helper, and goes on trying by itself. */
  current(): Bytes | null;
  /** Asks the cloud. @throws MedcloudletError `SERVICE_UNREACHABLE` and the like: what was known stays */
  refresh(): Promise<void>;
}

export async function createCloudKey(options: {
  readonly store: Store;
  readonly http: HttpClient;
  readonly cloudUrl: string;
}): Promise<CloudKey> {
  const { store, http, cloudUrl } = options;
  const kept = await store.collection<KeptKey>({ name: "cloud_keys", indexes: [] });
  const found = await kept.findOne({ _id: { $eq: "cloud" } });
  let key = found === null ? null : fromBase64Url(found.key);
  return {
    current: () => key,
    async refresh() {
      const answer = await http.json({ method: "GET", url: `${cloudUrl}/v1/acknowledgement-key` });
      const { key: text } = ANSWER.parse(answer);
      await kept.updateOne({ _id: { $eq: "cloud" } }, { $set: { key: text } }, { upsert: true });
      key = fromBase64Url(text);
    },
  };
}
