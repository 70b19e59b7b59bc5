/**
 * Runs the service and its router in Node, without compiling: prints the router's URL, and publishes a tick ten times a
 * second. `node server/main.ts PORT` takes that port, by default a free one.
 */

import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { ticks } from '../src/contract.ts'
import { DateService } from './date-service.ts'

const router = new Router()
const { url } = await serve(router, { port: Number(process.argv[2] ?? 0), origins: '*' })
const service = new DateService({ router })
await service.start()
let count = 0
setInterval(() => service.publish(ticks, [++count]), 100)
console.log(url)
