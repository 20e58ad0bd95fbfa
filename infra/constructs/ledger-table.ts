/** The interface's memory: watermark, queued versions, orders and verdicts, one item each, in one table. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { LISTED_FIELDS, LISTED_INDEX } from '../../shared/lists.ts';

export interface LedgerTableProps {
  /** Until the stack is created once, a rollback must be able to delete the table. */
  readonly isProtected: boolean;
}

export class LedgerTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { isProtected }: LedgerTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      // 1,000 carts a day need no capacity planning, and neither do 100,000.
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      // The AWS-managed key of the account rather than of the service: CloudTrail records every use.
      encryption: TableEncryption.AWS_MANAGED,
      // Without the ledger carts would be ordered twice: it can be restored to any second of 35 days, and not be deleted
      // by mistake.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: isProtected,
      // A rollback of the creation would fail to delete a table that is protected.
      removalPolicy: isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // Only items that a list names have its keys (shared/ledger.ts).
    this.table.addGlobalSecondaryIndex({
      indexName: LISTED_INDEX,
      partitionKey: { name: 'listedAs', type: AttributeType.STRING },
      sortKey: { name: 'listedAtMs', type: AttributeType.NUMBER },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: [...LISTED_FIELDS],
    });
  }

  /** Of the index that shared/lists.ts describes. */
  get listedIndexArn(): string {
    return `${this.table.tableArn}/index/${LISTED_INDEX}`;
  }

  /** The extractor moves the watermark by conditional updates, and reads and writes which versions are queued. */
  grantExtraction(grantee: IGrantable): void {
    const versions = ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:Query'];
    this.#grant(grantee, 'dynamodb:GetItem', 'dynamodb:UpdateItem', ...versions);
  }

  /**
   * The reconciliation reads the watermark, the breaker and the items of carts; it writes its own record and the versions
   * that it queues.
   */
  grantReconciliation(grantee: IGrantable): void {
    this.#grant(grantee, 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  }

  /** The breaker's record is one item, read and moved by conditional updates. */
  grantBreaker(grantee: IGrantable): void {
    this.#grant(grantee, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
  }

  /** Single items, and those of one cart: the ledger needs no scan and no transaction. */
  grantItems(grantee: IGrantable): void {
    this.#grant(grantee, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query');
  }

  /** Not `table.grant`, which would include the index: no function reads it. */
  #grant(grantee: IGrantable, ...actions: string[]): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [this.table.tableArn] });
  }
}
