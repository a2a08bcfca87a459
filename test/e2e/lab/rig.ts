/** What end-to-end test files share: a lab per test, or the reason why there is none. */
import { describe, test } from 'vitest';
import { labObstacle, withLab, type Lab, type LabOptions } from './lab.ts';

const obstacle = labObstacle();

/** Like `describe`; where no lab can be built its tests are skipped and the title says why. */
export function describeLab(title: string, body: () => void): void {
  if (obstacle === undefined) describe(title, body);
  else describe.skip(`${title} [skipped: ${obstacle}]`, body);
}

/** A test in a lab of its own, guards included. */
export function labTest(
  title: string,
  options: Omit<LabOptions, 'name'>,
  body: (lab: Lab) => Promise<void>,
  timeout = 180_000,
): void {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  test(title, { timeout }, () => withLab({ ...options, name }, body));
}
