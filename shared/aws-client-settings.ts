/** The time limits of calls to AWS's own services; the SDK has none by default. */

/** The SDK aborts a call that hangs, and repeats it: writes are conditional, and a cart queued twice is harmless. */
export const AWS_CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};

/** For an invocation that may take the function's whole time. It is not repeated, since it would take as long again. */
export const patientClientSettings = (timeoutSeconds: number) => ({
  requestHandler: { ...AWS_CLIENT_SETTINGS.requestHandler, requestTimeout: timeoutSeconds * 1000 + 5000 },
  maxAttempts: 1,
});
