import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../../base/index.ts";
import { type CallLimit, createMemberRoutes, type Members } from "../../community/index.ts";
import { createRateLimiter } from "../../http/index.ts";
import type { Grant, Relation, Routes } from "../../identity/index.ts";
import { bytesSchema, idSchema } from "../../sealing/index.ts";
import { ATTESTED_LIST_BYTES } from "../../trust/index.ts";
import type { Call, Calls } from "./calls.ts";
import type { Presences } from "./presences.ts";
import type { HelperRelay } from "./relay.ts";

const statementSchema = z.string().min(1).max(8_192);
const OPEN = z.strictObject({
  community: idSchema,
  statement: statementSchema,
  request: bytesSchema(ATTESTED_LIST_BYTES),
});
const STATEMENT = z.strictObject({ statement: statementSchema });
const STAND_BY = z.strictObject({ set: statementSchema });
const BY_CALL = z.strictObject({ call: idSchema });
const BY_COMMUNITY = z.strictObject({ community: idSchema });
const BY_BOTH = z.strictObject({ community: idSchema, call: idSchema });

/** Calls of one device: each asks everybody near by. */
const CALL_LIMIT = { points: 6, seconds: 3600 };

/** Helpers and calls for them, under `/v1` of a cloudlet. */
export function addHelperRoutes(
  routes: Routes,
  rooms: {
    readonly members: Members;
    readonly presences: Presences;
    readonly calls: Calls;
    readonly relay: HelperRelay;
    readonly limit: CallLimit;
  },
): void {
  const { members, presences, calls, relay, limit } = rooms;
  const opened = createRateLimiter(CALL_LIMIT);
  const memberRoute = createMemberRoutes(routes, { members, limit });

  routes.ticket("upload", {
    method: "post",
    path: "/emergency-calls",
    action: "helper-call.open",
    body: OPEN,
    async handle({ grant, ticket, body: { community, statement, request } }) {
      await opened.consume(grant.device);
      const { call, known } = await calls.open({
        grant,
        ticket,
        community,
        statement,
        request: fromBase64Url(request),
      });
      return { status: known ? 200 : 201, json: { callId: call._id, until: call.until } };
    },
  });

  const ofDevice = async (call: {
    readonly grant: Grant<"upload">;
    readonly params: z.infer<typeof BY_CALL>;
  }): Promise<Relation> => {
    const { deviceId } = await calls.find(call.params.call);
    return deviceId === call.grant.device ? "own" : "other";
  };
  // Somebody else's looks like nobody's.
  const unknown = () =>
    new MedcloudletError("CALL_UNKNOWN", "There is no such call here: look for calls again.", {
      status: 404,
    });

  routes.ticket("upload", {
    method: "get",
    path: "/emergency-calls/:call",
    action: "helper-call.show",
    params: BY_CALL,
    relation: ofDevice,
    refusal: unknown,
    async handle({ params }) {
      const { _id, until, endedAt, answers, version } = await calls.find(params.call);
      return { status: 200, json: { callId: _id, until, endedAt, answers, version } };
    },
  });

  routes.ticket("upload", {
    method: "post",
    path: "/emergency-calls/:call/choice",
    action: "helper-call.choose",
    params: BY_CALL,
    body: STATEMENT,
    relation: ofDevice,
    refusal: unknown,
    async handle({ grant, params, body }) {
      const { version } = await calls.choose(grant, params.call, body.statement);
      return { status: 200, json: { version } };
    },
  });

  // One request says "I am here" and brings what there is to do: a telephone asks every few seconds.
  memberRoute({
    method: "post",
    path: "/communities/:community/helpers/own",
    action: "helper.stand-by",
    params: BY_COMMUNITY,
    body: STAND_BY,
    sends: true,
    async handle({ member, body: { set } }) {
      const { until } = await presences.renew(member, set);
      const open = await calls.unanswered(member);
      const errands = await relay.errands(member, await calls.relayedBy(member));
      return { status: 200, json: { until, calls: open.map(viewOfCall), errands } };
    },
  });

  memberRoute({
    method: "post",
    path: "/communities/:community/emergency-calls/:call/answers",
    action: "helper.answer",
    params: BY_BOTH,
    body: STATEMENT,
    sends: true,
    async handle({ member, params, body }) {
      const presence = await presences.require(member);
      await calls.answer(member, presence, params.call, body.statement);
      return { status: 201, json: { callId: params.call } };
    },
  });

  memberRoute({
    method: "post",
    path: "/communities/:community/acknowledgements",
    action: "helper.acknowledge",
    params: BY_COMMUNITY,
    body: STATEMENT,
    sends: true,
    handle: async ({ member, body }) => ({
      status: 200,
      json: await relay.acknowledged(member, body.statement),
    }),
  });
}

/** What a helper sees of a call before it answers. */
function viewOfCall({ _id, statement, ticket, request, until }: Call) {
  return { callId: _id, statement, ticket, request, until };
}
