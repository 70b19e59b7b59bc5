/** Prints what is open after every door was imported. */

for (const door of ['wampy-ts', 'wampy-ts/router', 'wampy-ts/node', 'wampy-ts/cbor', 'wampy-ts/msgpack']) {
  await import(door)
}
const own = new Set(['PipeWrap', 'TTYWrap', 'FSReqPromise', 'CloseReq', 'MessagePort'])
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((resource) => !own.has(resource))))

export {}
