/** The URL of the demo's router: on the host of the page. */
export const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
