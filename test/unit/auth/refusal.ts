import { TidegateError } from "../../../src/errors.ts";

/** @returns the TidegateError that `work` throws. Any other error fails the test. */
export async function refusal(work: () => unknown): Promise<TidegateError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TidegateError) return error;
    throw new Error(`not a TidegateError: ${String(error)}`, { cause: error });
  }
  throw new Error("was not refused");
}
