/** The secrets that an entry names: those that are read while the interface runs, and those that a deployment reads. */

interface SecretSettings {
  readonly secretName: string;
  readonly createSecret: boolean;
}

export interface RuntimeSecret extends SecretSettings {
  /** The section of the environment entry. */
  readonly block: string;
  /** The members of its JSON that no secret of this kind lacks. */
  readonly members: readonly string[];
  /** Whether an empty one belongs to a ledger, which a new stack must not do without. */
  readonly isOfConnection: boolean;
}

interface EntryWithSecrets {
  readonly srm: SecretSettings;
  readonly vms: SecretSettings;
  readonly logForwarding?:
    | { readonly splunk?: SecretSettings | undefined; readonly elastic?: SecretSettings | undefined }
    | undefined;
  readonly cloudAlm?: SecretSettings | undefined;
  readonly notifications?: { readonly pagerDuty?: { readonly routingKeySecretName: string } | undefined };
  readonly events?: { readonly subscribers: Readonly<Record<string, { readonly secretName: string }>> } | undefined;
}

const OAUTH_CLIENT = ['clientId', 'clientSecret'];

export function runtimeSecrets({ srm, vms, logForwarding, cloudAlm }: EntryWithSecrets): RuntimeSecret[] {
  const of = (block: string, settings: SecretSettings | undefined, members: readonly string[]): RuntimeSecret[] => {
    if (settings === undefined) return [];
    const { secretName, createSecret } = settings;
    return [{ block, secretName, createSecret, members, isOfConnection: block === 'srm' || block === 'vms' }];
  };
  return [
    ...of('srm', srm, OAUTH_CLIENT),
    ...of('vms', vms, OAUTH_CLIENT),
    ...of('logForwarding.splunk', logForwarding?.splunk, ['hec_token']),
    ...of('logForwarding.elastic', logForwarding?.elastic, ['api_key']),
    ...of('cloudAlm', cloudAlm, OAUTH_CLIENT),
  ];
}

/** `{ "clientId": "...", "clientSecret": "..." }` */
export const secretText = ({ members }: Pick<RuntimeSecret, 'members'>): string =>
  `{ ${members.map((member) => `"${member}": "..."`).join(', ')} }`;

/** A secret that CloudFormation reads while it deploys: it must exist before. */
export interface DeploymentSecret {
  /** Where the environment entry names it. */
  readonly path: readonly string[];
  readonly secretName: string;
}

export function deploymentSecrets({ notifications, events }: EntryWithSecrets): DeploymentSecret[] {
  const { pagerDuty } = notifications ?? {};
  const subscribers = Object.entries(events?.subscribers ?? {});
  return [
    ...(pagerDuty === undefined
      ? []
      : [
          {
            path: ['notifications', 'pagerDuty', 'routingKeySecretName'],
            secretName: pagerDuty.routingKeySecretName,
          },
        ]),
    ...subscribers.map(([name, { secretName }]) => ({
      path: ['events', 'subscribers', name, 'secretName'],
      secretName,
    })),
  ];
}

/** Where the entry names a secret that is another system's, too. Subscribers may share a client. */
export function sharedSecrets(entry: EntryWithSecrets): (readonly string[])[] {
  const secrets = [
    ...runtimeSecrets(entry).map(({ block, ...secret }) => ({ ...secret, path: [...block.split('.'), 'secretName'] })),
    ...deploymentSecrets(entry).map((secret) => ({ ...secret, isOfConnection: false })),
  ];
  return secrets.flatMap(({ path, secretName, isOfConnection }, index) => {
    const isTaken = secrets
      .slice(0, index)
      .some((other) => other.secretName === secretName && !(path[0] === 'events' && other.path[0] === 'events'));
    return isTaken && !isOfConnection ? [path] : [];
  });
}
