// One closing line in the plain words that every log reader understands: "browser: 12 passed, 0 failed, 1 skipped".
import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";

export default class ClosingLine implements Reporter {
  private suite: Suite | undefined;

  onBegin(_config: unknown, suite: Suite) {
    this.suite = suite;
  }

  onEnd(_result: FullResult) {
    const count = { expected: 0, unexpected: 0, flaky: 0, skipped: 0 };
    for (const test of this.suite?.allTests() ?? []) count[test.outcome()] += 1;
    console.log(`browser: ${count.expected} passed, ${count.unexpected + count.flaky} failed, ${count.skipped} skipped`);
  }
}
