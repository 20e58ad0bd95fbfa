/** The interface's memory: watermark, queued versions, orders and verdicts, one item each, in one table. */
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type Partition, PARTITIONS } from '../../shared/ledger-keys.ts';
import { LISTED_FIELDS, LISTED_INDEX } from '../../shared/lists.ts';

export interface LedgerTableProps {
  /** Until the stack is created once, a rollback must be able to delete the table. */
  readonly isProtected: boolean;
  /** Events leave by the table's stream. */
  readonly hasStream: boolean;
}

export class LedgerTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { isProtected, hasStream }: LedgerTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      // 1,000 carts a day need no capacity planning, and neither do 100,000.
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      // Whether a write is an event shows in both images.
      ...(hasStream ? { stream: StreamViewType.NEW_AND_OLD_IMAGES } : {}),
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

  /** @throws {Error} for a table without a stream. */
  get streamArn(): string {
    const { tableStreamArn } = this.table;
    if (tableStreamArn === undefined) throw new Error('The table of the ledger has no stream');
    return tableStreamArn;
  }

  get hasStream(): boolean {
    return this.table.tableStreamArn !== undefined;
  }

  /** The extractor moves the watermark, and reads and writes which versions are queued. It writes no order, and deletes none. */
  grantExtraction(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'UpdateItem'], ['watermark']);
    this.#grant(grantee, ['BatchGetItem', 'BatchWriteItem', 'UpdateItem'], ['queued']);
    this.#grant(grantee, ['Query'], ['cart', 'queued']);
    this.#grant(grantee, ['UpdateItem'], ['operation']);
  }

  /**
   * The reconciliation reads the watermark, the breaker and the items of carts; it writes its own record and the versions
   * that it queues.
   */
  grantReconciliation(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem'], ['watermark', 'breaker']);
    this.#grant(grantee, ['GetItem', 'PutItem'], ['reconciliation']);
    this.#grant(grantee, ['Query'], ['cart', 'queued']);
    this.#grant(grantee, ['UpdateItem'], ['queued', 'operation']);
  }

  /** The orders of a cart to read, and the record of the numbers that were written back to it. */
  grantOrderNumbers(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'PutItem'], ['numbers']);
    this.#grant(grantee, ['Query'], ['cart']);
  }

  /** The supervisor moves the breaker by conditional updates, and records who asked it to. */
  grantSupervision(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'UpdateItem'], ['breaker']);
    this.#grant(grantee, ['UpdateItem'], ['operation']);
  }

  /** The worker writes what became of carts, and opens the breaker. */
  grantDelivery(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'PutItem', 'UpdateItem'], ['cart']);
    this.#grant(grantee, ['GetItem', 'UpdateItem'], ['breaker']);
    this.#grant(grantee, ['Query'], ['cart', 'queued']);
  }

  /** The redriver writes what became of dead letters, its plans, and who asked it to. */
  grantRedriving(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'UpdateItem'], ['cart']);
    this.#grant(grantee, ['GetItem'], ['breaker']);
    this.#grant(grantee, ['GetItem', 'PutItem'], ['plan']);
    this.#grant(grantee, ['Query'], ['cart', 'queued']);
    this.#grant(grantee, ['UpdateItem'], ['operation']);
  }

  /**
   * Single items, and those of one cart: the ledger needs no scan and no transaction. Not `table.grant`, which would include the
   * index: no function reads it.
   */
  #grant(grantee: IGrantable, actions: readonly string[], partitions: readonly Partition[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: actions.map((action) => `dynamodb:${action}`),
      resourceArns: [this.table.tableArn],
      conditions: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions.map((name) => `${PARTITIONS[name]}*`) },
        // ForAllValues also holds for a request without any key.
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    });
  }
}
