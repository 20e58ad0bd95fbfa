/** The key that signs what is queued (shared/message-key.ts). Secrets Manager makes it, and shows it to no person. */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export class MessageKey extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const secret = new Secret(this, 'Secret', {
      description:
        'The key that signs the messages on the cart queue: who has it may order. Runbook: "Rotate the message key"',
      // CloudFormation makes another key when this changes: that is a rotation.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      // Like the queues: without it, no message that they hold is valid.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Two rotations within 18 days void the messages that still lie in the dead-letter queue. A person rotates it, by the runbook.',
    });
    this.arn = secret.secretArn;
  }

  /** Reading the value only: the functions neither list nor describe secrets. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.arn] });
  }
}
