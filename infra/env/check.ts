/** Every mistake of an environment at once, as a synthesis words them. */
import { type CheckedEnvironment, checkEnvironment } from '../environments.ts';
import { describeMistakes, placeOf } from '../setting-mistakes.ts';

export interface CheckAnswer {
  readonly isValid: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export function check({ environment, json }: { readonly environment: string; readonly json: boolean }): CheckAnswer {
  let checked: CheckedEnvironment;
  try {
    checked = checkEnvironment(environment);
  } catch (error) {
    // The file itself cannot be read.
    const message = error instanceof Error ? error.message : String(error);
    if (!json) return { isValid: false, stdout: '', stderr: `\n${message}\n` };
    return { isValid: false, stdout: answer(false, [{ field: '', message }], []), stderr: '' };
  }
  const { origin, warnings } = checked;
  const mistakes = 'mistakes' in checked ? checked.mistakes : [];
  const isValid = mistakes.length === 0;
  if (json) {
    const told = mistakes.map((mistake) => ({ field: placeOf(mistake), message: mistake.message }));
    return { isValid, stdout: answer(isValid, told, warnings), stderr: '' };
  }
  const notes = warnings.map((warning) => `note: ${warning}\n`).join('');
  if (isValid) return { isValid, stdout: `${origin} is valid\n`, stderr: notes };
  return {
    isValid,
    stdout: '',
    stderr: `${notes}\n${origin} is not a valid environment:\n${describeMistakes(mistakes)}\n`,
  };
}

const answer = (
  isValid: boolean,
  mistakes: readonly { readonly field: string; readonly message: string }[],
  warnings: readonly string[],
): string => `${JSON.stringify({ isValid, mistakes, warnings })}\n`;
