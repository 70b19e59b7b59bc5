import { useEffect, useState } from 'react'
import { checkPage } from './check'
import Live from './Live.tsx'

export default function App() {
  const [text, setText] = useState('')
  useEffect(() => {
    let shown = true
    checkPage().then((result) => shown && setText(result))
    return () => {
      shown = false
    }
  }, [])
  return (
    <>
      <p id="wampy">{text}</p>
      <Live />
    </>
  )
}
