import { Component, type ReactNode } from 'react'
import { WampError } from 'wampy-ts'
import { useEvents } from 'wampy-ts/react'

class Boundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}
  static getDerivedStateFromError = (error: unknown) => ({ error })
  override render() {
    const { error } = this.state
    return WampError.is(error) ? <p id="guarded">{error.uri}</p> : this.props.children
  }
}

export const Guarded = () => (
  <Boundary>
    <Secrets />
  </Boundary>
)

function Secrets() {
  const { events } = useEvents('com..secrets', { throwOnError: true })
  return <p>{events.length}</p>
}
