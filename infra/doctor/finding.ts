/** The result of a check, and how a check is run. */

export type Finding =
  | { readonly status: 'ok'; readonly what: string }
  /** `advice` is what to do about it. */
  | { readonly status: 'warn' | 'fail'; readonly what: string; readonly advice: string };

export const ok = (what: string): Finding => ({ status: 'ok', what });
export const warn = (what: string, advice: string): Finding => ({ status: 'warn', what, advice });
export const fail = (what: string, advice: string): Finding => ({ status: 'fail', what, advice });
/** Another finding, `first`, prevents this check. */
export const notChecked = (what: string, first: string): Finding =>
  warn(`${what}: not checked`, `first correct ${first}`);

/** Runs a check; an error and a timeout are findings, too. */
export async function runCheck(
  what: string,
  timeoutMs: number,
  check: () => Promise<readonly Finding[]>,
  /** Turns an error into a finding; its message may hold what must not be printed. */
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
