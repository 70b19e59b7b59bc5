import { client } from './client'

export const load = async () => ({ date: await client.rpc.getTodaysDate() })
