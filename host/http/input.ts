import express, { type Request, type Response } from "express";
import type { z } from "zod";
import { type Bytes, MedcloudletError } from "../base/index.ts";

/** Largest JSON body a route takes: an identity with consents and wrapped keys stays far below. */
const JSON_LIMIT = "256kb";

const parseJson = express.json({ limit: JSON_LIMIT, strict: true });

/**
 * Parses a JSON body into `request.body`. Called once the caller is known, so that strangers cost no memory.
 * @throws MedcloudletError `REQUEST_MEDIA_TYPE` for a body of another content type; Express's own errors become
 *   `REQUEST_MALFORMED` and `REQUEST_TOO_LARGE`
 */
export async function parseJsonBody(request: Request, response: Response): Promise<void> {
  if (request.is("application/json") === false) {
    throw new MedcloudletError("REQUEST_MEDIA_TYPE", "Send the body as application/json.", { status: 415 });
  }
  await new Promise<void>((resolve, reject) => {
    parseJson(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
}

/**
 * Reads an `application/octet-stream` body, never inflating it. Called once the caller is authorised, so that
 * strangers cost no memory.
 * @throws MedcloudletError `REQUEST_MEDIA_TYPE`; Express's own 413 becomes `REQUEST_TOO_LARGE`
 */
export type BinaryReader = (request: Request, response: Response) => Promise<Bytes>;

/** A reader of bodies up to `limit` bytes. */
export function createBinaryReader(limit: number): BinaryReader {
  const parse = express.raw({ limit, type: "application/octet-stream", inflate: false });
  return async (request, response) => {
    await new Promise<void>((resolve, reject) => {
      parse(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
    if (!Buffer.isBuffer(request.body)) {
      throw new MedcloudletError("REQUEST_MEDIA_TYPE", "Send the body as application/octet-stream.", {
        status: 415,
      });
    }
    return new Uint8Array(request.body);
  };
}

/**
 * Checks untrusted input (body, parameters or query) against a schema and lists every fault at once.
 * @throws MedcloudletError `REQUEST_INVALID` with `errors: [{ path, message }]`
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) {
    return parsed.data;
  }
  throw new MedcloudletError("REQUEST_INVALID", "The request has invalid fields.", {
    status: 400,
    details: {
      errors: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
    },
  });
}
