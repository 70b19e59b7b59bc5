/** Names the tests that passed only when run again, which Vitest counts as passed and does not mention. */
import type { Reporter, TestCase } from 'vitest/node'

export default class FlakyReporter implements Reporter {
  onTestCaseResult(testCase: TestCase): void {
    if (!testCase.diagnostic()?.flaky) return
    const [error] = testCase.result().errors ?? []
    console.log(
      `flaky: ${testCase.module.relativeModuleId} > ${testCase.fullName}: ${error?.message ?? 'no error was kept'}`,
    )
  }
}
