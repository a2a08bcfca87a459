// Adds up vitest's JSON reports: node script/lib/sum-results.js FAILED_CHECKS REPORT…
// Prints why tests were skipped, then `N passed, N failed, N skipped`; exits 1 when anything failed.
import { existsSync, readFileSync } from 'node:fs';

const [failedChecks, ...files] = process.argv.slice(2);
const sum = { passed: 0, failed: Number(failedChecks), skipped: 0 };
const reasons = new Map();

for (const file of files) {
  if (!existsSync(file)) {
    console.log(`no test report: ${file}`);
    sum.failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const suite of report.testResults) {
    // A file that could not even be loaded has no tests to count.
    if (suite.status === 'failed' && suite.assertionResults.every((t) => t.status !== 'failed')) {
      console.log(`failed: ${suite.name}: ${suite.message ?? ''}`);
      sum.failed += 1;
    }
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') sum.passed += 1;
      else if (test.status === 'failed') sum.failed += 1;
      else {
        sum.skipped += 1;
        const reason = /\[skipped: ([^\]]*)\]/.exec(test.fullName)?.[1] ?? `no reason given: ${test.fullName}`;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
  }
}

for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`);
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
