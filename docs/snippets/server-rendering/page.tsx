import { Clock } from './Clock'
import { client } from './client'

export default async function Page() {
  return <Clock date={await client.rpc.getTodaysDate()} />
}
