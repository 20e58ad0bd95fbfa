/** Nothing was changed. The message says what is wrong, and what to do. */
export class DeploymentRefused extends Error {}
