/** A secret of another system. The stack creates it empty; an operator writes the credentials. */
import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export interface ConnectionSecretProps {
  readonly connection: {
    readonly secretName: string;
    readonly createSecret: boolean;
    readonly kmsKeyArn?: string | undefined;
  };
  readonly system: string;
  /** What the secret holds. */
  readonly holds?: string;
}

export class ConnectionSecret extends Construct {
  /** By which the secret is asked for; that of a secret of another stack lacks the random characters at its end. */
  readonly arn: string;
  /** In policies. */
  readonly #policyArn: string;
  readonly #kmsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    const { createSecret, secretName, kmsKeyArn } = props.connection;
    this.#kmsKeyArn = kmsKeyArn;
    this.arn = createSecret ? this.#created(props) : this.#existing(secretName);
    // Secrets Manager ends each ARN in six random characters.
    this.#policyArn = createSecret ? this.arn : this.#existing(`${secretName}-??????`);
  }

  /** Reading the value only: the functions neither list nor describe secrets. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.#policyArn] });
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
  #created({ connection, system, holds = OAUTH_CLIENT }: ConnectionSecretProps): string {
    const secret = new Secret(this, 'Secret', {
      secretName: connection.secretName,
      description: holds.replace('%', system),
      // It outlives the stack. A first deployment that fails deletes it, so that its name is free for the next one.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // By default CDK generates a password, which is not an OAuth2 client. An empty secret means "not written yet".
    if (secret.node.defaultChild instanceof CfnSecret) secret.node.defaultChild.generateSecretString = undefined;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: `The owner of ${system} issues its credentials and certificates; a new one is read without a deployment.`,
    });
    return secret.secretArn;
  }

  #existing(name: string): string {
    return Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}

/** `%` stands for the system. */
const OAUTH_CLIENT = 'OAuth2 client for %: { "clientId": "...", "clientSecret": "..." }';
