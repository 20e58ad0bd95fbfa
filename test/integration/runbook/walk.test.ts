/**
 * Follows the runbook to the letter, from an empty account to a redriven dead letter. A shell runs its command lines as
 * they are printed; only the placeholders in angle brackets are filled in.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { examine } from '../../../infra/doctor/doctor.ts';
import type { Finding } from '../../../infra/doctor/finding.ts';
import { ENVIRONMENTS, loadEnvironment, stackName } from '../../../infra/environments.ts';
import { LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import { startEmulators, type Emulators } from '../../../infra/local/aws/emulators.ts';
import type { LogLine } from '../../../infra/local/aws/execution-environment.ts';
import { type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { synthesize } from '../../../infra/synthesize.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { withinOneDay } from '../../within-one-day.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { deployEntry, expectStackOnce } from '../deployed-state.ts';
import { CARELESS, edmInstant, newCart, type Row, textOf, withItems } from '../create/worker-fixture.ts';
import { type MoveTaskProxy, startMoveTaskProxy } from './move-tasks.ts';
import { OPERATOR, type OperatorsAws, startOperatorsAws } from './operators-aws.ts';

const root = join(import.meta.dirname, '../../..');
const runbook = readFileSync(join(root, 'infra/runbook.md'), 'utf8');
const chapter = (heading: string): string => runbook.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

/** The one command of a chapter that matches, as it is printed. */
function printed(heading: string, form: RegExp): string {
  const commands = [...chapter(heading).matchAll(/`([^`\n]+)`/g)].map(([, command = '']) => command);
  return only([...new Set(commands.filter((command) => form.test(command)))], `${String(form)} of "${heading}"`);
}
const [, preparation = ''] = /```\n(export [\s\S]+?)```/.exec(chapter('Before you start')) ?? [];

// The runbook requires both from an operator; a developer without them can work on everything else.
const hasShell = ['bash', 'jq'].every((program) => spawnSync(program, ['--version']).status === 0);
const walk = hasShell ? describe : describe.skip;

const variablesBefore = { ...process.env };
const directory = mkdtempSync(join(tmpdir(), 'walk-'));
const environmentFile = join(directory, 'acme.json');
/** What the value map of the local environment makes of 199999. */
const closedSuppliers = new Set(['SUP-INACTIVE']);
const logs: { line: LogLine; atMs: number }[] = [];
let [emulators, aws, srm, vms]: [Emulators?, AwsSimulator?, Srm7Simulator?, VmsSimulator?] = [];
let sqs: MoveTaskProxy | undefined;
let stack: LocalStack | undefined;
let operatorsAws: OperatorsAws | undefined;
let shell: OperatorsShell | undefined;

beforeAll(async () => {
  const inactiveSuppliers = (code: string): boolean => closedSuppliers.has(code);
  [emulators, aws, srm, vms] = await Promise.all([
    startEmulators(),
    startAwsSimulator(),
    startSrm7(),
    startVms({ ...CARELESS, inactiveSuppliers }),
  ]);
  sqs = await startMoveTaskProxy(emulators.endpoints.sqs);
  emulators = { ...emulators, endpoints: { ...emulators.endpoints, sqs: sqs.url } };
  Object.assign(process.env, aws.variables, {
    AWS_ENDPOINT_URL_SQS: emulators.endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: emulators.endpoints.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: emulators.endpoints.secretsManager,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: directory,
  });
  const local = ENVIRONMENTS['local'];
  const entry = {
    ...local,
    name: 'acme',
    account: aws.state.account,
    srm: { ...local?.srm, baseUrl: srm.url, tokenUrl: srm.tokenUrl, secretName: 'acme/srm' },
    vms: { ...local?.vms, baseUrl: vms.baseUrl, tokenUrl: vms.tokenUrl, secretName: 'acme/11vms' },
    extraction: {
      ...local?.extraction,
      firstWatermark: new Date(Date.now() - 3_600_000).toISOString(),
    },
  };
  writeFileSync(environmentFile, JSON.stringify(entry));
});
afterAll(async () => {
  await Promise.all([shell?.close(), stack?.close()]);
  await Promise.all([
    operatorsAws?.close(),
    sqs?.close(),
    emulators?.close(),
    aws?.close(),
    srm?.close(),
    vms?.close(),
  ]);
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
  rmSync(directory, { recursive: true, force: true });
});

/** What CloudFormation would do: the stack's resources with empty secrets, and its outputs. */
async function deployTemplate(simulator: AwsSimulator, on: Emulators): Promise<LocalStack> {
  const environment = loadEnvironment(environmentFile);
  const outdir = join(directory, 'assembly');
  mkdirSync(outdir);
  const { directory: assembly, artifact } = await synthesize(environment, outdir);
  const deployed = await startLocalStack({
    assembly,
    artifact,
    emulators: on,
    secrets: { [environment.srm.secretName]: '', [environment.vms.secretName]: '' },
    onLogLine: (line) => logs.push({ line, atMs: Date.now() }),
    onError: (error) => {
      throw error;
    },
  });
  const physicalIds = [
    ...deployed.queues.map(({ logicalId, url }) => [logicalId, url]),
    ...deployed.tables.map(({ logicalId, name }) => [logicalId, name]),
    ...deployed.functions.map(({ description: { logicalId, name } }) => [logicalId, name]),
  ];
  await deployEntry(simulator.state, {
    environment,
    sqs: deployed.clients.sqs,
    nowMs: Date.now(),
    physicalIds: Object.fromEntries(physicalIds),
  });
  if (simulator.state.stack !== undefined) {
    simulator.state.stack.outputs = {
      ...simulator.state.stack.outputs,
      ...deployed.outputs,
      WorkerLogGroupName: 'worker-log',
    };
  }
  return deployed;
}

/** The doctor's red lines, with what to do. */
async function reds(): Promise<string[]> {
  const findings: readonly Finding[] = await examine(
    { environment: environmentFile, profile: undefined },
    { now: Date.now, timeoutMs: 10_000, nodeVersion: process.versions.node, expectStack: expectStackOnce },
  );
  return findings.flatMap((finding) => (finding.status === 'fail' ? [`${finding.what} -> ${finding.advice}`] : []));
}

/** The operator's shell, in which the lines of "Before you start" were typed first. */
class OperatorsShell {
  readonly #bash: ChildProcessWithoutNullStreams;
  #written = '';

  constructor(path: string) {
    this.#bash = spawn('bash', ['--noprofile', '--norc'], {
      cwd: directory,
      env: { ...process.env, PATH: [path, process.env['PATH']].join(delimiter), TMPDIR: directory },
    });
    for (const stream of [this.#bash.stdout, this.#bash.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#written += chunk;
      });
    }
  }

  /** Returns what a command writes. @throws {Error} when it fails, with its error output. */
  async type(command: string): Promise<string> {
    this.#written = '';
    this.#bash.stdin.write(`${command}\nprintf '\\0%s\\0' $?\n`);
    for (;;) {
      const [, written = '', status] = /^([^\0]*)\0(\d+)\0$/.exec(this.#written) ?? [];
      if (status === '0') return written;
      if (status !== undefined) throw new Error(`${command} ended with ${status}: ${written}`);
      await once(this.#bash.stdout, 'data');
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#bash, 'close');
    this.#bash.stdin.end();
    await closed;
  }
}

walk('the runbook alone', () => {
  test('the runbook leads from an empty account to a redriven dead letter', async () => {
    if (emulators === undefined || sqs === undefined || aws === undefined || srm === undefined || vms === undefined)
      throw new Error('not up');
    const target = vms;
    const numberOf = (cart: Row): string => textOf(cart['ObjectId']);
    const ordersOf = (cart: Row) =>
      target.orders().filter(({ order }) => order.sourceDocument.number === numberOf(cart));
    const filledIn = (command: string, cart: Row): string =>
      command.replace('<sap-client>', '100').replace('<number>', numberOf(cart)).replace('<why>', 'INC-42');

    /** Plans and redrives the dead letters of a code. */
    async function redriveOf(code: string, why: string): Promise<void> {
      const planned: unknown = JSON.parse(
        await type(printed('Redrive', /^invoke "\$REDRIVER" .*"plan".*"code"/).replace('<code>', code)),
      );
      expect(planned).toMatchObject({ moves: 1, forecasts: { ordered: 1 } });
      const planHash = textOf(Reflect.get(Object(planned), 'planHash'));
      expect(await redriveBy(planHash, why)).toMatchObject({ status: 'complete', moved: 1, ordered: 1 });
    }
    async function redriveBy(planHash: string, why: string): Promise<unknown> {
      const redrive = printed('Redrive', /^invoke "\$REDRIVER" .*"redrive"/).replace('<planHash>', planHash);
      return JSON.parse(await type(redrive.replace('<why>', why)));
    }

    // An empty account: the doctor says what to do first.
    expect(await reds()).toEqual([
      expect.stringMatching(/acme\/srm does not exist.* -> deploy, which creates it/),
      expect.stringMatching(/acme\/11vms does not exist.* -> deploy, which creates it/),
      expect.stringMatching(
        /^stack \S+-acme is not in .* no other region .* How a stack is deployed for the first time: infra\/deploying\.md$/,
      ),
    ]);

    // Deployed; the doctor prints the command that writes a secret, and it works.
    stack = await deployTemplate(aws, emulators);
    const { queue, poller } = only(stack.mappings, 'mapping');
    const moveTasks = sqs;
    moveTasks.stack = stack;
    operatorsAws = await startOperatorsAws(directory, {
      stackName: stackName({ name: 'acme' }),
      stack,
      outputs: aws.state.stack?.outputs ?? {},
      logs,
      logGroups: { 'worker-log': only(stack.mappings, 'mapping').target.description.name },
    });
    const operator = new OperatorsShell(operatorsAws.path);
    shell = operator;
    const type = (command: string): Promise<string> => operator.type(command);
    const prepareFor = (name: string) =>
      type(preparation.replace('<region>', 'eu-west-1').replace('ENV=prod', `ENV=${name}`));
    // A typing error is named once, and nothing else fails.
    expect(await prepareFor('acne')).toMatch(
      /^An error occurred: .*-acne does not exist\n?No stack \S+-acne in eu-west-1: correct ENV or AWS_REGION.*\n$/,
    );
    expect(await prepareFor('acme')).toBe('');
    const toWrite = await reds();
    expect(toWrite).toHaveLength(2);
    for (const [index, { clientId, clientSecret }] of [srm, vms].entries()) {
      const write = /aws secretsmanager .+$/.exec(toWrite[index] ?? '')?.[0] ?? 'no command';
      await type(`printf '%s\\n' '${JSON.stringify({ clientId, clientSecret })}' | ${write}`);
    }
    expect(await reds()).toEqual([]);

    // What follows is listed by its day and its month.
    await withinOneDay(120_000);
    // Carts flow; 11VMS has closed the supplier of one of them.
    const ChangedAt = edmInstant(new Date(Date.now() - 60_000).toISOString());
    const good = newCart({ ChangedAt });
    const faulty = withItems(newCart({ ChangedAt }), (item) => ({ ...item, VendorId: '0000199999' }));
    srm.addCarts([good, faulty]);
    const run = printed('Go-live with the first watermark', /^invoke "\$EXTRACTOR"/);
    expect(JSON.parse(await type(run))).toMatchObject({ status: 'complete', cartsQueued: 2 });
    // What waits is known; what nobody has read is said to be unknown.
    const find = printed('Find a cart', /^cart /);
    const instant = String.raw`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`;
    expect(await type(filledIn(find, good).replace('#', '#000'))).toMatch(
      new RegExp(
        `^\\{\n  "item": "QUEUED#[^"]+",\n  "changedAt": ${instant},\n  "queuedAt": ${instant},\n  "faults": \\[\\]\n\\}\n$`,
      ),
    );
    expect(await type(filledIn(find, newCart()))).toContain('The ledger holds nothing of this cart');
    stack.startMappings();
    await poller.settled();
    const depth = printed('Before you start', /^depth "\$DLQ"/);
    expect(JSON.parse(await type(depth))).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '1' } });

    // The operator finds which cart it is, and why.
    const [line = '', ...others] = (await type(printed('Read a dead letter', /^dead$/))).trim().split('\n');
    expect(others).toEqual([]);
    const [, number, messageId, why] = line.split('\t');
    expect([number, why]).toEqual([numberOf(faulty), 'E_TGT_VALIDATION: 11VMS answered 422 SUPPLIER_NOT_FOUND']);
    const ledger = filledIn(printed('Read a dead letter', /^cart /), faulty);
    expect(await type(ledger)).toMatch(
      new RegExp(`"item": "VERDICT#${messageId ?? ''}"[^}]+"code": "E_TGT_VALIDATION"[^}]+"field": "/supplier/code"`),
    );

    const openLetters = printed('Before you start', /^listed DEAD-LETTERED/);
    expect(await type(openLetters)).toContain('\tE_TGT_VALIDATION\n');

    // Repaired and redriven: the order is created, and none is created twice.
    closedSuppliers.clear();
    expect(JSON.parse(await type(printed('Redrive', /^invoke "\$REDRIVER" .*"list"/)))).toMatchObject({
      deadLetters: [{ messageId, cartNumber: number, codes: ['E_TGT_VALIDATION'] }],
    });
    await redriveOf('E_TGT_VALIDATION', 'INC-41');
    await poller.settled();
    expect(await type(filledIn(printed('Redrive', /^cart /), faulty))).toContain('"state": "CREATED"');
    expect(JSON.parse(await type(depth))).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '0' } });
    expect([ordersOf(good).length, ordersOf(faulty).length]).toEqual([1, 1]);

    // The day's list names both, and the cart's items tell its story without what was withdrawn.
    const tableName = only(stack.tables, 'table').name;
    const withdrawn = {
      pk: `CART#100#${numberOf(faulty)}`,
      sk: 'VERDICT#withdrawn',
      state: 'WITHDRAWN',
      recordedAtMs: Date.now(),
      faults: [],
    };
    await stack.clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item: marshall(withdrawn) }));
    const today = new Date().toISOString().slice(0, 10);
    const created = await type(printed('Before you start', /^listed CREATED/).replace('2026-11-27', today));
    expect(
      created
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
    ).toEqual(
      [good, faulty].map((cart) => [
        expect.stringMatching(/Z$/),
        `100#${numberOf(cart)}`,
        ordersOf(cart)[0]?.number ?? 'no order',
      ]),
    );
    expect(await type(openLetters)).toBe('');
    const items = [...(await type(filledIn(find, faulty))).matchAll(/"item": "(\w+)#/g)].map(([, kind]) => kind);
    expect(items).toEqual(['QUEUED', 'VERDICT', 'REDRIVE', 'ORDER']);

    // A replay of one cart, and of the window, creates no order twice either.
    const replayOne = filledIn(printed('Redrive', /^invoke "\$EXTRACTOR" .*"cart"/), faulty);
    expect(JSON.parse(await type(replayOne))).toMatchObject({ status: 'complete', cartsQueued: 1 });
    const replay = printed('Replay a window', /^invoke .*changedFrom/)
      .replace(/2026-12-01T00:00:00Z/, new Date(Date.now() - 600_000).toISOString())
      .replace(/2026-12-02T00:00:00Z/, new Date().toISOString())
      .replace('<why>', 'INC-43');
    expect(JSON.parse(await type(replay))).toMatchObject({ status: 'complete', cartsQueued: 2 });
    await poller.settled();
    expect([ordersOf(good).length, ordersOf(faulty).length]).toEqual([1, 1]);

    // Two carts fail for two reasons, of which one is corrected: only that cart is tried again.
    closedSuppliers.add('SUP-INACTIVE');
    const later = { ChangedAt: edmInstant(new Date(Date.now() - 10_000).toISOString()) };
    const curable = withItems(newCart(later), (item) => ({ ...item, VendorId: '0000199999' }));
    const incurable = withItems(newCart(later), (item) => ({ ...item, Unit: 'XXX' }));
    srm.addCarts([curable, incurable]);
    await type(run);
    await poller.settled();
    closedSuppliers.clear();
    const inCheckout = (command: string): string =>
      `(cd ${root} && ${command.replaceAll('$ENV', environmentFile).replaceAll('<code>', 'E_TGT_VALIDATION').replace('<why>', 'INC-44')})`;
    const open = inCheckout(printed('Redrive', /^npm run carts .*--code/));
    expect(await type(open)).toMatch(
      new RegExp(`\n1 cart dead-lettered [^]*\\nE_TGT_VALIDATION: 1 cart[^]*\\n  ${numberOf(curable)} `),
    );
    await redriveOf('E_TGT_VALIDATION', 'INC-44');
    await poller.settled();
    expect(await type(open)).toMatch(/\n0 carts dead-lettered /);
    expect([ordersOf(curable).length, ordersOf(incurable).length]).toEqual([1, 0]);
    expect(await type('dead | cut -f 2 | sort | uniq -c')).toMatch(
      new RegExp(`^ *1 ${numberOf(faulty)}\\n *1 ${numberOf(curable)}\\n *1 ${numberOf(incurable)}\\n$`),
    );
    // Asked for everything, the one that is not corrected moves, too: it fails again, and the redrive stops.
    const everything = printed('Redrive', /^invoke "\$REDRIVER" .*"plan".*"everything"/);
    const insisted: unknown = JSON.parse(await type(filledIn(everything, incurable)));
    expect(insisted).toMatchObject({ moves: 1, forecasts: { fails: 1 } });
    expect(await redriveBy(textOf(Reflect.get(Object(insisted), 'planHash')), 'INC-47')).toMatchObject({
      status: 'stopped',
      failed: [{ cartNumber: numberOf(incurable), codes: ['E_MAP_UOM'] }],
    });
    await poller.settled();

    // SQS's own redrive of all is cancelled; another one goes without a look at all of the queue; the one that is not corrected comes back.
    const moveAll = (form: RegExp): Promise<unknown> =>
      type(printed('Redrive', form).replace('<why>', 'INC-48')).then(JSON.parse);
    moveTasks.isSlow = true;
    expect(await moveAll(/^invoke .*"redriveAll":\{"reason":"<why>"\}/)).toMatchObject({ status: 'started' });
    expect(JSON.parse(await type(printed('Redrive', /^invoke "\$REDRIVER" .*"list"/)))).toMatchObject({
      moveTask: { status: 'RUNNING', isActive: true },
    });
    expect(await moveAll(/^invoke .*"cancelRedriveAll"/)).toMatchObject({ status: 'cancelled' });
    moveTasks.isSlow = false;
    expect(await moveAll(/^invoke .*"redriveAll".*"unseen"/)).toMatchObject({ status: 'started' });
    await poller.settled();
    expect(JSON.parse(await type(depth))).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '1' } });
    // The same by SQS's own command.
    await type(printed('Redrive', /^aws sqs start-message-move-task/));
    expect(JSON.parse(await type(printed('Redrive', /^aws sqs list-message-move-tasks/)))).toMatchObject({
      Results: [{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }],
    });
    await poller.settled();
    expect(JSON.parse(await type(depth))).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '1' } });
    expect(ordersOf(curable)).toHaveLength(1);

    const lastHour = printed('Replay a window', /^invoke .*includeLastHour/).replace('<why>', 'INC-45');
    expect(JSON.parse(await type(lastHour))).toMatchObject({
      status: 'complete',
      cartsRead: 4,
      created: 3,
      deadLettered: 1,
    });
    expect(JSON.parse(await type(printed('Before you start', /^invoke "\$SUPERVISOR"/)))).toMatchObject({
      state: 'CLOSED',
    });
    // What no redrive can cure is settled by hand, and the cart's items say who did what with its dead letters.
    const [left] = (await queue.deadLetters?.inspect())?.ready ?? [];
    const close = printed('Redrive', /^invoke .*"close"/)
      .replace('<message id>', left?.messageId ?? 'none')
      .replace('<why>', 'INC-46');
    expect(JSON.parse(await type(close))).toMatchObject({ status: 'complete', closed: 1 });
    expect(JSON.parse(await type(depth))).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '0' } });
    expect(await type(filledIn(find, curable))).toMatch(
      /"item": "REDRIVE#[^}]+"state": "DONE"[^}]+"reason": "INC-44"[^}]+"by": "arn:[^}]+"newMessageId"/,
    );
    expect(await type(filledIn(find, incurable))).toMatch(/"item": "CLOSED#[^}]+"reason": "INC-46"[^}]+"by": "arn:/);

    // A person is erased: the log never held the name, and of the ledger what may go goes, but no order.
    const erase = (form: RegExp): string => printed("Erase one person's data", form);
    expect(JSON.parse(await type(erase(/^aws logs filter-log-events/).replace('<name>', 'Dupont')))).toEqual([]);
    const verdict = `VERDICT#${left?.messageId ?? ''}`;
    expect(await type(filledIn(find, incurable))).toContain(verdict);
    await type(
      filledIn(erase(/^aws dynamodb delete-item/), incurable).replace('<message id>', left?.messageId ?? 'none'),
    );
    expect(await type(filledIn(find, incurable))).not.toContain(verdict);
    const [order] = ordersOf(curable);
    await type(
      filledIn(erase(/^aws dynamodb update-item/), curable).replace('<externalId>', order?.order.externalId ?? ''),
    );
    expect(await type(filledIn(find, curable))).toMatch(/"item": "ORDER#[^}]+"state": "CREATED"/);

    // Consumption is paused and resumed; what was done by hand is on record, with who did it and why.
    for (const [form, state] of [
      [/"pause"/, 'FORCED_OPEN'],
      [/"resume"/, 'CLOSED'],
    ] as const) {
      const command = printed('Pause and resume', form).replace('<why>', 'CHG-7');
      expect(JSON.parse(await type(command))).toMatchObject({ state });
    }
    await type(`invoke "$SUPERVISOR" '{"consumption":"pause","reason":"ask a.person@example.com"}'`);
    const acts = (await type(printed('Before you start', /^acts$/))).trim().split('\n');
    expect(acts.map((act) => act.split('\t').slice(1, 6))).toEqual([
      ['redrive', expect.stringMatching(/^1 dead letter, plan /), OPERATOR, 'INC-41', 'done'],
      ['replay-cart', `cart ${numberOf(faulty)}`, OPERATOR, 'INC-42', 'done'],
      ['replay-window', expect.stringMatching(/^carts changed from /), OPERATOR, 'INC-43', 'done'],
      ['redrive', expect.stringMatching(/^1 dead letter, plan /), OPERATOR, 'INC-44', 'done'],
      ['redrive', expect.stringMatching(/^1 dead letter, plan /), OPERATOR, 'INC-47', 'stopped'],
      ['redrive-all', 'all dead letters', OPERATOR, 'INC-48', 'done'],
      ['cancel-redrive-all', 'all dead letters', OPERATOR, 'INC-48', 'done'],
      ['redrive-all', 'all dead letters', OPERATOR, 'INC-48', 'done'],
      ['reconcile', 'carts of the last 1 days', OPERATOR, 'INC-45', 'done'],
      ['close', expect.stringMatching(/^1 dead letter/), OPERATOR, 'INC-46', 'done'],
      ['pause', 'consumption', OPERATOR, 'CHG-7', 'done'],
      ['resume', 'consumption', OPERATOR, 'CHG-7', 'done'],
    ]);
    await stack.stopMappings();
    // Each command of the operator is a process of its own, and the doctor synthesizes the entry four times.
  }, 400_000);
});
