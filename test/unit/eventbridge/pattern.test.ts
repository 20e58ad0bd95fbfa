import { describe, expect, test } from '@jest/globals';
import { matchesPattern } from '../../simulators/eventbridge/pattern.ts';
import { renderTemplate } from '../../simulators/eventbridge/target-input.ts';

const EVENT = {
  source: 'aws.cloudwatch',
  resources: ['arn:one', 'arn:two'],
  detail: {
    state: { value: 'ALARM', note: null, text: '' },
    count: 3,
    list: [],
    items: [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
  },
};

describe('an event pattern', () => {
  test.each<[string, unknown]>([
    ['a value', { source: ['aws.cloudwatch'] }],
    ['one of several values', { source: ['x', 'aws.cloudwatch'] }],
    ['an element of an array', { resources: ['arn:two'] }],
    ['a nested member', { detail: { state: { value: ['ALARM'] } } }],
    ['null', { detail: { state: { note: [null] } } }],
    ['an empty text', { detail: { state: { text: [''] } } }],
    ['a prefix', { source: [{ prefix: 'aws.' }] }],
    ['a suffix', { source: [{ suffix: 'watch' }] }],
    ['letters of either case', { source: [{ 'equals-ignore-case': 'AWS.CloudWatch' }] }],
    ['another value', { source: [{ 'anything-but': 'aws.s3' }] }],
    ['none of several values', { source: [{ 'anything-but': ['aws.s3', 'aws.sqs'] }] }],
    ['another prefix', { source: [{ 'anything-but': { prefix: 'com.' } }] }],
    ['a member that exists, though it is null', { detail: { state: { note: [{ exists: true }] } } }],
    ['a member that is absent', { detail: { state: { actionsSuppressedBy: [{ exists: false }] } } }],
    ['a member of an object that is absent', { detail: { muteDetail: { mutedByArn: [{ exists: false }] } } }],
    ['an empty array as absent', { detail: { list: [{ exists: false }] } }],
    ['a number', { detail: { count: [3] } }],
    ['a range', { detail: { count: [{ numeric: ['>', 1, '<=', 3] }] } }],
    ['members of the same object of an array', { detail: { items: { a: [3], b: [4] } } }],
  ])('matches %s', (_what, pattern) => {
    expect(matchesPattern(pattern, EVENT)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['another value', { source: ['aws.s3'] }],
    ['one member of two', { source: ['aws.cloudwatch'], 'detail-type': ['x'] }],
    ['a number as a text', { detail: { count: ['3'] } }],
    ['null where the member is absent', { detail: { state: { gone: [null] } } }],
    ['anything but a value where the member is absent', { detail: { state: { gone: [{ 'anything-but': 'x' }] } } }],
    ['anything but the value', { detail: { state: { value: [{ 'anything-but': ['ALARM'] }] } } }],
    ['anything but its prefix', { source: [{ 'anything-but': { prefix: 'aws' } }] }],
    ['an object, whose members exist and not itself', { detail: { state: [{ exists: true }] } }],
    ['absence of what exists', { detail: { state: { value: [{ exists: false }] } } }],
    ['a range that it is not in', { detail: { count: [{ numeric: ['>', 3] }] } }],
    ['members of different objects of an array', { detail: { items: { a: [1], b: [4] } } }],
  ])('does not match %s', (_what, pattern) => {
    expect(matchesPattern(pattern, EVENT)).toBe(false);
  });

  test.each<[string, unknown]>([
    ['an operator that is unknown', { source: [{ wildcard: 'a*' }] }],
    ['an unknown operator in anything-but', { source: [{ 'anything-but': { cidr: '10.0.0.0/8' } }] }],
    ['two operators in one object', { source: [{ prefix: 'a', suffix: 'b' }] }],
    ['a value that is no array', { source: 'aws.cloudwatch' }],
    ['an empty array', { source: [] }],
    ['an empty object', { detail: {} }],
    ['alternatives', { $or: [{ source: ['a'] }] }],
    ['an unknown operator behind a part that does not match', { source: ['x'], detail: { a: [{ magic: 1 }] } }],
  ])('that holds %s is refused', (_what, pattern) => {
    expect(() => matchesPattern(pattern, EVENT)).toThrow(/the pattern/);
  });
});

describe('an input template', () => {
  const render = (template: string, paths: Record<string, string>, missing?: 'empty'): string =>
    renderTemplate({ InputPathsMap: paths, InputTemplate: template }, EVENT, missing === undefined ? {} : { missing });

  test('gives a text its quotes, leaves a number as it is, and inserts an object as JSON', () => {
    expect(
      render('{"a": <a>, "b": <b>, "c": <c>, "d": <d>}', {
        a: '$.source',
        b: '$.detail.count',
        c: '$.detail.items[1]',
        d: '$.resources[0]',
      }),
    ).toBe('{"a": "aws.cloudwatch", "b": 3, "c": {"a":3,"b":4}, "d": "arn:one"}');
  });

  test('fills a variable within a text, where an object loses its quotes', () => {
    expect(render('"\\"<a>\\" has <b>"', { a: '$.source', b: '$.detail.items[0]' })).toBe(
      '"\\"aws.cloudwatch\\" has {a:1,b:2}"',
    );
  });

  test('reads the paths of a pipe in the template itself', () => {
    expect(render('{"a": <$.detail.state.value>}', {})).toBe('{"a": "ALARM"}');
  });

  test('leaves out a member whose path is absent, or leaves it empty', () => {
    expect(render('{"a": <a>, "b": <b>, "c": "x<a>y"}', { a: '$.gone', b: '$.detail.count' })).toBe('{"b":3,"c":"xy"}');
    expect(render('{"a": <a>, "b": <b>}', { a: '$.gone', b: '$.detail.count' }, 'empty')).toBe('{"a": "", "b": 3}');
  });

  test('does not escape a text', () => {
    const nasty = { detail: { reason: 'a "b"\nc', state: { reason: 'a "b"\nc' } } };
    const text = (template: string): string => renderTemplate({ InputPathsMap: {}, InputTemplate: template }, nasty);

    expect(() => JSON.parse(text('{"reason": <$.detail.reason>}'))).toThrow(SyntaxError);
    expect(JSON.parse(text('{"state": <$.detail.state>}'))).toEqual({ state: { reason: 'a "b"\nc' } });
  });

  test.each(['<other>', '<aws.events.rule-name>'])(
    'with the variable %s, which has no path, is refused',
    (variable) => {
      expect(() => render(`{"a": ${variable}}`, {})).toThrow('which has no path');
    },
  );
});
