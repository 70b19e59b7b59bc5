import { Router } from 'wampy-ts/router'

const router = new Router({ forward: ['_traceparent', '_tracestate', '_tenant'] })
console.log(router.stats().dropped.keys)
