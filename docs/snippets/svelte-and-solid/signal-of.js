import { from } from 'solid-js'
import { isServer } from 'solid-js/web'

export const signalOf = (store) => (isServer ? store.get : from(store, store.get()))
