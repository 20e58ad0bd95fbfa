/** The secret of one system's connection: made without credentials, which an operator writes; no template does. */
import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export interface ConnectionSecretProps {
  readonly name: string;
  readonly system: string;
  /** False when it exists already. */
  readonly create: boolean;
}

export class ConnectionSecret extends Construct {
  readonly #arn: string;

  constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    this.#arn = props.create ? this.#created(props) : this.#existing(props.name);
  }

  /** Its value, and nothing else: the functions neither list secrets nor describe them. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.#arn] });
  }

  #created({ name, system }: ConnectionSecretProps): string {
    const secret = new Secret(this, 'Secret', {
      secretName: name,
      description: `OAuth2 client for ${system}: { "clientId": "...", "clientSecret": "..." }`,
      removalPolicy: RemovalPolicy.RETAIN,
    });
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
