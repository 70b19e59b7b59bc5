/** Runs the service and its router in Node, without compiling: prints the router's URL. */

import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { DateService } from './date-service.ts'

const router = new Router()
const { url } = await serve(router, { port: 0, origins: '*' })
await new DateService({ router }).start()
console.log(url)
