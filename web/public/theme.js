// Sets the colours before the first paint. The app changes them later: see src/ui/theme.ts.
(function () {
  var light = matchMedia('(prefers-color-scheme: light)').matches;
  var choice = 'system';
  try {
    choice = localStorage.getItem('glimpser.theme') || choice;
  } catch (_) {
    // Storage is switched off: the system's colours it is.
  }
  document.documentElement.dataset.theme = choice === 'system' ? (light ? 'light' : 'dark') : choice;
})();
