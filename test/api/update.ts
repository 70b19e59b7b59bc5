/** `npm run api`: writes the API reports of the build in `dist`, and the reference of the configuration, to be committed with the change. */
import { writeFileSync } from 'node:fs'
import { update } from '../config/reference.ts'
import { reportFile, reports } from './report.ts'

for (const { name, text, forgotten } of reports()) {
  writeFileSync(reportFile(name), text)
  for (const type of forgotten) console.error(`${name} names ${type} in a signature and does not export it`)
}

update()
