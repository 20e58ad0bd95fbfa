/** How long AWS's own services may keep us waiting; the SDK's default is for ever. */

/** A call that hangs is given up, and tried again by the SDK: writes are conditional, and a cart queued twice is harmless. */
export const AWS_CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};
