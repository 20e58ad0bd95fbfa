/** The app that is deployed: no stack of it is synthesized unless cdk-nag's AwsSolutions finds no fault with it. */
import { App, type AppProps, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

/** A finding that the code does not acknowledge with a reason fails the synth. The local run spares itself the time. */
export function createCheckedApp(props: AppProps = {}): App {
  const app = new App(props);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
