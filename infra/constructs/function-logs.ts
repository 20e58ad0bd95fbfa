/** The log group of a function: it keeps lines for a limited time, and masks personal data and credentials. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { CustomDataIdentifier, DataIdentifier, DataProtectionPolicy, LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface FunctionLogsProps {
  readonly retentionDays: number;
}

/**
 * The code logs a closed list of fields (shared/log.ts). This is the second defence, for what a library or the runtime
 * prints. The stack grants the right to unmask to no role.
 */
const PROTECTED = [
  DataIdentifier.EMAILADDRESS,
  DataIdentifier.AWSSECRETKEY,
  DataIdentifier.PKCSPRIVATEKEY,
  DataIdentifier.OPENSSHPRIVATEKEY,
  new CustomDataIdentifier('BearerToken', 'Bearer [A-Za-z0-9._/+-]{16,}'),
  new CustomDataIdentifier('BasicCredentials', 'Basic [A-Za-z0-9/+]{16,}'),
  new CustomDataIdentifier('ApiKey', 'api_?[kK]ey[^A-Za-z0-9]{1,8}[A-Za-z0-9][^ ,]{3,}'),
  new CustomDataIdentifier('ClientSecret', 'client_?[sS]ecret[^A-Za-z0-9]{1,8}[A-Za-z0-9][^ ,]{3,}'),
];

export class FunctionLogs extends Construct {
  readonly group: LogGroup;

  constructor(scope: Construct, id: string, { retentionDays }: FunctionLogsProps) {
    super(scope, id);
    this.group = new LogGroup(this, 'Group', {
      retention: retentionDays,
      dataProtectionPolicy: new DataProtectionPolicy({
        name: 'mask-personal-data-and-credentials',
        description: 'Masks what the code never logs on purpose',
        identifiers: PROTECTED,
      }),
      // It says why a cart failed even after the stack is deleted, and expires by its retention.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }

  grantWrite(grantee: IGrantable): void {
    this.group.grantWrite(grantee);
  }
}
