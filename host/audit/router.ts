import { z } from "zod";
import { toBase64Url } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import { type AuditLog, MAX_PAGE } from "./log.ts";

const PAGE = z.strictObject({
  after: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).default(0),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(500),
});

/**
 * The log under `/v1` of the KDC. Who reads entries is in the log in turn: the entry of a reading comes behind what it
 * gave, so a reader goes by the head of the first page and not until a page is empty.
 */
export function addAuditRoutes(routes: Routes, log: AuditLog): void {
  /** What is needed to judge a head: to compare with what the reader knows already. */
  const signed = async () => ({
    log: log.id,
    key: toBase64Url(log.key),
    keyStatements: log.keyStatements,
    head: (await log.head()).statement,
  });

  routes.session({
    method: "get",
    path: "/audit",
    action: "audit.read",
    query: PAGE,
    async handle({ query: { after, limit }, concerning }) {
      concerning({ details: { after, limit } });
      const entries = await log.entries({ after, limit });
      return { status: 200, json: { ...(await signed()), entries } };
    },
  });

  routes.session({
    method: "get",
    path: "/audit/heads",
    action: "audit.read",
    query: PAGE,
    async handle({ query: { after, limit }, concerning }) {
      concerning({ details: { headsAfter: after, limit } });
      return { status: 200, json: { heads: await log.heads({ after, limit }) } };
    },
  });

  routes.session({
    method: "get",
    path: "/audit/mine",
    action: "audit.mine",
    query: PAGE,
    async handle({ account, query: { after, limit }, concerning }) {
      concerning({ owner: account._id, details: { after, limit } });
      const entries = await log.entries({ after, limit, about: account._id });
      return { status: 200, json: { ...(await signed()), entries } };
    },
  });

  routes.session({
    method: "get",
    path: "/audit/head",
    action: "audit.head",
    handle: async () => ({ status: 200, json: await signed() }),
  });
}
