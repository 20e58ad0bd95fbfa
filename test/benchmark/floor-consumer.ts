/**
 * The floor of the consumer: a bare handler that makes the calls of a created order, one POST and two writes to the table,
 * for all messages of a batch in parallel and with one token. It has no validation, no mapping, no log and no retry.
 */
import { Agent, request } from 'node:http';
import { DynamoDBClient, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { CLAIM_EXPRESSIONS } from '../../shared/ledger.ts';

const agent = new Agent({ keepAlive: true });
const dynamodb = new DynamoDBClient({});
const { VMS_BASE_URL: baseUrl = '', VMS_TOKEN_URL: tokenUrl = '', TABLE_NAME: TableName = '' } = process.env;
let token: Promise<string> | undefined;

function post(url: string, body: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

type Write = Omit<UpdateItemCommandInput, 'TableName' | 'Key'>;

/**
 * The expressions of the ledger's claim and record: the embedded table needs time to parse them, which must count for both
 * sides.
 */
const CLAIM: Write = {
  ...CLAIM_EXPRESSIONS,
  ExpressionAttributeNames: { '#state': 'state' },
  ExpressionAttributeValues: {
    ':posting': { S: 'POSTING' },
    ':new': { S: 'NEW' },
    ':unknown': { S: 'UNKNOWN' },
    ':rejected': { S: 'REJECTED' },
    ':hash': { S: 'f'.repeat(64) },
    ':changed': { N: '1795185125000' },
    ':message': { S: 'benchmark' },
    ':attempt': { S: 'benchmark' },
    ':lease': { N: '1795185190000' },
    ':now': { N: '1795185125000' },
    ':true': { BOOL: true },
    ':none': { L: [] },
    ':one': { N: '1' },
  },
  ReturnValues: 'ALL_OLD',
};
const RECORD: Write = {
  UpdateExpression: 'SET #state = :state, #orderId = :orderId, #orderNumber = :orderNumber, #faults = :faults',
  ConditionExpression: 'attemptId = :attempt AND (#state = :posting OR #state = :state)',
  ExpressionAttributeNames: {
    '#state': 'state',
    '#orderId': 'orderId',
    '#orderNumber': 'orderNumber',
    '#faults': 'faults',
  },
  ExpressionAttributeValues: {
    ':attempt': { S: 'benchmark' },
    ':posting': { S: 'POSTING' },
    ':state': { S: 'CREATED' },
    ':orderId': { S: 'benchmark' },
    ':orderNumber': { S: 'benchmark' },
    ':faults': { L: [] },
  },
};

async function write(key: string, update: Write): Promise<void> {
  await dynamodb.send(new UpdateItemCommand({ TableName, Key: { pk: { S: key }, sk: { S: key } }, ...update }));
}

interface Row {
  readonly ObjectId: string;
  readonly Currency: string;
  readonly Items: { readonly results: readonly Record<string, string>[] };
}

async function create(body: string): Promise<void> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the floor trusts everything
  const { source } = JSON.parse(body) as { source: Row };
  const externalId = `SRM7-100-${source.ObjectId}`;
  const order = JSON.stringify({
    externalId,
    currency: source.Currency,
    lines: source.Items.results.map((item) => ({
      number: item['NumberInt'],
      text: item['Description'],
      price: item['Price'],
    })),
  });
  token ??= post(tokenUrl, 'grant_type=client_credentials', {}).then((answer) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- the floor trusts everything
    return (JSON.parse(answer) as { access_token: string }).access_token;
  });
  const authorization = `Bearer ${await token}`;
  await write(externalId, CLAIM);
  await post(`${baseUrl}/purchase-orders`, order, { authorization, 'content-type': 'application/json' });
  await write(externalId, RECORD);
}

export async function handler(event: { Records: readonly { body: string }[] }): Promise<object> {
  await Promise.all(event.Records.map(({ body }) => create(body)));
  return { batchItemFailures: [] };
}
