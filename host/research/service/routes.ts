import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { MedcloudletError } from "../../base/index.ts";
import type { Reply } from "../../http/index.ts";
import type { Routes } from "../../identity/index.ts";
import { idSchema, RELEASE, studyIdSchema, unverifiedPayload } from "../../sealing/index.ts";
import type { ReleaseDesk } from "./desk.ts";
import { RELEASE_FILES, type ReleaseFile } from "./files.ts";
import { reasonFor } from "./reasons.ts";
import type { Published, ReleaseRequest } from "./requests.ts";
import { guaranteeFor, type Study } from "./studies.ts";

const ASKED = z.strictObject({
  k: z.number().int().min(2).max(1e9).optional(),
  l: z.number().min(1).max(1e6).optional(),
  t: z.number().min(0).max(1).optional(),
  diversity: z.enum(["distinct", "entropy"]).optional(),
});
const BY_STUDY = z.strictObject({ study: studyIdSchema });
const BY_REQUEST = z.strictObject({ requestId: idSchema });
const BY_RELEASE = z.strictObject({ releaseId: idSchema });
const BY_FILE = BY_RELEASE.extend({ file: z.enum(RELEASE_FILES) });
const OF_STUDY = z.strictObject({ study: studyIdSchema.optional() });
const MOST_LISTED = 1000;

const TYPES: Readonly<Record<ReleaseFile, string>> = {
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson; charset=utf-8",
  report: "text/html; charset=utf-8",
};

/** The account that a service reads with, for whoever wants to check what it signed. */
export interface ServiceAccount {
  readonly accountId: string;
  readonly handle: string;
  readonly fingerprint: string;
}

/** Studies, requests and releases under `/v1` of the research service, for holders of a `research` ticket. */
export function addResearchRoutes(
  routes: Routes,
  rooms: {
    readonly desk: ReleaseDesk;
    readonly studies: ReadonlyMap<string, Study>;
    readonly service: ServiceAccount;
    /** Requests for releases, by researcher. */
    readonly limit: { consume(key: string): Promise<void> };
  },
): void {
  const { desk, studies, service, limit } = rooms;

  const studyOf = (id: string): Study => {
    const study = studies.get(id);
    if (study === undefined) {
      throw new MedcloudletError(
        "RESEARCH_STUDY_UNKNOWN",
        "There is no study with this id here: look it up in the list of studies.",
        { status: 404 },
      );
    }
    return study;
  };
  const releaseOf = async (id: string) => {
    const request = await desk.requests.find(id);
    if (request?.state !== "ready" || request.published === null) {
      throw new MedcloudletError(
        "RESEARCH_RELEASE_UNKNOWN",
        "There is no release with this id here: look it up in the list of releases.",
        { status: 404 },
      );
    }
    return { ...request, published: request.published };
  };

  routes.ticket("research", {
    method: "get",
    path: "/studies",
    action: "research.studies",
    handle: () => ({ status: 200, json: { studies: [...studies.values()].map(presentStudy), service } }),
  });

  routes.ticket("research", {
    method: "post",
    path: "/studies/:study/requests",
    action: "research.request",
    params: BY_STUDY,
    body: ASKED,
    async handle({ grant: { staff }, params, body }) {
      const study = studyOf(params.study);
      const guarantee = guaranteeFor(study, body);
      await limit.consume(staff);
      return { status: 202, json: presentRequest(await desk.request(study, guarantee, staff)) };
    },
  });

  routes.ticket("research", {
    method: "get",
    path: "/requests/:requestId",
    action: "research.show-request",
    params: BY_REQUEST,
    relation: async ({ grant: { staff }, params: { requestId } }) =>
      (await desk.requests.find(requestId))?.by === staff ? "own" : "other",
    // An unknown request and somebody else's look alike.
    refusal: requestUnknown,
    async handle({ params: { requestId } }) {
      const request = await desk.requests.find(requestId);
      if (request === null) {
        throw requestUnknown();
      }
      return { status: 200, json: presentRequest(request) };
    },
  });

  routes.ticket("research", {
    method: "get",
    path: "/releases",
    action: "research.releases",
    query: OF_STUDY,
    async handle({ query: { study } }) {
      const released = (await desk.requests.released(study)).slice(0, MOST_LISTED);
      return { status: 200, json: { releases: released.map(presentRelease), service } };
    },
  });

  routes.ticket("research", {
    method: "get",
    path: "/releases/:releaseId",
    action: "research.show-release",
    params: BY_RELEASE,
    async handle({ params: { releaseId } }) {
      return { status: 200, json: { ...presentRelease(await releaseOf(releaseId)), service } };
    },
  });

  routes.ticket("research", {
    method: "get",
    path: "/releases/:releaseId/files/:file",
    action: "research.download",
    params: BY_FILE,
    async handle({ params: { releaseId, file } }) {
      const release = await releaseOf(releaseId);
      return file === "report" ? reportReply(desk, releaseId) : fileReply(desk, release, file);
    },
  });
}

function requestUnknown(): MedcloudletError {
  return new MedcloudletError(
    "RESEARCH_REQUEST_UNKNOWN",
    "You made no request with this id here: ask for a release anew.",
    { status: 404 },
  );
}

function presentStudy({ id, title, purpose, floor, schema, suppress, holdBack }: Study) {
  const columns = schema.columns
    .filter(({ role }) => role !== "identifier")
    .map((column) => ({ name: column.name, role: column.role, type: "type" in column ? column.type : null }));
  return { id, title, purpose, floor, columns, suppress, holdBack };
}

function presentRequest({ _id, study, guarantee, state, at, updatedAt, release, code }: ReleaseRequest) {
  const again = release !== null && release !== _id;
  return {
    ...{ requestId: _id, study, guarantee, state, at, updatedAt, release, again },
    ...{ code, reason: reasonFor(code) },
  };
}

/** What the statement says is what there is to say; it is signed for whoever reads it elsewhere. */
function presentRelease({ published: { statement } }: { readonly published: Published }) {
  const { service: _service, release: releaseId, ...told } = unverifiedPayload(RELEASE, statement);
  return { releaseId, ...told, statement };
}

async function fileReply(
  desk: ReleaseDesk,
  { _id, published }: { readonly _id: string; readonly published: Published },
  file: ReleaseFile,
): Promise<Reply> {
  const { files } = unverifiedPayload(RELEASE, published.statement);
  const handle = await desk.files.open(_id, file);
  return {
    status: 200,
    stream(response) {
      response.status(200).set({
        "Content-Type": TYPES[file],
        "Content-Length": String(files[file].bytes),
        "Content-Disposition": `attachment; filename="${_id}.${file}"`,
      });
      // Whoever hangs up hangs up; the stream closes the file either way.
      pipeline(handle.createReadStream(), response).catch(() => {});
    },
  };
}

/** The page runs nothing and loads nothing; of its style the very text is allowed. */
async function reportReply(desk: ReleaseDesk, id: string): Promise<Reply> {
  const handle = await desk.files.open(id, "report");
  const page = await handle.readFile("utf8").finally(() => handle.close());
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
  const digest = createHash("sha256").update(style).digest("base64");
  return {
    status: 200,
    headers: {
      "Content-Type": TYPES.report,
      "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox`,
    },
    bytes: new TextEncoder().encode(page),
  };
}
