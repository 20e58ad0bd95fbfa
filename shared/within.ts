/** A longer timer of Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for work that goes on for others, no longer than so many milliseconds. @throws what `late` gives, after them. */
export async function within<Result>(milliseconds: number, work: Promise<Result>, late: () => Error): Promise<Result> {
  const expired = Promise.withResolvers<never>();
  const expire = (): void => expired.reject(late());
  const timer = setTimeout(expire, Math.min(Math.max(0, milliseconds), LONGEST_TIMER_MS));
  try {
    return await Promise.race([work, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
