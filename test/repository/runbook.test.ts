/** The runbook against the alarms and the code: everything that it names exists, under that name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { METRIC_ALARMS, PAGING_ALARMS, PLATFORM_ALARMS } from '../../infra/constructs/alarm-texts.ts';
import { LOG_EVENTS } from '../../shared/log-events.ts';
import { SAVED_QUERIES } from '../../infra/constructs/query-texts.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { isFaultCode } from '../../shared/failure.ts';
import { METRICS } from '../../shared/metric-names.ts';

const root = join(import.meta.dirname, '../..');
const path = 'infra/runbook.md';
const page = readFileSync(join(root, path), 'utf8');

/** A chapter's text, by its heading. */
function chapter(heading: string): string {
  const [, text = ''] = page.split(`\n## ${heading}\n`);
  return text.split(/\n## /)[0] ?? '';
}

const chapters = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
const sections = new Map(
  chapter('Alarms')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] ?? '', section] as const),
);
const alarms = [PAGING_ALARMS, METRIC_ALARMS, PLATFORM_ALARMS].flatMap((table) => Object.keys(table));
/** Texts in backticks. */
const quoted = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);

/** The code of the functions, as one text. */
const code = [
  'functions/create-purchase-orders',
  'functions/extract-approved-carts',
  'functions/reconcile-carts',
  'functions/report-to-cloud-alm',
  'functions/supervise-consumption',
  'shared',
]
  .flatMap((folder) => readdirSync(join(root, folder), { withFileTypes: true }).map((entry) => ({ folder, entry })))
  .filter(({ entry }) => entry.isFile() && entry.name.endsWith('.ts'))
  .map(({ folder, entry }) => readFileSync(join(root, folder, entry.name), 'utf8'))
  .join('\n');

describe('the alarms in the runbook', () => {
  test('have a heading each, and every heading belongs to an alarm', () => {
    expect([...sections.keys()].sort()).toEqual(alarms.toSorted());
    expect(page.match(/^### /gm)).toHaveLength(alarms.length);
  });

  test.each(alarms)(
    '%s: has its cause, its impact, where to look, what to do, and how to see that it is over',
    (name) => {
      const parts = [...(sections.get(name) ?? '').matchAll(/^- \*\*(\w+)\*\*: (.{5,})$/gm)];

      expect(parts.map(([, part]) => part)).toEqual(['Trigger', 'Impact', 'Look', 'Fix', 'Verify']);
    },
  );

  test('are marked as page or mail', () => {
    const severity = (name: string): string | undefined =>
      /\*\*Trigger\*\*: (page|mail)/.exec(sections.get(name) ?? '')?.[1];
    const parts = alarms.filter((name) => /\*\*Trigger\*\*: page, by `/.test(sections.get(name) ?? ''));

    expect(alarms.filter((name) => severity(name) === undefined)).toEqual([]);
    for (const name of Object.keys(PAGING_ALARMS)) expect(severity(name)).toBe('page');
    expect(severity('mails-undelivered')).toBe('page');
    for (const [name, { blocks }] of Object.entries(PLATFORM_ALARMS)) {
      const named = blocks.map((block) => `\`${block}\``).join(' or ');
      expect(sections.get(name)).toContain(`**Trigger**: mail; the alarm exists only with ${named}. `);
    }
    // Those that are part of a composite; test/infra/alarms.test.ts holds the list.
    expect(parts.sort()).toEqual([
      'cart-waiting-too-long',
      'consumption-paused',
      'dead-letters-many',
      'dead-letters-unattended',
      'no-extraction',
      'oldest-message-too-old',
      'source-refused',
      'target-refused',
      'worker-failing',
    ]);
  });
});

describe('the chapters of the runbook', () => {
  test('are those that an operator needs', () => {
    expect(chapters).toEqual([
      'Before you start',
      'The console',
      'Alarms',
      'Find a cart',
      'Read a dead letter',
      'Redrive',
      'Unknown outcome without a look-up',
      'Replay a window',
      'Pause and resume',
      'Rotate a secret',
      'Rotate the message key',
      'A message that is not signed',
      'Replace a dead secret',
      'HTML where JSON was expected',
      'Outage of SRM or 11VMS',
      'Go-live with the first watermark',
      'Roll back',
      'Adopt what a deleted stack left',
      "Erase one person's data",
      'Test the paths',
    ]);
  });

  test('that are referred to exist', () => {
    const prose = page.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    const referred = [...prose.matchAll(/"([A-Z][^"\n:{}]{4,40})"/g)].map(([, title = '']) => title);

    expect(referred.length).toBeGreaterThan(20);
    expect([...new Set(referred)].filter((title) => !chapters.includes(title))).toEqual([]);
  });
});

/** What follows `Logs Insights:` is pasted as it stands. */
const printedQueries = [...page.matchAll(/Logs Insights[:,] `([^`\n]+)`/g)].map(([, query = '']) => query);
const QUERY_COMMANDS = ['display', 'fields', 'filter', 'limit', 'sort', 'stats'];
const QUERY_WORDS = [...QUERY_COMMANDS, 'and', 'asc', 'by', 'count', 'desc', 'in', 'ispresent', 'like', 'or'];

const loggedFields = (() => {
  const [, fields = ''] =
    /export interface LogFields \{(.*?)\n\}/s.exec(readFileSync(join(root, 'shared/log.ts'), 'utf8')) ?? [];
  const names = [...fields.matchAll(/readonly (\w+)\??:/g)].map(([, name = '']) => name);
  // The fields of every line.
  return new Set([...names, 'service', 'level', 'event', 'message']);
})();

describe('what the runbook prints to be pasted is whole', () => {
  test('each query of Logs Insights is made of commands, and says how it is asked', () => {
    const steps = printedQueries.flatMap((query) => query.split(' | '));

    expect(printedQueries.length).toBeGreaterThan(6);
    expect(steps.filter((step) => !QUERY_COMMANDS.includes(step.split(' ')[0] ?? ''))).toEqual([]);
    expect(chapter('Before you start')).toContain('choose the log groups');
  });

  test('no command lacks its program, and no event the function that takes it', () => {
    expect(quoted.filter((text) => /^[a-z]+(-[a-z]+)+ --|^\{"/.test(text))).toEqual([]);
  });
});

test('what is printed for the AWS CLI is taken by it: no value begins with a hyphen, and no shorthand holds JSON', () => {
  const pages = ['runbook.md', 'deploying.md'].map((name) => readFileSync(join(root, 'infra', name), 'utf8'));
  const commands = pages.flatMap((text) => text.match(/\baws [a-z-]+ .*/g) ?? []);

  expect(commands.length).toBeGreaterThan(40);
  // Its parser takes such a value for another option. After `=` it is a value.
  expect(commands.filter((command) => / --[a-z-]+ ['"]-/.test(command))).toEqual([]);
  expect(commands.filter((command) => /\w=\{/.test(command))).toEqual([]);
});

describe('the runbook names only existing', () => {
  test('alarms', () => {
    const isAlarm =
      /^(new|dead-letters|scheduled|scheduler|no|source|target|worker|extractor|orders|extraction|consumption|functions|cart|carts|pages|mails|oldest|logs|cloud-alm|events|order-numbers)-[a-z-]+$/;
    const names = quoted.filter((text) => isAlarm.test(text));

    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !alarms.includes(name))).toEqual([]);
  });

  test('reason codes, and families of them', () => {
    const codes = quoted.filter((text) => /^E_[A-Z_]+$/.test(text));

    expect(codes.length).toBeGreaterThan(15);
    expect(codes.filter((code) => !isFaultCode(code))).toEqual([]);
  });

  test('saved queries', () => {
    const [, listed = ''] = /folder with the stack's\nname: (.+?)\. Choose/s.exec(page) ?? [];

    expect([...listed.matchAll(/`([^`]+)`/g)].map(([, title]) => title)).toEqual(Object.keys(SAVED_QUERIES));
  });

  test('metrics of our own', () => {
    const own = new Set<string>(Object.values(METRICS));
    const named = quoted.filter((text) => /^(Carts?|Orders|Extraction|Outcomes|Consumption)[A-Z]\w+$/.test(text));

    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => !own.has(name))).toEqual([]);
  });

  test('settings of an environment, and the thresholds` defaults', () => {
    const environment = loadEnvironment('prod');
    const has = (setting: string): boolean => {
      const [section = '', field = ''] = setting.split('.');
      // An optional field that prod leaves out.
      if (setting === 'notifications.pagerDuty') return true;
      return Reflect.has(Object(Reflect.get(environment, section)), field);
    };
    const settings = quoted
      .filter((text) => /^(srm|vms|extraction|reconciliation|delivery|notifications)\.\w+$/.test(text))
      .filter((text) => !Object.hasOwn(LOG_EVENTS, text));
    expect(settings.length).toBeGreaterThan(8);
    expect(settings.filter((setting) => !has(setting))).toEqual([]);

    const { thresholds } = environment.notifications;
    expect(thresholds).toMatchObject({
      oldestMessageMinutes: 30,
      waitingHours: 4,
      deadLetters: 10,
      pausedMinutes: 5,
      backlog: 1000,
      retryPercent: 30,
      unknownOutcomes: 5,
      targetThrottled: 50,
      durationPercent: 90,
      reconciliationSilenceHours: 26,
    });
    const of = (name: string): string => sections.get(name) ?? '';
    expect(of('oldest-message-too-old')).toContain('half an hour (`oldestMessageMinutes`)');
    expect(of('cart-waiting-too-long')).toContain('4 hours ago (`waitingHours`)');
    expect(of('dead-letters-many')).toContain('Ten dead letters or more (`deadLetters`)');
    expect(of('consumption-paused')).toContain('for 5 minutes (`pausedMinutes`)');
    expect(of('backlog')).toContain('1000 waiting messages or more (`backlog`)');
    expect(of('retry-rate')).toContain('30 % (`retryPercent`)');
    expect(of('unknown-outcomes')).toContain('Five creates (`unknownOutcomes`)');
    expect(of('target-throttled')).toContain('50 answers (`targetThrottled`)');
    expect(of('worker-near-timeout')).toContain('90 % of the time-out (`durationPercent`)');
    expect(of('no-reconciliation')).toContain('26 hours (`reconciliationSilenceHours`)');
  });

  test('outputs of the stack', () => {
    const stack = readFileSync(join(root, 'infra/purchase-order-stack.ts'), 'utf8');
    const outputs = [...page.matchAll(/\$\(output (\w+)\)/g)].map(([, name = '']) => name);

    expect(outputs).toHaveLength(24);
    expect(outputs.filter((name) => !stack.includes(`\n      ${name}: `))).toEqual([]);
  });

  test('events of the log', () => {
    // `cart.number` is a field of the queue message.
    const subjects = new Set(Object.keys(LOG_EVENTS).map((event) => event.split('.')[0]));
    const queries = Object.values(SAVED_QUERIES).flat().join('\n');
    const named = [...`${page}\n${queries}`.matchAll(/[`"]([a-z]+)\.([a-z-]+)[`"]/g)]
      .filter(([text, subject]) => subjects.has(subject) && text !== '`cart.number`')
      .map(([, subject, what]) => `${subject}.${what}`);

    expect(new Set(named).size).toBeGreaterThan(7);
    expect(named.filter((event) => !Object.hasOwn(LOG_EVENTS, event))).toEqual([]);
  });

  test('fields of the log in the queries that it prints', () => {
    const named = printedQueries
      .flatMap((query) => query.replaceAll(/"[^"]*"|@\w+/g, '').match(/\b[a-z]\w*/gi) ?? [])
      .filter((word) => !QUERY_WORDS.includes(word));

    expect(new Set(named).size).toBeGreaterThan(5);
    expect(named.filter((field) => !loggedFields.has(field))).toEqual([]);
  });

  test.each(['The event must be', 'Environment variables missing'])('words "%s" of an error', (words) => {
    expect(code).toContain(words);
  });

  test('keys of the ledger', () => {
    for (const key of ['CART#', 'QUEUED#', 'NUMBERS#', 'ORDER#', 'VERDICT#', 'SKIP']) {
      expect(code).toMatch(new RegExp(`[\`']${key}`));
      expect(chapter('Find a cart')).toContain(key);
    }
  });

  test('fields of log lines that the saved queries read', () => {
    const asked = Object.values(SAVED_QUERIES)
      .flat()
      .filter((line) => line.startsWith('fields '))
      .flatMap((line) => line.slice('fields '.length).split(', '))
      .map((field) => field.replace(/ as \w+$/, '').replace(/\.\d+$/, ''))
      .filter((field) => !field.startsWith('@'));

    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((field) => !loggedFields.has(field))).toEqual([]);
  });
});
