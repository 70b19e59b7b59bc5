/** Where the demo's router is: on the host that the page came from. */
export const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
