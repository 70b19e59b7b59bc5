import { rpc, WampClient } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

export class DateService extends WampClient {
  @rpc getTodaysDate() {
    return new Date().toLocaleDateString('sv') // ISO, local
  }
}

const router = new Router()
const { url } = await serve(router, { port: 8080 })
await new DateService({ name: 'Date Service', router }).start()
console.log(`DateService answers on ${url}`)
