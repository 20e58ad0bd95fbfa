/** What a check found, and running checks so that each one is heard. */

export type Finding =
  | { readonly status: 'ok'; readonly what: string }
  /** `advice` is what to do about it. */
  | { readonly status: 'warn' | 'fail'; readonly what: string; readonly advice: string };

export const ok = (what: string): Finding => ({ status: 'ok', what });
export const warn = (what: string, advice: string): Finding => ({ status: 'warn', what, advice });
export const fail = (what: string, advice: string): Finding => ({ status: 'fail', what, advice });
/** Could not be looked at because of something else, which has a line of its own. */
export const notChecked = (what: string, first: string): Finding => warn(`${what}: not checked`, `first mend ${first}`);

/** Runs a check: what it throws, or keeps to itself for too long, is a finding too. */
export async function runCheck(
  what: string,
  timeoutMs: number,
  check: () => Promise<readonly Finding[]>,
  /** What to say of an error; its message may hold what must not be printed. */
  explain: (error: unknown) => Finding,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([
        fail(`${what}: no answer in ${timeoutMs / 1000} s`, 'check the network of this machine, and try again'),
      ]);
    }, timeoutMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return [explain(error)];
  } finally {
    clearTimeout(timer);
  }
}
