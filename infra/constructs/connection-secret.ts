/** The secret of one system's connection: made without credentials, which an operator writes; no template does. */
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

  constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    const { createSecret, secretName } = props.connection;
    this.#arn = createSecret ? this.#created(props) : this.#existing(secretName);
  }

  /** Its value, and nothing else: the functions neither list secrets nor describe them. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.#arn] });
  }

  /** Empty, until an operator writes it. */
  #created({ connection, system }: ConnectionSecretProps): string {
    const secret = new Secret(this, 'Secret', {
      secretName: connection.secretName,
      description: `OAuth2 client for ${system}: { "clientId": "...", "clientSecret": "..." }`,
      // Outlives the stack; but a first deployment that fails takes it along, or its name would be taken at the next.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // CDK lets Secrets Manager generate a password, which is no OAuth2 client: empty says "not written yet".
    if (secret.node.defaultChild instanceof CfnSecret) secret.node.defaultChild.generateSecretString = undefined;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: `The owner of ${system} issues its clients and certificates; the functions read a new one by themselves.`,
    });
    return secret.secretArn;
  }

  /** Secrets Manager ends each ARN in six characters of its own, which only it knows. */
  #existing(name: string): string {
    return Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${name}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
