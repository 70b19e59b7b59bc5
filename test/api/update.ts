/** `npm run api`: writes the API reports of the build in `dist`, to be committed with the change that they show. */
import { writeFileSync } from 'node:fs'
import { reportFile, reports } from './report.ts'

for (const { name, text, forgotten } of reports()) {
  writeFileSync(reportFile(name), text)
  for (const type of forgotten) console.error(`${name} names ${type} in a signature and does not export it`)
}
