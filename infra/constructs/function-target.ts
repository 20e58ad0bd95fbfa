/** A function as the target of a schedule, with the right to invoke that function only. */
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IScheduleTarget } from 'aws-cdk-lib/aws-scheduler';
import { ScheduleTargetBase, type ScheduleTargetBaseProps } from 'aws-cdk-lib/aws-scheduler-targets';

/** CDK's own LambdaInvoke also allows `<function>:*`, all versions and aliases; this interface has none. */
export class FunctionTarget extends ScheduleTargetBase implements IScheduleTarget {
  constructor(target: IFunction, props: ScheduleTargetBaseProps) {
    super(props, target.functionArn);
  }

  protected override addTargetActionToRole(role: IRole): void {
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.targetArn] }));
  }
}
