/** The demo's pages have no horizontal scroll bar, in a browser whose scroll bars take room. */

import { expect, seesToday, test } from './support.ts'

// Playwright hides scroll bars, and with them this kind of overflow.
test.use({
  launchOptions: ({ launchOptions }, use) => use({ ...launchOptions, ignoreDefaultArgs: ['--hide-scrollbars'] }),
})

for (const path of ['', 'local.html', 'react/index.html', 'vue/index.html']) {
  test(`/${path} has no horizontal scroll bar at any width`, async ({ page, demo }) => {
    await page.goto(demo.address + path)
    await seesToday(page)
    for (const width of [280, 320, 360, 414, 575, 577, 768, 927, 929, 1024, 1280, 1440, 1920, 2560]) {
      // Low enough that each page has a vertical scroll bar.
      await page.setViewportSize({ width, height: 400 })
      const [content = 0, visible = 0, outer = 0] = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return [scrollWidth, clientWidth, innerWidth]
      })
      expect(visible, 'the vertical scroll bar takes room').toBeLessThan(outer)
      expect(content, `${width} px`).toBeLessThanOrEqual(visible)
    }
  })
}
