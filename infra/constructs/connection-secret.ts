/** The secret of the connection to one system. The stack creates it empty; an operator writes the credentials. */
import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';

export interface ConnectionSecretProps {
  readonly connection: Environment['srm' | 'vms'];
  readonly system: string;
}

export class ConnectionSecret extends Construct {
  readonly #arn: string;
  readonly #kmsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    const { createSecret, secretName, kmsKeyArn } = props.connection;
    this.#kmsKeyArn = kmsKeyArn;
    this.#arn = createSecret ? this.#created(props) : this.#existing(secretName);
  }

  /** Reading the value only: the functions neither list nor describe secrets. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.#arn] });
    if (this.#kmsKeyArn === undefined) return;
    // The key of the secret's owner. Whether its policy lets this account use it is for the owner to say.
    Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt'],
      resourceArns: [this.#kmsKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(this).region}.amazonaws.com` } },
    });
  }

  /** Empty, until an operator writes it. */
  #created({ connection, system }: ConnectionSecretProps): string {
    const secret = new Secret(this, 'Secret', {
      secretName: connection.secretName,
      description: `OAuth2 client for ${system}: { "clientId": "...", "clientSecret": "..." }`,
      // It outlives the stack. A first deployment that fails deletes it, so that its name is free for the next one.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // By default CDK generates a password, which is not an OAuth2 client. An empty secret means "not written yet".
    if (secret.node.defaultChild instanceof CfnSecret) secret.node.defaultChild.generateSecretString = undefined;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: `The owner of ${system} issues its clients and certificates; the functions read a new one by themselves.`,
    });
    return secret.secretArn;
  }

  /** Secrets Manager ends each ARN in six random characters. */
  #existing(name: string): string {
    return Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${name}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
