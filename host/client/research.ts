import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { bareUrl, MedcloudletError, toHex } from "../base/index.ts";
import {
  fingerprint,
  identityKeys,
  idSchema,
  RELEASE,
  type ReleaseStatement,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import { createTicketedCall, type TicketedService } from "./calls.ts";
import type { KnownAccount } from "./kdc-client.ts";

const GUARANTEE = RELEASE.schema.shape.guarantee;
const SERVICE = z.object({ accountId: idSchema, handle: z.string(), fingerprint: z.string() });
const STUDY = z.object({
  id: z.string(),
  title: z.string(),
  purpose: z.string(),
  floor: GUARANTEE,
  columns: z.array(z.object({ name: z.string(), role: z.string(), type: z.string().nullable() })),
  suppress: z.number(),
  holdBack: z.boolean(),
});
const REQUEST = z.object({
  requestId: idSchema,
  study: z.string(),
  guarantee: GUARANTEE,
  state: z.enum([
    "queued",
    "gathering",
    "anonymising",
    "checking",
    "publishing",
    "ready",
    "refused",
    "failed",
  ]),
  at: z.number(),
  updatedAt: z.number(),
  release: idSchema.nullable(),
  /** True where an earlier release answers it: the same people with the same records, or as close as may be given. */
  again: z.boolean(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
});
const RELEASED = RELEASE.schema.omit({ service: true, release: true }).extend({
  releaseId: idSchema,
  statement: z.string(),
});

export type ResearchStudy = z.infer<typeof STUDY>;
export type ResearchRequest = z.infer<typeof REQUEST>;
/** A release as the service tells of it; what counts is the statement, once it was checked. */
export type KnownRelease = z.infer<typeof RELEASED>;
export type ResearchServiceAccount = z.infer<typeof SERVICE>;
export type ReleaseFileName = keyof ReleaseStatement["files"];
/** What a request asks for beyond the study's floor. */
export type AskedRelease = Partial<z.infer<typeof GUARANTEE>>;

const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;
const POLL_MS = 400;

/** What a researcher sees and does at a research service. */
export interface ResearchClient {
  studies(): Promise<{ studies: ResearchStudy[]; service: ResearchServiceAccount }>;
  /** @throws MedcloudletError `RESEARCH_STUDY_UNKNOWN`, `RESEARCH_BELOW_FLOOR`, `RESEARCH_BUSY`, `RATE_LIMITED` */
  request(study: string, asked?: AskedRelease): Promise<ResearchRequest>;
  /** @throws MedcloudletError `RESEARCH_REQUEST_UNKNOWN` */
  requested(requestId: string): Promise<ResearchRequest>;
  /** Asks again and again until a request is ready, refused or failed. */
  settled(
    request: ResearchRequest,
    onState?: (state: ResearchRequest["state"]) => void,
    everyMs?: number,
  ): Promise<ResearchRequest>;
  releases(study?: string): Promise<{ releases: KnownRelease[]; service: ResearchServiceAccount }>;
  /** @throws MedcloudletError `RESEARCH_RELEASE_UNKNOWN` */
  release(releaseId: string): Promise<KnownRelease & { service: ResearchServiceAccount }>;
  /**
   * A file of a release, piece by piece; the last piece comes only if all of it is what the statement says.
   * @throws MedcloudletError `RESEARCH_FILE_MISMATCH`
   */
  download(statement: ReleaseStatement, file: ReleaseFileName): AsyncGenerator<Uint8Array>;
}

/** What a researcher asks a research service, with a `research` ticket. */
export function createResearchClient(options: TicketedService): ResearchClient {
  const { http, ticket } = options;
  const base = `${bareUrl(options.url)}/v1`;
  const call = createTicketedCall({ http, base, ticket });
  const requested: ResearchClient["requested"] = (id) =>
    call(REQUEST, "GET", `/requests/${encodeURIComponent(id)}`);

  return {
    studies: () => call(z.object({ studies: z.array(STUDY), service: SERVICE }), "GET", "/studies"),
    request: (study, asked = {}) =>
      call(REQUEST, "POST", `/studies/${encodeURIComponent(study)}/requests`, asked),
    requested,
    async settled(request, onState, everyMs = POLL_MS) {
      let current = request;
      for (;;) {
        onState?.(current.state);
        if (["ready", "refused", "failed"].includes(current.state)) {
          return current;
        }
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        current = await requested(current.requestId);
      }
    },
    releases: (study) =>
      call(
        z.object({ releases: z.array(RELEASED), service: SERVICE }),
        "GET",
        study === undefined ? "/releases" : `/releases?${new URLSearchParams({ study })}`,
      ),
    release: (id) =>
      call(RELEASED.extend({ service: SERVICE }), "GET", `/releases/${encodeURIComponent(id)}`),
    async *download({ release, files }, file) {
      const response = await http.send({
        method: "GET",
        url: `${base}/releases/${encodeURIComponent(release)}/files/${file}`,
        credentials: await ticket(),
        signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
      });
      yield* checkedRelease(piecesOf(response), files[file]);
    },
  };
}

async function* piecesOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done = true, value } = (await reader?.read()) ?? {};
      if (done || value === undefined) {
        return;
      }
      yield value;
    }
  } catch (cause) {
    throw new MedcloudletError("SERVICE_UNREACHABLE", "The service broke off: try again.", {
      status: 503,
      cause,
    });
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

/**
 * The pieces of a file, the last one once the file is what it has to be.
 * @throws MedcloudletError `RESEARCH_FILE_MISMATCH`
 */
export async function* checkedRelease(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: ReleaseStatement["files"]["csv"],
): AsyncGenerator<Uint8Array> {
  const hash = sha256.create();
  let bytes = 0;
  let held: Uint8Array | undefined;
  const mismatch = () =>
    new MedcloudletError(
      "RESEARCH_FILE_MISMATCH",
      "This is not the file that the research service signed: do not use it, and tell the service's operator.",
      { status: 422 },
    );
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > file.bytes) {
      throw mismatch();
    }
    hash.update(piece);
    if (held !== undefined) {
      yield held;
    }
    held = piece;
  }
  if (bytes !== file.bytes || toHex(hash.digest()) !== file.sha256) {
    throw mismatch();
  }
  if (held !== undefined) {
    yield held;
  }
}

/**
 * Checks that a statement is signed by the account of a research service, as the KDC's directory knows it.
 * @returns the statement and the fingerprint of the service's identity, to be compared with what is known of it
 * @throws MedcloudletError `STATEMENT_INVALID`, `RESEARCH_SERVICE_MISMATCH`
 */
export async function verifyReleaseStatement(
  statement: string,
  service: Pick<KnownAccount, "accountId" | "role" | "identity">,
): Promise<{ release: ReleaseStatement; fingerprint: string }> {
  const keys = identityKeys(await verifyIdentity(service.identity));
  const release = await verifyStatement(RELEASE, statement, keys.signingKey);
  if (release.service !== service.accountId || service.role !== "researcher") {
    throw new MedcloudletError(
      "RESEARCH_SERVICE_MISMATCH",
      "The release names another account than the one that it is said to be from.",
      { status: 422 },
    );
  }
  return { release, fingerprint: fingerprint(keys) };
}
