import { TidegateError } from "../../../src/errors.ts";

/** @returns the error that the work is refused with; anything that is not ours fails the test. */
export async function refusal(work: () => unknown): Promise<TidegateError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TidegateError) return error;
    throw new Error(`not a TidegateError: ${String(error)}`, { cause: error });
  }
  throw new Error("was not refused");
}
