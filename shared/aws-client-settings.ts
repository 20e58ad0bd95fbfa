/** The time limits of calls to AWS's own services; the SDK has none by default. */

/** The SDK aborts a call that hangs, and repeats it: writes are conditional, and a cart queued twice is harmless. */
export const AWS_CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};
