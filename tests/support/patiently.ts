import { PhasewiseError } from "../../services/errors.ts";

const TRIES = 20;

/** Asks again where a busy machine let the service's own short deadline for Redis pass. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const late = error instanceof PhasewiseError && error.code === "STORE_UNAVAILABLE";
      if (!late || attempt === TRIES) throw error;
    }
  }
}
