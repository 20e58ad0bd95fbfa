/** The app whose assembly is checked before it may be deployed: by cdk-nag, by CDK's own validation, and by our rules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  App,
  type AppProps,
  CloudFormationValidatePlugin,
  type IPolicyValidationContext,
  type PolicyValidationPluginReport,
  Validations,
} from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

/** CDK's own validation, which reports a wrong value of an enumeration as a warning: CloudFormation would refuse it. */
class StrictValidation extends CloudFormationValidatePlugin {
  // Declared as optional in a way that its own interface does not take.
  override get version(): string {
    return super.version ?? '';
  }

  override get ruleIds(): string[] {
    return super.ruleIds ?? [];
  }

  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = super.validate(context);
    const violations = report.violations.map((violation) =>
      violation.severity === 'warning' ? { ...violation, severity: 'error' } : violation,
    );
    return { ...report, violations, success: violations.every(({ severity }) => severity !== 'error') };
  }
}

const RULES = 'guard-rules.guard';
/** One for all apps of a process: its engine takes a second to start. */
const validation = new StrictValidation({
  guardRules: [{ name: RULES, content: readFileSync(join(import.meta.dirname, RULES), 'utf8') }],
});

export function createCheckedApp(props: AppProps = {}): App {
  const app = new App(props);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), validation);
  return app;
}
