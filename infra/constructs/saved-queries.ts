/** Saved queries of CloudWatch Logs Insights, for operators. Their fields are those of shared/log.ts. */
import { Stack } from 'aws-cdk-lib';
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { queryText, SAVED_QUERIES, type SavedQuery } from './query-texts.ts';

export interface SavedQueriesProps {
  /** Of all functions. */
  readonly logGroupNames: readonly string[];
}

export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, props: SavedQueriesProps) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    const isTitle = (title: string): title is SavedQuery => Object.hasOwn(SAVED_QUERIES, title);
    for (const title of Object.keys(SAVED_QUERIES).filter(isTitle)) {
      new CfnQueryDefinition(this, title, {
        // A slash makes a folder in the console.
        name: `${stackName}/${title}`,
        logGroupNames: [...props.logGroupNames],
        queryString: queryText(title),
      });
    }
  }
}
