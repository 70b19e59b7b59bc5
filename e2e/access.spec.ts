/** What every page of the demo owes everybody: names, one heading, contrast, the keyboard, small and dark screens. */

import { expect, seesToday, test } from './support.ts'

const pages = ['index.html', 'local.html', 'react/index.html', 'vue/index.html']

for (const path of pages) {
  test(`${path}: names, landmarks and one heading`, async ({ page, demo }) => {
    await page.goto(demo.address + path)
    await seesToday(page)
    await expect(page.locator('html')).toHaveAttribute('lang', 'en')
    await expect(page).toHaveTitle(/wampy-ts/)
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
    for (const landmark of ['banner', 'navigation', 'main', 'contentinfo'] as const) {
      await expect(page.getByRole(landmark)).toHaveCount(1)
    }
    // The state is spoken, the clock is not.
    await expect(page.locator('.badge [role=status]')).toHaveText('ready')
    await expect(page.locator('[aria-live=polite] #clock, [role=status] #clock')).toHaveCount(0)

    const devtools = await page.context().newCDPSession(page)
    const { nodes } = await devtools.send('Accessibility.getFullAXTree')
    const controls = nodes.filter(
      ({ role, ignored, properties }) =>
        !ignored &&
        (['button', 'link', 'textbox', 'img', 'image'].includes(role?.value) ||
          (role?.value !== 'RootWebArea' && properties?.some((it) => it.name === 'focusable' && it.value.value))),
    )
    expect(controls.length).toBeGreaterThan(5)
    expect(controls.filter(({ name }) => !name?.value).map(({ role }) => role?.value)).toEqual([])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${path}: contrast and no sideways scrolling, ${colorScheme}`, async ({ page, demo }) => {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width: 390, height: 844 })
      await page.goto(demo.address + path)
      await seesToday(page)
      for (const width of [390, 320, 1280]) {
        await page.setViewportSize({ width, height: 844 })
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        expect(wide, `at ${width} pixels`).toBeLessThanOrEqual(width)
      }
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const [red = 0] = paper.match(/\d+/g)?.map(Number) ?? []
      expect(red < 128, 'the paper is dark').toBe(colorScheme === 'dark')
      expect(await page.evaluate(poor)).toEqual([])
    })
  }
}

/** Every text with less contrast than WCAG's AA asks for. Runs in the page. */
function poor(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): string => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor
      if ((channels(color)[3] ?? 1) > 0) return color
    }
    return 'rgb(255, 255, 255)'
  }
  const found: string[] = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement
    if (!element || !node.textContent?.trim() || !element.getClientRects().length) continue
    const style = getComputedStyle(element)
    const [one, other] = [luminance(style.color), luminance(behind(element))]
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    const enough = Number.parseFloat(style.fontSize) >= 24 ? 3 : 4.5
    if (ratio < enough) found.push(`${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)}`)
  }
  return found
}

test('every control can be reached by keyboard, and the focus is visible', async ({ page, demo }) => {
  await page.goto(demo.address)
  await seesToday(page)
  const reached: string[] = []
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      if (!element || element === document.body) return undefined
      const style = getComputedStyle(element)
      return { text: element.textContent?.trim() ?? '', outline: style.outlineStyle, width: style.outlineWidth }
    })
    if (!focused) break
    expect(focused.outline, focused.text).toBe('solid')
    expect(focused.width).toBe('3px')
    reached.push(focused.text)
  }
  const names = ['With a server', 'Vue', 'Stop the service', 'Start the service', 'Call it', 'Drop the connection']
  expect(reached).toEqual(expect.arrayContaining(names))
})

test('nothing moves if the user prefers reduced motion', async ({ page }) => {
  const moving = () =>
    page.evaluate(() => getComputedStyle(document.querySelector('.badge') as Element, '::before').animationName)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.setContent('<p class="badge" data-state="reconnecting">reconnecting</p>')
  await page.addStyleTag({ path: 'demo/page/style.css' })
  expect(await moving()).toBe('none')
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect(await moving()).toBe('turn')
})
