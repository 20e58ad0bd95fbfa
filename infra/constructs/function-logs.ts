/** A log group of our own: it ends, and it shows nobody what should never have been logged. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { CustomDataIdentifier, DataIdentifier, DataProtectionPolicy, LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface FunctionLogsProps {
  readonly retentionDays: number;
}

/**
 * The code logs a closed list of fields (shared/log.ts). This is the second line: what a library or the runtime prints
 * is masked for all who may not unmask, which is nobody in this stack.
 */
const PROTECTED = [
  DataIdentifier.EMAILADDRESS,
  DataIdentifier.AWSSECRETKEY,
  DataIdentifier.PKCSPRIVATEKEY,
  DataIdentifier.OPENSSHPRIVATEKEY,
  new CustomDataIdentifier('BearerToken', 'Bearer [A-Za-z0-9._/+-]{16,}'),
  new CustomDataIdentifier('BasicCredentials', 'Basic [A-Za-z0-9/+]{16,}'),
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
      // It tells why a cart failed even after the stack is gone, and empties itself.
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  grantWrite(grantee: IGrantable): void {
    this.group.grantWrite(grantee);
  }
}
