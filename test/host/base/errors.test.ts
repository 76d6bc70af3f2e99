import { expect, it } from "vitest";
import { isMedcloudletError, MedcloudletError } from "../../../host/base/index.ts";

it("an error is an error of the service unless it says otherwise", () => {
  const error = new MedcloudletError("SOME_CODE", "Something happened.");
  expect(error).toMatchObject({
    code: "SOME_CODE",
    status: 500,
    details: {},
    message: "Something happened.",
  });
  expect("cause" in error).toBe(false);
});

it("an error carries status, cause and details", () => {
  const cause = new Error("below");
  const error = new MedcloudletError("SOME_CODE", "x", { status: 404, cause, details: { retry: 1 } });
  expect(error).toMatchObject({ status: 404, cause, details: { retry: 1 } });
});

it("only our own errors, and only those with the code asked for, are recognised", () => {
  const error = new MedcloudletError("SOME_CODE", "x");
  expect(isMedcloudletError(error)).toBe(true);
  expect(isMedcloudletError(error, "SOME_CODE")).toBe(true);
  expect(isMedcloudletError(error, "OTHER_CODE")).toBe(false);
  expect(isMedcloudletError(Object.assign(new Error("x"), { code: "SOME_CODE" }), "SOME_CODE")).toBe(false);
  expect(isMedcloudletError(undefined)).toBe(false);
});
