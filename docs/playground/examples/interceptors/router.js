import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

await serve(new Router(), { port: 8080 })
