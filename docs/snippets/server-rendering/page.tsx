import { Today } from './Today'
import { dates } from './wamp'

export const dynamic = 'force-dynamic' // Next: for each request, not once in the build

export default async function Page() {
  const initial = await dates.getTodaysDate().catch(() => 'unknown')
  return <Today initial={initial} />
}
