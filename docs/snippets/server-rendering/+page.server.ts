import { dates } from './wamp'

export async function load() {
  return { initial: await dates.getTodaysDate().catch(() => 'unknown') }
}
