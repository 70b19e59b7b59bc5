/** Prints the handles that importing every entry point has left open. */

// The loader of this file has connections of its own.
const before = process.getActiveResourcesInfo()
for (const name of ['', '/router', '/node', '/cbor', '/msgpack', '/e2ee', '/metrics', '/log', '/testing', '/vite']) {
  await import(`wampy-ts${name}`)
}
const own = new Set([...before, 'PipeWrap', 'TTYWrap', 'FSReqPromise', 'CloseReq', 'MessagePort'])
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((resource) => !own.has(resource))))

export {}
