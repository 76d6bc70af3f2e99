import type { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { ActionBy, Call, ProofCaller, Routes } from "../identity/index.ts";
import { type StatementKind, unverifiedPayload } from "../sealing/index.ts";
import type { Member, Members } from "./members.ts";

/** Bounds how often one key may call. @throws MedcloudletError `RATE_LIMITED` (429) from `consume` */
export interface CallLimit {
  consume(key: string): Promise<unknown>;
}

type MemberCall<P, Q, B> = ProofCaller & Call<P, Q, B> & { readonly member: Member };
type Reply = ReturnType<Parameters<Routes["proof"]>[0]["handle"]>;

interface MemberRoute<P extends { readonly community: string }, Q, B> {
  readonly method: "get" | "post";
  readonly path: string;
  readonly action: ActionBy<"proof">;
  readonly params: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** It tells others something: not for a member who is suspended. */
  readonly sends?: boolean;
  /** What the request is about is the member's; without it the route is about the member alone. */
  readonly concerns?: (call: MemberCall<P, Q, B>) => Promise<boolean> | boolean;
  /** The error where it is not. */
  readonly refusal?: () => MedcloudletError;
  readonly handle: (call: MemberCall<P, Q, B>) => Reply;
}

export type MemberRoutes = <P extends { readonly community: string }, Q, B>(
  route: MemberRoute<P, Q, B>,
) => void;

/** Declares routes for members: a proof's key is looked up in the community that the path names. */
export function createMemberRoutes(
  routes: Routes,
  rooms: { readonly members: Members; readonly limit: CallLimit },
): MemberRoutes {
  const { members, limit } = rooms;
  /** Who the relation found, for the handler: one lookup a request. */
  const found = new WeakMap<object, Member>();

  return ({ method, path, action, params, query, body, sends, concerns, refusal, handle }) => {
    routes.proof({
      method,
      path,
      action,
      params,
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
      ...(refusal === undefined ? {} : { refusal }),
      async relation(call) {
        await limit.consume(call.key.thumbprint);
        const member = await members.byKey(call.params.community, call.key.publicKey);
        found.set(call.request, member);
        if (concerns !== undefined && !(await concerns({ ...call, member }))) {
          return "other";
        }
        if (sends === true) {
          await members.assertMaySend(member);
        }
        return "own";
      },
      handle: (call) => handle({ ...call, member: found.get(call.request) as Member }),
    });
  };
}

/**
 * Whether a statement says that it is by this member in this community. Its signature is checked where it is taken in.
 * @throws MedcloudletError `STATEMENT_INVALID` (400)
 */
export function isBy<T extends { readonly community: string; readonly from: string }>(
  kind: StatementKind<T>,
  statement: string,
  { community, pseudonym }: Member,
): boolean {
  const { community: where, from } = unverifiedPayload(kind, statement);
  return where === community.community && from === pseudonym;
}

/** "This is signed by somebody else, or for another community." */
export function notYours(): MedcloudletError {
  return new MedcloudletError(
    "STATEMENT_NOT_YOURS",
    "The statement is not by you in this community: sign it with the key of your credential.",
    { status: 403 },
  );
}
