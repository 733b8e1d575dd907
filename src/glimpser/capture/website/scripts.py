"""What is run inside pages, in a realm of its own: the page can neither see nor replace what it uses.

Each takes and gives texts, JSON where there is more to say.
"""

REMOVE = """json => {
  let removed = 0;
  for (const selector of JSON.parse(json))
    for (const element of document.querySelectorAll(selector)) { element.remove(); removed += 1; }
  for (const element of removed ? [document.documentElement, document.body] : [])
    element?.style.setProperty('overflow', 'visible');
  return String(removed);
}"""
"""Takes a list of CSS selectors. Overlays lock the page's scrolling, which goes with them."""

CHECK_SELECTORS = """json => {
  const nothing = document.createDocumentFragment();
  return String(JSON.parse(json).findIndex(selector => {
    try { nothing.querySelector(selector); return false; } catch { return true; }
  }));
}"""
"""Gives the index of the first of a list that is no CSS selector, or -1."""

FRAME_BOX = """element => {
  const box = element.getBoundingClientRect();
  return JSON.stringify([box.x + element.clientLeft, box.y + element.clientTop]);
}"""
"""Gives where the content of an iframe begins, in the window it stands in, in pixels."""

ELEMENT_BOX = """element => {
  const box = element.getBoundingClientRect();
  return JSON.stringify([box.x, box.y, box.width, box.height]);
}"""

INTO_VIEW = """element => {
  element.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
  return '';
}"""

SCROLLED = "() => JSON.stringify([scrollX, scrollY, innerWidth, innerHeight])"

WINDOW = "element => element.contentWindow"

PAGE_HEIGHT = """() => String(Math.ceil(Math.max(
  document.documentElement?.scrollHeight ?? 0, document.body?.scrollHeight ?? 0, innerHeight)))"""

SCROLL_THROUGH = """async json => {
  const [most, pauseMs] = JSON.parse(json);
  const until = performance.now() + 2000;
  for (let y = 0; y < Math.min(most, document.documentElement.scrollHeight); y += innerHeight) {
    if (performance.now() > until) break;
    scrollTo({top: y, behavior: 'instant'});
    await new Promise(done => setTimeout(done, pauseMs));
  }
  scrollTo({top: 0, behavior: 'instant'});
  return '';
}"""
"""Takes how far at most, in pixels, and a pause: what is loaded only when it is seen comes then."""

TEXT = """(selector, most) => {
  const element = selector ? document.querySelector(selector) : document.documentElement;
  return (element?.innerText ?? '').slice(0, Number(most));
}"""

FACTS = """json => {
  const walls = JSON.parse(json), shown = element =>
    element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
  const any = selectors => [...document.querySelectorAll(selectors.join())].some(shown);
  const covered = selectors => {
    const css = selectors.join(), steps = [1, 2, 3, 4, 5];
    const hits = steps.flatMap(column => steps.map(row => document.elementFromPoint(
      innerWidth * column / 6, innerHeight * row / 6)?.closest(css) ? 1 : 0));
    return hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
  };
  return JSON.stringify({
    url: location.href.slice(0, 4096),
    title: document.title.slice(0, 512),
    status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0,
    contentType: document.contentType,
    passwordFields: [...document.querySelectorAll('input[type=password]')].filter(shown).length,
    covered: covered(walls.covering),
    standing: Object.keys(walls.standing).filter(name => any(walls.standing[name])),
  });
}"""
"""Takes selectors of walls: how much of the window `covering` ones cover, and which others are there."""

STEALTH = """() => {
  Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false, configurable: true});
  if (!window.chrome) Object.defineProperty(window, 'chrome', {value: {runtime: {}}, writable: true});
}"""
"""Run in the page's own realm before anything of the page."""
