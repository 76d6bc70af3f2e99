import { z } from "zod";
import { type Bytes, bareUrl, toBase64Url } from "../base/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../sealing/index.ts";
import type { HttpClient } from "./http.ts";
import type { HeldTicket, KdcSession } from "./kdc-client.ts";

const TICKET = z.object({ ticket: z.string(), expiresAt: z.number() });

/** The cloud's store of sealed record parts as one person sees it. */
export interface RecordCloud {
  /** @throws MedcloudletError `STREAM_NOT_OWN`, `RECORD_STALE`, `RECORD_PART_*` */
  store(streamId: string, bytes: Bytes): Promise<void>;
  /** @throws MedcloudletError `CONSENT_MISSING`, `RECORD_PART_MISSING` */
  fetch(streamId: string, digest: string): Promise<Bytes>;
}

export function createRecordCloud(options: {
  readonly http: HttpClient;
  readonly session: KdcSession;
  /** The account's key: proves to the KDC that a request for a ticket is the account's own. */
  readonly accountKey: SigningKey;
  readonly cloudUrl: string;
}): RecordCloud {
  const { http, session, accountKey } = options;
  const streamsUrl = `${bareUrl(options.cloudUrl)}/v1/streams`;

  /** A ticket of its own for each part: the cloud sees no key twice. */
  const writeTicket = async (streamId: string): Promise<HeldTicket> => {
    const key = await importSigningKey(generateSigningSeed());
    const json = { streamId, holder: toBase64Url(key.publicKey) };
    const path = "/tickets/write";
    return { ...(await session.call(TICKET, { method: "POST", path, json, key: accountKey })), key };
  };

  return {
    async store(streamId, bytes) {
      const { key, ticket } = await writeTicket(streamId);
      const url = `${streamsUrl}/${streamId}/record`;
      await http.send({ method: "PUT", url, credentials: { key, ticket }, bytes });
    },
    async fetch(streamId, digest) {
      const { key, ticket } = await session.readTicket(streamId, accountKey);
      const url = `${streamsUrl}/${streamId}/record?digest=${digest}`;
      return (await http.bytes({ method: "GET", url, credentials: { key, ticket } })).body;
    },
  };
}
