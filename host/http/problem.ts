import type { ErrorRequestHandler, RequestHandler } from "express";
import { MedcloudletError } from "../base/index.ts";
import { errorFields, type Log } from "./log.ts";

/** Media type of RFC 9457. */
const PROBLEM_TYPE = "application/problem+json";

/** Errors of Express and its body parsers carry a status and a `type`; their messages may quote input. */
function fromFramework(error: unknown): MedcloudletError | undefined {
  if (typeof error !== "object" || error === null || !("status" in error)) {
    return undefined;
  }
  switch (error.status) {
    case 400:
      return new MedcloudletError("REQUEST_MALFORMED", "The request could not be read.", { status: 400 });
    case 413:
      return new MedcloudletError("REQUEST_TOO_LARGE", "The request body is too large: send less at once.", {
        status: 413,
      });
    case 415:
      return new MedcloudletError("REQUEST_MEDIA_TYPE", "The content type or encoding is not supported.", {
        status: 415,
      });
    default:
      return undefined;
  }
}

/** Sends an error as a problem document (RFC 9457); what is not ours becomes `INTERNAL` and is logged. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const known = error instanceof MedcloudletError ? error : fromFramework(error);
    const problem =
      known ?? new MedcloudletError("INTERNAL", "Something broke here; it was logged under this request id.");
    if (problem.status >= 500) {
      const fields = known?.cause === undefined ? errorFields(error) : errorFields(known.cause);
      log.error({ event: "request_failed", requestId: request.id, ...fields }, problem.code);
    }
    response.locals.code = problem.code;
    if (problem.status === 401) {
      // RFC 9110, section 15.5.2; the schemes of RFC 9449 and RFC 6750.
      const forTicket = /^(TICKET|PROOF)_/.test(problem.code);
      response.setHeader("WWW-Authenticate", forTicket ? 'DPoP algs="EdDSA"' : 'Bearer realm="medcloudlet"');
    }
    if (problem.details.retryAfterSeconds !== undefined) {
      response.setHeader("Retry-After", String(problem.details.retryAfterSeconds));
    }
    response
      .status(problem.status)
      .type(PROBLEM_TYPE)
      .send(
        JSON.stringify({
          type: `urn:medcloudlet:problem:${problem.code.toLowerCase().replaceAll("_", "-")}`,
          title: problem.code,
          status: problem.status,
          detail: problem.message,
          instance: `urn:medcloudlet:request:${request.id}`,
          code: problem.code,
          ...problem.details,
        }),
      );
  };
}

/** Answers what no route took. */
export const notFound: RequestHandler = (request) => {
  throw new MedcloudletError("ROUTE_NOT_FOUND", `There is no ${request.method} ${request.path} here.`, {
    status: 404,
  });
};
