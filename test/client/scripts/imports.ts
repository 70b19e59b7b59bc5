/** Prints what is open after every door was imported, and was not before. */

// The loader of this file has connections of its own.
const before = process.getActiveResourcesInfo()
for (const door of ['', '/router', '/node', '/cbor', '/msgpack', '/e2ee', '/testing', '/vite']) {
  await import(`wampy-ts${door}`)
}
const own = new Set([...before, 'PipeWrap', 'TTYWrap', 'FSReqPromise', 'CloseReq', 'MessagePort'])
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((resource) => !own.has(resource))))

export {}
